import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const NEW_KEY = 'owner-key-after-rotation-5678';
const LIST = '/v1/default/device?limit=1';

let simulator: SimulatorProcess;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`, '--key', `${NEW_KEY}=account:owner`]);
  gateway = await startGateway({ masonUrl: simulator.url });
  token = await gateway.token();
});
afterAll(async () => {
  await gateway?.close();
  await simulator?.close();
});

const rotate = (key: string): Promise<unknown> =>
  gateway.administer('key.rotate', { team: 'alpha', name: 'key-1', key });

/** Which keys Mason was shown, by the last calls. */
async function keysSeen(last: number): Promise<Set<string>> {
  const seen = (await simulator.requests(last)).map((request) => JSON.stringify(request));
  return new Set([OWNER_KEY, NEW_KEY].filter((key) => seen.some((text) => text.includes(key))));
}

describe("A team's key is replaced while its apps call", () => {
  test('a key that Mason does not know is refused, and nothing changes', async () => {
    await expect(rotate('nobody-knows-this-key-0000')).rejects.toMatchObject({ code: 'conflict' });
    expect((await gateway.call(token, LIST)).status).toBe(200);
    expect(await keysSeen(1)).toEqual(new Set([OWNER_KEY]));
  });

  test('no call fails, and from the answer on the new key is used', async () => {
    let going = true;
    const statuses: number[] = [];
    const callers = Array.from({ length: 8 }, async () => {
      while (going) statuses.push((await gateway.call(token, LIST)).status);
    });
    await eventually('calls are going on', () => statuses.length > 8);
    await rotate(NEW_KEY);
    going = false;
    await Promise.all(callers);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect((await gateway.call(token, LIST)).status).toBe(200);
    expect(await keysSeen(1)).toEqual(new Set([NEW_KEY]));
  });

  test('when Mason refuses the new one the call goes once more, with the one before: reads and changes alike', async () => {
    for (const [path, init] of [
      [LIST, {}],
      [
        '/v1/default/group',
        { method: 'POST', body: '{"name":"rotated"}', headers: { 'content-type': 'application/json' } },
      ],
    ] as const) {
      await simulator.faults({ kind: 'status', status: 401 });
      const answer = await gateway.call(token, path, init);
      expect(answer.status).toBe(200);
      const events = await gateway.record({ requestId: answer.headers.get('request-id') });
      expect(events[0]).toMatchObject({ result: 'answered', attempts: [{ status: 401 }, { status: 200 }] });
      expect(await keysSeen(1)).toEqual(new Set([OWNER_KEY]));
    }
  });

  test('when Mason refuses both, the caller hears that it is not their fault, after two tries', async () => {
    await simulator.faults({ times: 2, fault: { kind: 'status', status: 401 } });
    const answer = await gateway.call(token, LIST);
    expect([answer.status, await answer.json()]).toEqual([
      502,
      { type: 'api_error', message: expect.stringContaining("Mason does not accept the team's key") },
    ]);
    expect((await gateway.call(token, LIST)).status).toBe(200);
  });

  test('once the one before is forgotten, there is one try', async () => {
    await gateway.administer('key.forget', { team: 'alpha', name: 'key-1' });
    await simulator.faults({ kind: 'status', status: 401 });
    const answer = await gateway.call(token, LIST);
    expect(answer.status).toBe(502);
    const [event] = await gateway.record({ requestId: answer.headers.get('request-id') });
    expect(event?.['attempts']).toHaveLength(1);
  });
});
