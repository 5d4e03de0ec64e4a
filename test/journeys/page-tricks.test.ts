import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { openPage } from '../support/page.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const LIST = '/v1/default/device?limit=1';
const FRONTEND = 'https://fleet.example.com';

let simulator: SimulatorProcess;
let gateway: TestGateway;

beforeAll(async () => {
  simulator = await spawnSimulator([
    '--key',
    `${OWNER_KEY}=account:owner`,
    '--key',
    'beta-key-0123456789=account:owner',
  ]);
  gateway = await startGateway({
    masonUrl: simulator.url,
    settings: { frontends: [{ origin: FRONTEND, teams: ['alpha'] }] },
  });
});
afterAll(async () => {
  await gateway?.close();
  await simulator?.close();
});

const lead = { role: 'lead', team: 'alpha' };

/** A request with headers byte for byte as given: fetch would mend them. */
function ask(method: string, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const own = { 'X-Requested-By': 'test', Origin: gateway.url };
    const asked = request(gateway.url + path, { method, headers: { ...own, ...headers } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject).end();
  });
}

describe('Cookies that somebody planted', () => {
  test('a name with a no-break space before it is another cookie: browsers do not guard it', async () => {
    const { cookie } = await openPage(gateway, lead);
    expect(await ask('GET', LIST, { Cookie: cookie })).toBe(200);
    expect(await ask('GET', LIST, { Cookie: `\xa0${cookie}` })).toBe(401);
    expect(await ask('GET', LIST, { Cookie: `${cookie}; \xa0${cookie}` })).toBe(200);
    expect(await ask('GET', LIST, { Cookie: ` \t${cookie}\t ` })).toBe(200);
  });

  test('a second cookie of the name does not save a session from its logout', async () => {
    const page = await openPage(gateway, lead);
    const [name] = page.cookie.split('=');
    expect(await ask('POST', '/auth/logout', { Cookie: `${name}=x; ${page.cookie}; ${name}=y` })).toBe(204);
    expect((await page.call(LIST)).status).toBe(401);
  });
});

describe('Tickets', () => {
  const askFor = (path: string): RequestInit => ({
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ method: 'GET', path }),
  });

  test('a session has a bounded number of them at a time, each for a path of bounded length', async () => {
    const page = await openPage(gateway, lead);
    const statuses: number[] = [];
    for (let i = 0; i < 101; i++) statuses.push((await page.call('/auth/ticket', askFor(LIST))).status);
    expect(new Set(statuses.slice(0, 100))).toEqual(new Set([201]));
    expect(statuses[100]).toBe(429);
    const other = await openPage(gateway, lead);
    expect((await other.call('/auth/ticket', askFor(`/v1/${'a'.repeat(3_000)}`))).status).toBe(400);
  });

  test('one that comes with the static header too is spent, and does not reach Mason', async () => {
    const page = await openPage(gateway, lead);
    const { path } = (await (await page.call('/auth/ticket', askFor(LIST))).json()) as { path: string };
    expect((await page.call(path)).status).toBe(200);
    expect((await page.call(path)).status).toBe(403);
    expect(JSON.stringify(await simulator.requests(5))).not.toContain('gateway-ticket');
  });
});

describe('Pages of listed frontends', () => {
  test('call, and see nothing of where else somebody is signed in', async () => {
    const page = await openPage(gateway, lead);
    const headers = { Origin: FRONTEND, 'Sec-Fetch-Site': 'same-site' };
    expect((await page.call(LIST, { headers })).status).toBe(200);
    for (const [path, method] of [
      ['/auth/sessions', 'GET'],
      ['/auth/sessions', 'DELETE'],
      ['/auth/sessions/ses_x', 'DELETE'],
      ['/admin/v1/apps', 'GET'],
    ] as const) {
      expect([path, (await page.call(path, { method, headers })).status]).toEqual([path, 403]);
    }
  });
});

test('a token beside the cookie is refused on the routes of people too', async () => {
  const page = await openPage(gateway, lead);
  const headers = { Authorization: `Bearer ${await gateway.token()}` };
  for (const path of ['/auth/session', '/auth/sessions', '/auth/whoami', '/admin/v1/apps', LIST]) {
    expect([path, (await page.call(path, { headers })).status]).toEqual([path, 400]);
  }
});

test('somebody who opens a link under another name than localhost is told what to configure', async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    const headers = { Host: '192.0.2.7:8080', Origin: 'http://192.0.2.7:8080', 'X-Requested-By': 'page' };
    const asked = request(`${gateway.url}/auth/link`, { method: 'POST', headers }, (said) => {
      said.setEncoding('utf8').on('data', resolve);
    });
    asked.on('error', reject).end('{}');
  });
  expect(answer).toContain('listen.publicUrl');
});

describe('A lead whose team shares a budget with another', () => {
  const json = (body: unknown): RequestInit => ({
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

  test('does not take its line by weight, and learns nothing of budgets that are not theirs', async () => {
    await gateway.administer('team.add', { slug: 'beta' });
    await gateway.administer('key.add', {
      team: 'beta',
      name: 'own',
      key: 'beta-key-0123456789',
      scopes: ['account:owner'],
      limit: '77/1s',
      budget: 'beta-own',
    });
    const page = await openPage(gateway, lead);
    await gateway.administer('app.add', { team: 'alpha', name: 'dashboard' });
    const weigh = (weight: number): Promise<Response> =>
      page.call('/admin/v1/apps/alpha/dashboard', { method: 'PATCH', ...json({ weight }) });
    expect((await weigh(5)).status).toBe(200);
    await gateway.administer('key.add', { team: 'beta', name: 'same', key: OWNER_KEY, scopes: ['fleet:read'] });
    expect((await weigh(100)).status).toBe(409);
    expect((await weigh(2)).status).toBe(200);
    const more = { team: 'alpha', name: 'new', weight: 9 };
    expect((await page.call('/admin/v1/apps', { method: 'POST', ...json(more) })).status).toBe(409);
    const key = { team: 'alpha', name: 'k', key: 'some-new-key-0123', scopes: ['fleet:read'], budget: 'beta-own' };
    const refused = await page.call('/admin/v1/keys', { method: 'POST', ...json({ ...key, limit: '1/1s' }) });
    expect([refused.status, await refused.text()]).toEqual([409, expect.not.stringContaining('77')]);
  });
});
