import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { openPage, type Page } from '../support/page.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const LIST = '/v1/default/device?limit=1';
const lead = { role: 'lead', team: 'alpha' };

let redis: RedisServer;
let simulator: SimulatorProcess;
let one: TestGateway;
let two: TestGateway;

beforeAll(async () => {
  redis = await RedisServer.start();
  simulator = await spawnSimulator([
    '--key',
    `${OWNER_KEY}=account:owner`,
    '--limit',
    '40/1s',
    '--limit-kind',
    'sliding-log',
  ]);
  const settings = (id: string) => ({ gateway: { id }, redis: { url: redis.url } });
  const keys = [{ key: OWNER_KEY, scopes: ['account:owner'], limit: '40/1s' }];
  one = await startGateway({ masonUrl: simulator.url, keys, settings: settings('one') });
  two = await startGateway({ masonUrl: simulator.url, keys, settings: settings('two'), dataDir: one.dataDir });
});
afterAll(async () => {
  await two?.close();
  await one?.close();
  await simulator?.close();
  await redis?.[Symbol.asyncDispose]();
});

/** The same page, at the other gateway: what a load balancer does. */
function atTheOther(page: Page): (path: string) => Promise<Response> {
  const headers = { Cookie: page.cookie, 'X-Requested-By': 'test', 'Sec-Fetch-Site': 'same-origin' };
  return (path) => fetch(two.url + path, { headers });
}

describe('Two gateways on one data directory and one Redis', () => {
  test('share one rate budget: Mason refuses nobody, whichever is asked', async () => {
    const token = await one.token();
    await eventually('both share', async () => {
      await one.call(token, LIST);
      await two.call(token, LIST);
      const states = await Promise.all(
        [one, two].map(async ({ privateUrl }) => (await (await fetch(`${privateUrl}/readyz`)).json()) as State),
      );
      return states.every(({ state }) => state.budgets === 'shared' && state.redis === 'ready');
    });
    const calls = Array.from({ length: 120 }, (_, n) => (n % 2 === 0 ? one : two).call(token, `${LIST}&n=${n}`));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect((await simulator.stats()).byStatus[429] ?? 0).toBe(0);
  });

  test('know the same sessions, and a logout at one is a logout at both', async () => {
    const page = await openPage(one, lead);
    const elsewhere = atTheOther(page);
    await eventually('it is known at the other', async () => (await elsewhere(LIST)).status === 200);
    expect((await page.call('/auth/logout', { method: 'POST' })).status).toBe(204);
    const from = performance.now();
    await eventually('it ended at the other', async () => (await elsewhere(LIST)).status === 401);
    expect(performance.now() - from).toBeLessThan(2_000);
  });

  test('hear of a token that was revoked at the other', async () => {
    const token = await one.token({ app: 'revoked' });
    await eventually('it is known at the other', async () => (await two.call(token, LIST)).status === 200);
    const { data } = (await one.administer('token.list', { team: 'alpha', app: 'revoked' })) as {
      data: { id: string }[];
    };
    await one.administer('token.revoke', { id: data[0]?.id });
    await eventually('it is over at the other', async () => (await two.call(token, LIST)).status === 401);
  });

  test('go on for tokens while Redis is away, and for pages once it is back', async () => {
    const token = await one.token();
    const page = await openPage(one, lead);
    await redis.kill();
    const away = await eventually('pages hear that their sessions are away', async () => {
      const answer = await page.call(LIST);
      return answer.status === 200 ? undefined : answer;
    });
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await one.call(token, LIST)).status).toBe(200);
    const ready = await fetch(`${one.privateUrl}/readyz`);
    expect([ready.status, ((await ready.json()) as State).state.redis]).toEqual([200, expect.stringMatching(/^away/)]);
    await redis.restart();
    await eventually('tokens share again', async () => {
      const { state } = (await (await fetch(`${one.privateUrl}/readyz`)).json()) as State;
      return state.redis === 'ready';
    });
    const again = await openPage(two, lead);
    expect((await again.call(LIST)).status).toBe(200);
    expect((await simulator.stats()).byStatus[429] ?? 0).toBe(0);
  });
});

interface State {
  readonly state: { readonly redis: string; readonly budgets: string };
}
