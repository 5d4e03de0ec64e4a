import { expect, test } from '@jest/globals';
import type { Call } from '../../../src/call/call.ts';
import { GatewayError } from '../../../src/domain/errors.ts';
import { OpenSessions } from '../../../src/stream/xray/open-sessions.ts';

test('Who is still being asked for its name when the gateway ends gets no session that would hold up the end', () => {
  const sessions = new OpenSessions({ perTeamMax: 9, perDeviceMax: 9 });
  const reasons: unknown[] = [];
  const call = (id: string): Call => ({ id, abort: (reason: unknown) => reasons.push(reason) }) as unknown as Call;
  using _first = sessions.take(call('first'), 'team', 'device');
  const ending = new GatewayError('shutting_down', 'service restart');
  sessions.endAll(ending);
  expect(reasons).toEqual([ending]);
  expect(() => sessions.take(call('second'), 'team', 'device')).toThrow(ending);
});
