import type { Caller } from '../domain/caller.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Actor, CallFacts, OutcomeEvent } from '../domain/event.ts';
import type { AuditRecord } from '../domain/record.ts';
import { isBodyDue } from '../http/body-time.ts';
import { errorAnswer, errorBody } from '../http/errors.ts';
import { SendFailure } from '../mason/send.ts';
import { callHeaders } from './answer-headers.ts';
import type { Call, Presented } from './call.ts';
import { MasonAnsweredError } from './judge.ts';
import type { Strangers } from './strangers.ts';

const PATH_CHARACTERS_MAX = 1_024;
const CALLER_ID_CHARACTERS_MAX = 128;

/** How a call ended. */
export interface CallEnd {
  readonly outcome: OutcomeEvent;
  /** The outcome as it stands on record, one line of JSON; undefined for what is counted only: see {@link Strangers}. */
  readonly line: string | undefined;
  /** What was thrown, if anything was. */
  readonly thrown: unknown;
  /** How often a Mason key was cut out of the answer. */
  readonly redacted: number;
  /** Whether it was an upload or a download: then its time at Mason says how large that was. */
  readonly isTransfer: boolean;
}

/** Hears of the end of every call: the log and the metrics. */
export type CallObserver = (end: CallEnd) => void;

export interface FinishRooms {
  readonly record: AuditRecord;
  readonly observer: CallObserver;
  readonly strangers: Strangers;
}

/**
 * The one way out of the walk: answers what is not answered yet, and writes down how the call ended, from what was
 * thrown and not from what was sent.
 *
 * @param end the status relayed, or what was thrown
 */
export function finish(rooms: FinishRooms, call: Call, end: unknown): void {
  const answered =
    typeof end === 'number' ? { status: end, source: undefined, code: undefined } : answerFailure(call, end);
  const outcome: OutcomeEvent = {
    kind: call.attempts.length > 0 || call.intended || call.joined !== undefined ? 'outcome' : 'refused',
    ...callFacts(call),
    at: call.epochMs + Math.round(call.elapsed()),
    result: resultOf(call, end),
    status: answered.status,
    errorSource: answered.source,
    errorCode: answered.code,
    joined: call.joined,
    attempts: call.attempts,
    queueMs: call.queueMs,
    masonMs: call.masonMs,
    gatewayMs: Math.max(0, call.elapsed() - call.queueMs - call.masonMs - (call.stream?.openMs ?? 0)),
    bytesIn: call.upload?.bytes ?? call.body?.length ?? call.bytesIn,
    bytesOut: call.bytesOut,
    stream: call.stream,
  };
  const isStranger = outcome.kind === 'refused' && call.presented === undefined;
  const line = isStranger && !rooms.strangers.admit(call.address) ? undefined : rooms.record.append(outcome);
  rooms.observer({
    outcome,
    line,
    thrown: typeof end === 'number' ? undefined : end,
    redacted: call.redacted,
    isTransfer: call.route?.operation.transfer === 'stream',
  });
}

interface Answered {
  readonly status: number;
  readonly source: 'gateway' | 'mason';
  readonly code: string | undefined;
}

function answerFailure(call: Call, thrown: unknown): Answered {
  const { res } = call;
  // Whoever ended the call knows better why it ended than the step that noticed.
  const error = call.signal.aborted ? call.signal.reason : thrown instanceof SendFailure ? brokeOff() : thrown;
  if (error instanceof MasonAnsweredError) {
    send(call, error.status, 'mason', errorBody(error.answer), error.headers);
    return { status: error.status, source: 'mason', code: undefined };
  }
  const answer = errorAnswer(error);
  if (res.headersSent || res.destroyed) res.destroy();
  else send(call, answer.status, 'gateway', errorBody(answer), answer.headers);
  return { status: answer.status, source: 'gateway', code: answer.code };
}

function send(call: Call, status: number, source: string, body: string, extra: Readonly<Record<string, string>>): void {
  const { req, res } = call;
  const bytes = Buffer.byteLength(body);
  const headers = callHeaders(call, call.share());
  headers.push('Content-Type', 'application/json', 'Content-Length', String(bytes), 'Error-Source', source);
  for (const name in extra) headers.push(name, extra[name] as string);
  if (isBodyDue(req)) headers.push('Connection', 'close');
  res.writeHead(status, headers);
  res.end(body);
  call.bytesOut = bytes;
}

function brokeOff(): GatewayError {
  return new GatewayError('mason_bad_answer', "Mason's answer broke off");
}

function resultOf(call: Call, end: unknown): OutcomeEvent['result'] {
  if (typeof end === 'number') return 'answered';
  if (call.res.headersSent && end instanceof SendFailure) return 'aborted';
  if (call.unsure) return 'unknown';
  if (end instanceof MasonAnsweredError) return 'answered';
  return call.reached ? 'failed' : 'not_sent';
}

/** What is known of a call so far, for its events. One shape for all: objects put together from parts are slow. */
export function callFacts({
  id,
  epochMs,
  req,
  target,
  address,
  caller,
  presented,
  route,
  key,
  targets,
}: Call): CallFacts {
  const own = req.headers['request-id'] ?? req.headers['x-request-id'];
  return {
    requestId: id,
    at: epochMs,
    actor: actorOf(caller, presented, address),
    teamId: presented?.team?.id,
    team: presented?.team?.slug,
    method: req.method ?? '',
    path: target.path.slice(0, PATH_CHARACTERS_MAX),
    operation: route?.operation.id,
    effect: route?.operation.effect,
    targets: targets.length === 0 ? undefined : targets,
    keyFingerprint: key?.fingerprint,
    callerRequestId: typeof own === 'string' ? own.slice(0, CALLER_ID_CHARACTERS_MAX) : undefined,
  };
}

function actorOf(caller: Caller | undefined, presented: Presented | undefined, address: string): Actor {
  if (presented?.kind === 'person') {
    const { person, sessionId } = presented;
    return {
      kind: caller === undefined ? 'unknown' : 'person',
      personId: person.id,
      sessionId,
      address,
    };
  }
  return {
    kind: caller === undefined ? 'unknown' : 'app',
    appId: presented?.app.id,
    app: presented?.app.name,
    tokenId: presented?.tokenId,
    address,
  };
}
