import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newToken } from '../../src/vault/tokens.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { openPage } from '../support/page.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const LIST = '/v1/default/device?limit=1';

let simulator: SimulatorProcess;
let gateway: TestGateway;

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`]);
});
beforeEach(async () => {
  gateway = await startGateway({ masonUrl: simulator.url });
});
afterEach(() => gateway?.close());
afterAll(() => simulator?.close());

const own = { 'X-Requested-By': 'x', 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json' };

describe('Who guesses credentials is slowed down, and nobody else (security D4)', () => {
  test.each([
    ['tokens', () => gateway.call(newToken(), LIST)],
    ['tokens for managing', () => gateway.call(newToken(), '/admin/v1/apps')],
    ['tokens that ask who they are', () => gateway.call(newToken(), '/auth/whoami')],
    [
      'sign-in links',
      () => fetch(`${gateway.url}/auth/link`, { method: 'POST', headers: own, body: `{"secret":"${'A'.repeat(43)}"}` }),
    ],
  ])('fifty bad %s are told so, the next is told to wait', async (_, guess) => {
    const statuses: number[] = [];
    for (let i = 0; i < 51; i++) statuses.push((await guess()).status);
    expect(new Set(statuses.slice(0, 50))).toEqual(new Set([401]));
    const last = await guess();
    expect([statuses[50], last.status]).toEqual([429, 429]);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    // From the same address: many share one.
    expect((await gateway.call(await gateway.token(), LIST)).status).toBe(200);
    const page = await openPage(gateway, { role: 'viewer', team: 'alpha' });
    expect((await page.call(LIST)).status).toBe(200);
  });

  test('a page whose session ended is no guesser: each of its calls hears 401', async () => {
    const page = await openPage(gateway, { role: 'viewer', team: 'alpha' });
    await page.call('/auth/logout', { method: 'POST' });
    const answers = await Promise.all(Array.from({ length: 80 }, () => page.call(LIST)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  });
});
