import type { IncomingMessage, ServerResponse } from 'node:http';
import { allow } from '../../call/allow.ts';
import { announce } from '../../call/announce.ts';
import type { Call } from '../../call/call.ts';
import { chooseKey } from '../../call/choose-key.ts';
import { targetsInPath } from '../../call/find-targets.ts';
import { finish } from '../../call/finish.ts';
import { identify } from '../../call/identify.ts';
import { joinLine } from '../../call/join-line.ts';
import type { WalkRooms } from '../../call/walk.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { StreamEnd } from '../../domain/event.ts';
import type { RequestTarget } from '../../http/request-target.ts';
import { isUpgrade } from '../../http/upgrades.ts';
import { askForSession } from './ask-for-session.ts';
import { readHandshake } from './handshake.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { OwnCloseCode } from './own-frames.ts';
import type { Tunnel, TunnelBounds } from './tunnel.ts';
import type { XrayProxy } from './xray-proxy.ts';

/** What an X-Ray session needs beside the rooms of every call. */
export interface XrayRooms extends WalkRooms {
  readonly sessions: OpenSessions;
  readonly proxy: XrayProxy;
  readonly tunnels: TunnelBounds;
}

const SWITCHED = 101;

/**
 * The path of one X-Ray session, as {@link walk} is that of a call: the same steps up to Mason's answer, then a tunnel for as
 * long as both sides, and the caller's right, hold.
 */
export async function walkXray(
  rooms: XrayRooms,
  req: IncomingMessage,
  res: ServerResponse,
  target: RequestTarget,
): Promise<void> {
  using call = rooms.calls.open(req, res, target);
  try {
    call.caller = await identify(rooms, call);
    call.route = rooms.routes.find(req.method ?? '', target.path);
    call.targets = targetsInPath(call.route);
    allow(call, call.caller);
    if (!isUpgrade(res)) {
      const expected = '"Upgrade: websocket", on a connection on which no answer is due';
      throw new GatewayError('invalid_request', `X-Ray is a WebSocket: expected ${expected}`);
    }
    const handshake = readHandshake(req);
    using seat = rooms.sessions.take(call, call.caller.team.id, call.targets[0]?.name ?? '');
    call.key = await chooseKey(rooms.verdicts, call.caller, call.operation);
    await rooms.proxy.ready();
    const lane = await rooms.laneOf(call.key);
    using place = joinLine(rooms, call, call.caller, lane);
    await announce(rooms.record, call);
    const tunnel = await askForSession(rooms, call, lane, place, handshake);
    place[Symbol.dispose]();
    seat.opened(tunnel);
    call.stream = await whileItHolds(call, tunnel);
    finish(rooms, call, SWITCHED);
  } catch (error) {
    finish(rooms, call, error);
  }
}

/** Until both sides are gone: the time of a call does not bind a session, its right does. */
async function whileItHolds(call: Call, tunnel: Tunnel): Promise<StreamEnd> {
  call.endsAfter(Number.POSITIVE_INFINITY);
  const end = (): void => {
    const { code, message } = call.signal.reason as GatewayError;
    tunnel.close(closeCodeOf(code), message, code);
  };
  call.signal.addEventListener('abort', end, { once: true });
  if (call.signal.aborted) end();
  const ended = await tunnel.ended;
  call.bytesIn = tunnel.bytes.in;
  call.bytesOut = tunnel.bytes.out;
  return ended;
}

function closeCodeOf(code: GatewayError['code']): OwnCloseCode {
  if (code === 'shutting_down') return 1012;
  return code === 'internal' ? 1011 : 1008;
}
