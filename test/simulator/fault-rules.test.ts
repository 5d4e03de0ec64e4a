import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Route } from '../../src/simulator/mason/routes.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';
import { apiAt } from './api-client.ts';

let sim: SimulatorProcess;
let api: ReturnType<typeof apiAt>;
beforeAll(async () => {
  sim = await spawnSimulator(['--devices', '3', '--groups', '2', '--key', 'demo-owner-key=account:owner']);
  api = apiAt(sim.url);
});
afterAll(() => sim.close());
beforeEach(() => sim.reset());

describe('when a fault happens', () => {
  const name = { name: 'made' };

  test('before processing nothing is changed and nothing counted; after it, it is, and nobody is told', async () => {
    const reset = { kind: 'reset' } as const;
    await sim.faults({ fault: reset });
    await expect(api('POST', '/default/group', { body: name })).rejects.toThrow('fetch failed');
    expect(await sim.stats()).toMatchObject({ accepted: 0, requestsReached: 1 });
    expect((await api('GET', '/default/group/made')).status).toBe(404);

    await sim.faults({ fault: reset, afterProcessing: true, match: { method: 'post' } });
    await expect(api('POST', '/default/group', { body: name })).rejects.toThrow('fetch failed');
    expect((await sim.stats()).accepted).toBe(2);
    expect((await api('GET', '/default/group/made')).status).toBe(200);
    expect((await sim.requests())[2]).toMatchObject({ fault: 'reset', status: null, key: 'key-1' });
  });

  test('by method, by path, by its beginning, from the nth call on, so many times', async () => {
    await sim.faults({
      match: { method: 'GET', path: '/v1/default/group', nth: 2 },
      times: 2,
      fault: { kind: 'status', status: 503 },
    });
    await sim.faults({ match: { path: '/v1/default/de*' }, times: 'always', fault: { kind: 'status', status: 500 } });
    const statuses: number[] = [];
    for (let at = 0; at < 5; at += 1) statuses.push((await api('GET', '/default/group?limit=1')).status);
    expect(statuses).toEqual([200, 503, 503, 200, 200]);
    expect((await api('GET', '/default/group/nothing')).status).toBe(404);
    expect((await api('GET', '/default/device')).status).toBe(500);
    expect((await api('GET', '/default/device/x')).status).toBe(500);
    expect((await sim.stats()).faultsPlayed).toBe(4);
    await sim.clearFaults();
    expect((await api('GET', '/default/device')).status).toBe(200);
  });

  test('the plan can be seen', async () => {
    await sim.faults({ fault: { kind: 'hang' }, match: { nth: 3 } });
    await api('GET', '/default/group');
    const response = await fetch(`${sim.url}/_sim/faults`);
    expect(await response.json()).toEqual({
      data: [{ id: 1, rule: { fault: { kind: 'hang' }, match: { nth: 3 } }, seen: 1, played: 0 }],
    });
  });

  test.each([
    [{ fault: { kind: 'explode' } }, 'fault.kind: expected one of status, '],
    [{ fault: { kind: 'toString' } }, 'fault.kind: expected one of status, '],
    [{}, 'fault.kind: expected'],
    [{ fault: { kind: 'status' } }, 'fault.status: expected a whole number from 200 to 599, got nothing'],
    [{ fault: { kind: 'status', status: '500' } }, 'fault.status: expected a whole number from 200 to 599, got "500"'],
    [{ fault: { kind: 'hang', ms: 1 } }, 'fault.ms: unknown; known are kind'],
    [
      { fault: { kind: 'hang' }, times: 0 },
      'rule.times: expected a whole number from 1 to 1000000000, or one of "always", got 0',
    ],
    [{ fault: { kind: 'hang' }, match: { nth: 0 } }, 'rule.match'],
    [{ fault: { kind: 'hang' }, match: { paths: '/' } }, 'match.paths: unknown'],
    [{ fault: { kind: 'response-headers', headers: { 'a b': 'c' } } }, 'characters that HTTP forbids (see "a b")'],
    [{ fault: { kind: 'response-headers', headers: { a: 'c\r\nd' } } }, 'characters that HTTP forbids'],
    [{ fault: { kind: 'informational', statuses: [200] } }, 'a list of: a whole number from 100 to 199'],
    [{ fault: { kind: 'old-error', shape: 'new' } }, 'fault.shape: expected one of "itemized"'],
    [{ fault: { kind: 'raw', base64: '!' } }, 'fault.base64: expected bytes in base64'],
    [{ fault: { kind: 'hang' }, after: true }, 'rule.after: unknown'],
  ])(
    'a fault that cannot be meant is refused at once, not when it should have happened: %j',
    async (rule, complaint) => {
      const response = await fetch(`${sim.url}/_sim/faults`, { method: 'POST', body: JSON.stringify(rule) });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ message: expect.stringContaining(complaint) });
    },
  );
});

test('the control paths say what they know, and refuse what they do not', async () => {
  expect((await fetch(`${sim.url}/_sim/faults`, { method: 'POST', body: '{' })).status).toBe(400);
  expect((await fetch(`${sim.url}/_sim/stats?windowMs=0`)).status).toBe(400);
  expect((await fetch(`${sim.url}/_sim/requests?last=x`)).status).toBe(400);
  const unknown = await fetch(`${sim.url}/_sim/toString`);
  expect(unknown.status).toBe(404);
  expect(((await unknown.json()) as { message: string }).message).toContain('POST reset');
});

test('what is only assumed about Mason can be told from what it documents', async () => {
  const { data } = (await (await fetch(`${sim.url}/_sim/routes`)).json()) as { data: Route[] };
  const standing = (method: string, path: string) =>
    data.find((one) => one.method === method && one.path === path)?.standing;
  expect(standing('GET', '/default/device')).toEqual({ path: 'doc', scope: 'doc' });
  expect(standing('POST', '/default/deploy')).toEqual({ path: 'assumed', scope: 'doc' });
});
