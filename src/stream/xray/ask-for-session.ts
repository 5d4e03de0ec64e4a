import type { IncomingMessage } from 'node:http';
import { callHeaders } from '../../call/answer-headers.ts';
import { beforeNextTurn, keyOf, noteAttempt } from '../../call/ask-mason.ts';
import type { Call } from '../../call/call.ts';
import type { Verdict } from '../../call/judge.ts';
import { prepare } from '../../call/prepare.ts';
import { redactorFor } from '../../call/relay.ts';
import { takeTurn } from '../../call/take-turn.ts';
import type { Lane, Place } from '../../domain/lane.ts';
import { takeSocket } from '../../http/upgrades.ts';
import { SendFailure } from '../../mason/send.ts';
import { acceptedHeaders, type Handshake, handshakeHeaders } from './handshake.ts';
import { judgeNoSession, judgeSession } from './judge-session.ts';
import { quietCaller } from './quiet-caller.ts';
import { Tunnel } from './tunnel.ts';
import type { XrayRooms } from './walk-xray.ts';

const SWITCHED = 101;
const TOO_MANY = 429;

/**
 * Takes a turn in the line and asks Mason for a session, once: again only where nothing of it can have reached Mason, or where
 * Mason did not know the key and there is another one.
 *
 * @returns the session, open: its head is on its way to the caller
 * @throws GatewayError, MasonAnsweredError
 */
export async function askForSession(
  rooms: XrayRooms,
  call: Call,
  lane: Lane,
  place: Place,
  handshake: Handshake,
): Promise<Tunnel> {
  using quiet = quietCaller(call);
  for (;;) {
    await takeTurn(rooms, call, place);
    if (call.attempts.length === 0) rooms.retries.earn();
    const tunnel = new Tunnel(call.req.socket, rooms.clock, rooms.tunnels);
    const onSwitch = (answer: IncomingMessage): string => {
      const head = headFor(call, handshake, answer);
      quiet[Symbol.dispose]();
      takeSocket(call.res);
      return head;
    };
    const verdict = await attempt(rooms, call, lane, { handshake, tunnel, onSwitch });
    if (verdict.kind === 'pass') return tunnel;
    await beforeNextTurn(rooms, call, lane, verdict);
  }
}

interface Wish {
  readonly handshake: Handshake;
  readonly tunnel: Tunnel;
  readonly onSwitch: (answer: IncomingMessage) => string;
}

async function attempt(rooms: XrayRooms, call: Call, lane: Lane, { handshake, ...wish }: Wish): Promise<Verdict> {
  const startMs = call.elapsed();
  const key = keyOf(call);
  rooms.verdicts.noteKeyUse(key.id, rooms.clock.epochMs());
  const { target, headers } = prepare(call, key);
  const request = { target, headers: { ...headers, ...handshakeHeaders(handshake) } };
  try {
    const answer = await rooms.proxy.ask(request, call.req.socket, { signal: call.signal, ...wish });
    call.reached = true;
    const status = answer.kind === 'refused' ? answer.status : SWITCHED;
    noteAttempt(call, startMs, { status });
    rooms.keyHealth.note(key.fingerprint, status);
    // Its 429 is none for the rate.
    if (status !== TOO_MANY) {
      lane.heard?.({ sentAt: call.startedAt + startMs, refused: false, askedMs: undefined, stated: [] });
    }
    return judgeSession(call, key, answer);
  } catch (error) {
    if (!(error instanceof SendFailure)) throw error;
    noteAttempt(call, startMs, { failure: error.reason });
    call.reached ||= error.reached;
    return judgeNoSession(call, error);
  }
}

/** Of the answer to the caller: what every answer says, and what Mason took of the handshake. */
function headFor(call: Call, handshake: Handshake, answer: IncomingMessage): string {
  const redactor = redactorFor(keyOf(call));
  const accepted = acceptedHeaders(handshake, answer).map((text) => redactor.text(text));
  const headers = [...callHeaders(call, call.share()), ...accepted];
  let head = `HTTP/1.1 ${SWITCHED} Switching Protocols\r\n`;
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${head}\r\n`;
}
