import { expect, test } from '@jest/globals';
import { probeKey } from '../../src/call/probe-key.ts';
import { Secret } from '../../src/domain/secret.ts';
import { Lanes } from '../../src/lane/lanes.ts';
import type { Mason } from '../../src/mason/send.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

test.each([
  [429, { 'retry-after': '7' }, { mode: 'waiting', refusalsSeen: 1, waitsUntil: expect.any(Number) }],
  [200, { 'ratelimit-policy': '"all";q=40;w=60' }, { mode: 'stated', levels: [{ calls: 40, windowMs: 60_000 }] }],
])('what a probe is told of the limit with %d is learnt, as from any other call', async (status, headers, learnt) => {
  const clock = new VirtualClock();
  await using stack = new AsyncDisposableStack();
  const lanes = new Lanes({ engine: 'fair', clock, waitingCallsMax: 9, waitingBytesMax: 1e6, pauseMsMax: 60_000 });
  stack.defer(() => lanes.close());
  const lane = lanes.laneFor({ id: 'b', limit: undefined, burst: undefined, spreadMs: undefined });
  const body = { collect: async () => Buffer.alloc(0), discard: () => {} };
  const mason = { send: async () => ({ status, headers, body }) } as unknown as Mason;
  const key = { secret: new Secret('probed-key') } as Parameters<typeof probeKey>[2];
  expect(await probeKey({ mason, clock }, lane, key)).toMatchObject({ status });
  expect(lanes.paceOf('b')?.learning).toMatchObject(learnt);
});
