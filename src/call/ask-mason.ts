import { GatewayError } from '../domain/errors.ts';
import type { Lane, Place } from '../domain/lane.ts';
import type { OpenedKey } from '../domain/mason-key.ts';
import { type Answer, type Outgoing, SendFailure } from '../mason/send.ts';
import type { Call } from './call.ts';
import { otherKey } from './choose-key.ts';
import { hearRate } from './hear-rate.ts';
import type { Held } from './held-answer.ts';
import { type Circumstances, judgeAnswer, judgeFailure, type Verdict } from './judge.ts';
import { prepare } from './prepare.ts';
import { redactorFor } from './relay.ts';
import { takeTurn } from './take-turn.ts';
import type { WalkRooms } from './walk.ts';

/**
 * Takes turns until Mason's answer can be relayed or the call has failed: each turn is waited for in the line, each
 * attempt is noted, and the verdict on it decides whether there is another. A read that waits may be given the answer to an
 * equal one instead. What is streamed to Mason has one attempt, whatever comes of it.
 *
 * @returns a good answer, its body unread
 * @throws GatewayError, MasonAnsweredError
 */
export async function askMason(rooms: WalkRooms, call: Call, lane: Lane, place: Place): Promise<Answer> {
  for (;;) {
    const joining = await takeTurn(rooms, call, place);
    if (joining?.held !== undefined) return takeOver(call, joining.held);
    if (call.attempts.length === 0) rooms.retries.earn();
    const key = keyOf(call);
    const { answer, verdict } = await attempt(rooms, call, key, lane);
    if (verdict.kind === 'pass' && answer !== undefined) {
      return joining === undefined ? answer : rooms.joins.share(joining, call, key, answer);
    }
    if (verdict.kind === 'error' && joining !== undefined) rooms.joins.shareError(joining, call, key, verdict.error);
    await beforeNextTurn(rooms, call, lane, verdict);
  }
}

/** @throws MasonAnsweredError */
function takeOver(call: Call, held: Held): Answer {
  call.joined = held.by;
  call.key = held.key;
  return held.take(call.signal);
}

async function attempt(
  rooms: WalkRooms,
  call: Call,
  key: OpenedKey,
  lane: Lane,
): Promise<{ answer?: Answer; verdict: Verdict }> {
  const startMs = call.elapsed();
  const outgoing = prepare(call, key);
  const circumstances = {
    changes: call.changes,
    ...askedFor(outgoing),
    attempts: call.attempts.length + 1,
    epochMs: rooms.clock.epochMs(),
    redact: (body: Buffer) => {
      const redactor = redactorFor(key);
      const clean = redactor.whole(body);
      call.redacted += redactor.found;
      return clean;
    },
    errorBodyMsMax: rooms.bounds.errorBodyMsMax,
  };
  rooms.verdicts.noteKeyUse(key.id, circumstances.epochMs);
  try {
    const answer = await rooms.mason.send(outgoing, call.signal);
    call.reached = true;
    // Answered while it still came: what Mason refuses it need not be sent to its end.
    if (answer.status >= 300) call.upload?.stop();
    noteAttempt(call, startMs, { status: answer.status });
    hearRate(lane, answer, call.startedAt + startMs, circumstances.epochMs);
    rooms.keyHealth.note(key.fingerprint, answer.status);
    // Of an upload it says how large that was.
    const isTelling = call.upload === undefined && !rooms.lag.since(call.startedAt + startMs);
    if (isTelling) lane.observe(call.operation.id, answer.firstByteMs);
    const judged = judgeAnswer(answer, circumstances);
    const verdict = judged instanceof Promise ? await judged : judged;
    call.unsure = call.changes && saysNothing(answer.status, verdict);
    return { answer, verdict };
  } catch (error) {
    if (!(error instanceof SendFailure)) throw error;
    noteAttempt(call, startMs, { failure: error.reason });
    call.reached ||= error.reached;
    call.unsure = call.changes && error.reached;
    const refusal = call.upload?.failure;
    return { verdict: refusal === undefined ? judgeFailure(error, circumstances) : { kind: 'error', error: refusal } };
  }
}

/** What kind of answer the request allows beside the whole (RFC 9110 sections 13.1.2, 13.1.3 and 14.2: to reads only). */
function askedFor({ method, headers }: Outgoing): Pick<Circumstances, 'conditional' | 'partial'> {
  const reads = method === 'GET' || method === 'HEAD';
  return {
    conditional: reads && (headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined),
    partial: reads && headers['range'] !== undefined,
  };
}

/** A gateway of Mason's that gave up, or an answer of no use, does not say what became of a change. */
function saysNothing(status: number, verdict: Verdict): boolean {
  if (status > 500) return true;
  return verdict.kind === 'error' && verdict.error instanceof GatewayError && verdict.error.code === 'mason_bad_answer';
}

export function noteAttempt(call: Call, startMs: number, end: { status: number } | { failure: string }): void {
  const durationMs = call.elapsed() - startMs;
  call.attempts.push({ startMs, durationMs, ...end });
  call.masonMs += durationMs;
}

export async function beforeNextTurn(rooms: WalkRooms, call: Call, lane: Lane, verdict: Verdict): Promise<void> {
  if (call.upload !== undefined) throw lastError(lane, verdict);
  switch (verdict.kind) {
    case 'pass':
      throw new Error('an answer that passes has no next turn');
    case 'error':
      throw verdict.error;
    case 'key_refused':
      await replaceKey(rooms, call, verdict.error);
      return;
    case 'slow_down':
      lane.pause(verdict.waitMs);
      return;
    case 'again': {
      const inTime = rooms.clock.now() + verdict.waitMs < call.deadlineAt;
      if (!inTime || !(verdict.isFree || rooms.retries.spend())) throw verdict.error;
      await pauseCall(rooms, call, verdict.waitMs);
    }
  }
}

/** Of a call whose body was streamed: it cannot be sent again from here. */
function lastError(lane: Lane, verdict: Verdict): unknown {
  if ('error' in verdict) return verdict.error;
  if (verdict.kind === 'pass') return new Error('an answer that passes is no error');
  lane.pause(verdict.waitMs);
  return new GatewayError(
    'mason_refused_rate',
    'Mason refused it for its rate, and its body was not kept: send it again',
    {
      retryAfterMs: verdict.waitMs,
    },
  );
}

/** Once a call: the key may have been rotated a moment ago, or rotated to one that Mason does not take. */
async function replaceKey(rooms: WalkRooms, call: Call, refusal: Error): Promise<void> {
  if (call.isKeyReplaced || call.caller === undefined) throw refusal;
  const other = await otherKey(rooms.verdicts, call.caller, keyOf(call));
  if (other === undefined) throw refusal;
  call.key = other;
  call.isKeyReplaced = true;
}

export function keyOf({ key }: Call): OpenedKey {
  if (key === undefined) throw new Error('a call is sent before its key is chosen');
  return key;
}

/** Waits outside the line: only this call failed, nobody else need wait for it. */
function pauseCall(rooms: WalkRooms, call: Call, waitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      cancel();
      reject(call.signal.reason as GatewayError);
    };
    const cancel = rooms.clock.after(waitMs, () => {
      call.signal.removeEventListener('abort', leave);
      resolve();
    });
    call.signal.addEventListener('abort', leave, { once: true });
  });
}
