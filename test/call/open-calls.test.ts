import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import type { Call } from '../../src/call/call.ts';
import { OpenCalls } from '../../src/call/open-calls.ts';
import { GatewayError } from '../../src/domain/errors.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const socket = new Socket();

function openOne(calls: OpenCalls): Call {
  const req = new IncomingMessage(socket);
  return calls.open(req, new ServerResponse(req), { path: '/v1/default/device', query: '' });
}

describe('the calls under way', () => {
  test('are ended all, whichever went before, and counted right however often they say that they have ended', async () => {
    const calls = new OpenCalls(new VirtualClock(), undefined);
    const open = Array.from({ length: 9 }, () => openOne(calls));
    for (const at of [0, 8, 3, 3, 7]) open[at]?.[Symbol.dispose]();
    expect(calls.count).toBe(5);
    const reason = new GatewayError('shutting_down', 'the gateway ends');
    calls.abortAll(reason);
    expect(open.map(({ signal }) => signal.aborted)).toEqual([0, 1, 1, 0, 1, 1, 1, 0, 0].map(Boolean));
    const idle = calls.idle();
    for (const call of open) call[Symbol.dispose]();
    await idle;
    expect(calls.count).toBe(0);
  });

  test('are collected young once they have ended, also after a great collection has seen some of them', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const calls = new OpenCalls(new VirtualClock(), undefined);
    const open = Array.from({ length: 64 }, () => openOne(calls));
    const pass = (count: number): void => {
      for (let n = 0; n < count; n++) {
        open[n % open.length]?.[Symbol.dispose]();
        open[n % open.length] = openOne(calls);
      }
    };
    pass(1_000);
    collect();
    const before = oldBytes();
    pass(20_000);
    expect(oldBytes() - before).toBeLessThan(8_000_000);
  });
});

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? Number.NaN;
}
