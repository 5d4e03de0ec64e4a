import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient, type GatewayClient } from '../../src/client/client.ts';
import { OPERATES } from '../../src/domain/authority.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const OPERATOR = { actor: { kind: 'operator', account: 'tests' }, authority: OPERATES } as const;
/** A listed frontend of another origin. */
const FRONTEND = 'http://127.0.0.1:5173';

let simulator: SimulatorProcess;
let gateway: TestGateway;

beforeAll(async () => {
  simulator = await spawnSimulator(['--devices', '30', '--key', `${OWNER_KEY}=account:owner`]);
  const settings = { frontends: [{ origin: FRONTEND, teams: ['alpha'] }] };
  gateway = await startGateway({ masonUrl: simulator.url, settings });
});
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

/** A page's fetch, as far as the gateway can tell: the browser's cookie and what it says of the page by itself. */
async function signedIn(role: string): Promise<typeof fetch> {
  const grants = [{ role, team: 'alpha' }];
  const { secret } = await gateway.gateway.acts['link.create'](OPERATOR, { name: 'Ada', grants });
  const own = { 'Content-Type': 'application/json', 'X-Requested-By': 'test', Origin: gateway.url };
  const body = JSON.stringify({ secret });
  const answer = await fetch(`${gateway.url}/auth/link`, { method: 'POST', headers: own, body });
  const cookie = answer.headers.getSetCookie()[0]?.split(';', 1)[0] as string;
  return (url, init = {}) => {
    const headers = new Headers(init.headers);
    if (init.credentials === 'include') headers.set('Cookie', cookie);
    headers.set('Origin', FRONTEND);
    headers.set('Sec-Fetch-Site', 'same-site');
    return fetch(url, { ...init, headers });
  };
}

async function pageOf(role: string): Promise<GatewayClient> {
  return createClient({ baseUrl: gateway.url, fetch: await signedIn(role) });
}

describe('a page with a session', () => {
  test('It learns who is signed in, calls within their role, and signs out', async () => {
    const page = await pageOf('member');
    const view = await page.session.get({ slide: false });
    expect(view).toMatchObject({
      kind: 'person',
      person: { name: 'Ada' },
      teams: [{ slug: 'alpha', roles: ['member'], calls: { effects: 'change' } }],
    });
    expect(view.teams[0]?.status?.keys).toMatchObject([{ name: 'key-1', health: expect.any(String) }]);
    expect(await page.whoami()).toMatchObject({ kind: 'person', session: view.session });
    const [device] = (await page.devices.list({ limit: 1 }).page()).data;
    expect((await page.devices.rename(device?.id as string, { name: 'Lobby' })).data[0]?.name).toBe('Lobby');
    await expect(page.notify.reboot({ devices: [device?.id as string] })).rejects.toMatchObject({
      status: 403,
      source: 'gateway',
    });
    expect(await page.session.logout()).toEqual({});
    expect(await page.session.logout()).toEqual({});
    await expect(page.session.get()).rejects.toMatchObject({ status: 401, type: 'authentication_error' });
  });

  test('A ticket lets a navigation through, without the header that it cannot set, once', async () => {
    const fetchOfPage = await signedIn('viewer');
    const page = createClient({ baseUrl: gateway.url, fetch: fetchOfPage });
    const path = '/v1/default/device?limit=2';
    const navigate = async (url: string) => {
      const { status } = await fetchOfPage(url, { credentials: 'include' });
      return status;
    };
    expect(await navigate(gateway.url + path)).toBe(403);
    const { url, endsAt } = await page.session.ticket({ method: 'GET', path });
    expect(url.startsWith(`${gateway.url}${path}&`)).toBe(true);
    expect(Date.parse(endsAt)).toBeGreaterThan(Date.now());
    expect([await navigate(url), await navigate(url)]).toEqual([200, 403]);
  });
});

test('A program asks what its token is and may do', async () => {
  const client = createClient({ baseUrl: gateway.url, token: await gateway.token({ scopes: ['fleet:read'] }) });
  expect(await client.whoami()).toMatchObject({ kind: 'app', team: 'alpha', app: 'tests', scopes: ['fleet:read'] });
});
