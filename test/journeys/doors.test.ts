import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

let simulator: SimulatorProcess;
let gateway: TestGateway;
let token: string;

const OWN_OPERATIONS = [
  {
    id: 'device.ping',
    method: 'POST',
    path: '/v1/default/device/{id}/ping',
    scope: 'fleet:manager',
    effect: 'disruptive',
    paged: false,
    targets: [{ kind: 'device', from: { path: 'id' } }],
  },
  {
    id: 'fleet.burn',
    method: 'DELETE',
    path: '/v1/default/fleet',
    scope: 'account:owner',
    effect: 'destructive',
    confirm: 'burn',
    paged: false,
    targets: [],
  },
  {
    id: 'device.locate',
    method: 'GET',
    path: '/v1/default/whereabouts/{id}',
    scope: 'fleet:locate',
    effect: 'read',
    paged: false,
    targets: [{ kind: 'device', from: { path: 'id' } }],
  },
];

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`]);
  gateway = await startGateway({ masonUrl: simulator.url, settings: { operations: OWN_OPERATIONS } });
  token = await gateway.token();
});
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

const metrics = async (): Promise<string> => (await fetch(`${gateway.privateUrl}/metrics`)).text();

/** A sample's value; labels in any order. */
const sample = (text: string, name: string, labels: Record<string, string> = {}): number | undefined => {
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${name}{`) && !line.startsWith(`${name} `)) continue;
    if (Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
      return Number(line.split(' ').at(-1));
  }
  return undefined;
};

describe('the private door', () => {
  test('It says that the gateway lives and can take calls', async () => {
    expect(await (await fetch(`${gateway.privateUrl}/livez`)).json()).toEqual({ status: 'live' });
    const ready = await fetch(`${gateway.privateUrl}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: 'ready', problems: {}, state: { budgets: 'local' } },
    ]);
  });

  test('Its metrics count calls, waits, the line, the budget and the times; by team and status, never by path', async () => {
    await gateway.call(token, '/v1/default/device?limit=1');
    await gateway.call(token, '/v1/default/device/metrics-canary');
    await gateway.call(await gateway.token({ scopes: ['user:read'] }), '/v1/default/device');
    await fetch(`${gateway.url}/v1/default/device`);
    const text = await eventually('all are counted', async () => {
      const now = await metrics();
      return sample(now, 'mason_gateway_calls_total', { team: 'none', status: '401' }) === 1 ? now : undefined;
    });
    const calls = (labels: Record<string, string>): number | undefined =>
      sample(text, 'mason_gateway_calls_total', labels);
    expect(calls({ team: 'alpha', status: '200', error_source: 'none' })).toBe(1);
    expect(calls({ team: 'alpha', status: '404', error_source: 'mason' })).toBe(1);
    expect(calls({ team: 'alpha', status: '403', error_source: 'gateway' })).toBe(1);
    expect(sample(text, 'mason_gateway_attempts_total', { result: '200' })).toBe(1);
    expect(sample(text, 'mason_gateway_queue_seconds_count')).toBe(2);
    expect(sample(text, 'mason_gateway_mason_seconds_count')).toBe(2);
    expect(sample(text, 'mason_gateway_own_seconds_count')).toBe(4);
    expect(sample(text, 'mason_gateway_line_depth')).toBe(0);
    expect(sample(text, 'mason_gateway_budget_used_ratio')).toBeGreaterThanOrEqual(0);
    expect(sample(text, 'mason_gateway_budget_calls')).toBe(100_000);
    expect(sample(text, 'mason_gateway_budget_window_seconds')).toBe(1);
    expect(sample(text, 'mason_gateway_calls_open')).toBe(0);
    expect(sample(text, 'mason_gateway_record_writable')).toBe(1);
    expect(sample(text, 'mason_gateway_record_gap_events')).toBe(0);
    expect(text).not.toContain('metrics-canary');
    expect(text).not.toContain('/v1/');
  });

  test('Nothing of it is on the public door, and nothing of the public one on it', async () => {
    for (const path of ['/livez', '/readyz', '/metrics', '/v1', '/favicon.ico', '/_sim/state']) {
      const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      expect([path, answer.status]).toEqual([path, 404]);
      expect(Object.keys((await answer.json()) as object)).toEqual(['type', 'message']);
    }
    for (const path of ['/v1/default/device', '/admin/v1/teams', '/']) {
      const answer = await fetch(`${gateway.privateUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
      expect([path, answer.status]).toEqual([path, 404]);
    }
    expect((await fetch(`${gateway.privateUrl}/livez`, { method: 'POST' })).status).toBe(405);
  });

  test('While it shuts down it lives, is not ready, and takes no new calls; what is under way finishes', async () => {
    await using own = await startGateway({ masonUrl: simulator.url });
    const caller = await own.token();
    await simulator.faults({ kind: 'slow-headers', delayMs: 1_000 });
    const underWay = own.call(caller, '/v1/default/device?limit=1', { headers: { connection: 'close' } });
    await eventually('it is at Mason', async () => (await simulator.stats()).inFlight === 1);
    const closed = own.close();
    const ready = await fetch(`${own.privateUrl}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'not ready', problems: { gateway: 'shutting down' }, state: { budgets: 'local' } },
    ]);
    expect((await fetch(`${own.privateUrl}/livez`)).status).toBe(200);
    await expect(own.call(caller, '/v1/default/device')).rejects.toThrow();
    expect((await underWay).status).toBe(200);
    await closed;
  });
});

describe('operations of one’s own', () => {
  test('They go to Mason under the rules that the table gives them, and are on record', async () => {
    const answer = await gateway.call(token, '/v1/default/device/7/ping', { method: 'POST' });
    expect([answer.status, answer.headers.get('error-source')]).toEqual([404, 'mason']);
    expect((await simulator.requests()).at(-1)).toMatchObject({ method: 'POST', target: '/v1/default/device/7/ping' });
    const [outcome, intent] = await gateway.record({ operation: 'device.ping' });
    expect([intent?.['kind'], outcome?.['kind']]).toEqual(['intent', 'outcome']);
    expect(outcome).toMatchObject({ effect: 'disruptive', targets: { list: [{ kind: 'device', name: '7' }] } });

    const calm = await gateway.token({ effects: 'change' });
    expect((await gateway.call(calm, '/v1/default/device/7/ping', { method: 'POST' })).status).toBe(403);
    const reader = await gateway.token({ scopes: ['fleet:read'] });
    expect((await gateway.call(reader, '/v1/default/device/7/ping', { method: 'POST' })).status).toBe(403);
    const unconfirmed = await gateway.call(token, '/v1/default/fleet', { method: 'DELETE' });
    expect([unconfirmed.status, ((await unconfirmed.json()) as { message: string }).message]).toEqual([
      428,
      expect.stringContaining('Gateway-Confirm: burn'),
    ]);
    const burnt = await gateway.call(token, '/v1/default/fleet', {
      method: 'DELETE',
      headers: { 'gateway-confirm': 'burn' },
    });
    expect([burnt.status, burnt.headers.get('error-source')]).toEqual([404, 'mason']);
  });

  test('One that corrects a path of ours takes its place', async () => {
    const answer = await gateway.call(token, '/v1/default/whereabouts/7');
    expect(answer.headers.get('error-source')).toBe('mason');
    expect((await gateway.call(token, '/v1/default/device/7/location')).headers.get('error-source')).toBe('gateway');
  });
});
