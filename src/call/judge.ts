import { GatewayError } from '../domain/errors.ts';
import { isMarkupType, type MasonError, readMasonError } from '../mason/error-shapes.ts';
import type { Answer, SendFailure } from '../mason/send.ts';
import { askedWaitMs } from '../mason/slow-down.ts';

/** What to do with what came back. Sending never judges, judging never sends. */
export type Verdict =
  /** A good answer: relay it. */
  | { readonly kind: 'pass' }
  /** Mason refused for its rate: everybody waits, and this call goes again. */
  | { readonly kind: 'slow_down'; readonly waitMs: number }
  /** A passing failure of a read: again after a while, if the retry budget allows or it takes nothing from it; else `error`. */
  | { readonly kind: 'again'; readonly waitMs: number; readonly error: Error; readonly isFree?: true }
  /** Mason does not know the key: nothing was done, and another key in its place may go; else `error`. */
  | { readonly kind: 'key_refused'; readonly error: Error }
  | { readonly kind: 'error'; readonly error: Error };

/** An error that Mason itself answered, on its way to the caller in the documented shape. */
export class MasonAnsweredError extends Error {
  override readonly name = 'MasonAnsweredError';
  readonly status: number;
  readonly answer: MasonError;
  /** What the status would be useless without. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, answer: MasonError, headers: Readonly<Record<string, string>> = {}) {
    super(answer.message);
    this.status = status;
    this.answer = answer;
    this.headers = headers;
  }
}

export interface Circumstances {
  readonly changes: boolean;
  /** Whether Mason was asked for something newer than the caller has, as only reads may: else 304 is no answer. */
  readonly conditional: boolean;
  /** Whether Mason was asked for a part, as only reads may: else 206 and 416 are no answers. */
  readonly partial: boolean;
  /** Attempts made so far, this one included. */
  readonly attempts: number;
  readonly epochMs: number;
  /** Cuts the team's key out of a body, before anything of it is cut to a length or shown. */
  readonly redact: (body: Buffer) => Buffer;
  /** How long the body of an error may take: what is streamed has no bound on its whole time. */
  readonly errorBodyMsMax: number;
}

const ERROR_BODY_BYTES_MAX = 65_536;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_MS_MAX = 30_000;
const PASSING = new Set([502, 503, 504]);

/**
 * Judges an answer: a good one at once, and whether everybody waits. Reads the body of an error, and gives up the connection of
 * one that is too long or takes too long.
 */
export function judgeAnswer(answer: Answer, now: Circumstances): Verdict | Promise<Verdict> {
  const { status, headers } = answer;
  const contentType = single(headers['content-type']);
  const isGood = (status >= 200 && status < 300) || status === 304;
  const refusal = unasked(status, now) ?? (isGood ? unusable(headers, contentType, now.changes) : undefined);
  if (refusal !== undefined) {
    answer.body.discard();
    return { kind: 'error', error: refusal };
  }
  if (isGood) return { kind: 'pass' };
  if (status === 429) {
    // Its words are read away, so that the connection can be kept; nobody waits for them.
    void readError(answer, now);
    return { kind: 'slow_down', waitMs: pauseMs(askedWaitMs(headers, now.epochMs), now.attempts) };
  }
  return judgeError(answer, contentType, now);
}

async function judgeError(answer: Answer, contentType: string | undefined, now: Circumstances): Promise<Verdict> {
  const { status, headers } = answer;
  const said = readMasonError(status, contentType, now.redact(await readError(answer, now)));
  const refusal = judgeRefusal(status, said, now.changes, status === 416 ? lengthOf(headers) : {});
  if (refusal.kind !== 'error' || !PASSING.has(status) || now.changes) return refusal;
  // Where the rate stands says nothing about a failure: here only Retry-After counts.
  const asked = askedWaitMs({ 'retry-after': headers['retry-after'] }, now.epochMs);
  return { kind: 'again', waitMs: pauseMs(asked, now.attempts), error: refusal.error };
}

/** What a refusal of Mason's is to the caller, with the status that it goes out with. */
export function judgeRefusal(
  status: number,
  said: MasonError,
  changes: boolean,
  headers: Readonly<Record<string, string>> = {},
): Extract<Verdict, { kind: 'error' | 'key_refused' }> {
  if (status < 400) {
    return { kind: 'error', error: bad(`a ${status} redirect, which is not followed with the team's key`, changes) };
  }
  if (status === 401) {
    const message =
      "Mason does not accept the team's key: an operator must replace it; nothing is wrong with this call";
    return { kind: 'key_refused', error: new GatewayError('mason_rejected_key', message) };
  }
  return { kind: 'error', error: new MasonAnsweredError(status > 500 ? 502 : status, said, headers) };
}

/**
 * Judges a failure to get an answer. What reached Mason and may have changed something is never sent twice; a connection
 * that was never made is tried once more for every call.
 */
export function judgeFailure(failure: SendFailure, now: Pick<Circumstances, 'changes' | 'attempts'>): Verdict {
  const error = failureError(failure, now.changes);
  if (failure.reason === 'left') return { kind: 'error', error };
  // Mason closed a connection that idled: nothing is wrong with it, and all its connections may end so at the same time.
  if (failure.stale && !now.changes && now.attempts === 1) return { kind: 'again', waitMs: 0, error, isFree: true };
  const connectOnly = !failure.reached && now.attempts === 1;
  const harmlessReset = failure.reached && !now.changes && failure.reason === 'unreachable';
  if (connectOnly || harmlessReset) return { kind: 'again', waitMs: backoffMs(now.attempts) / 5, error };
  return { kind: 'error', error };
}

const UNSURE = '; whether the change was made is not known';

function failureError(failure: SendFailure, changes: boolean): GatewayError {
  const unsure = changes && failure.reached ? UNSURE : '';
  switch (failure.reason) {
    case 'left':
      return new GatewayError('caller_gone', 'the call was given up while Mason worked on it', { cause: failure });
    case 'timeout':
      return new GatewayError('mason_timeout', `Mason did not answer in time${unsure}`, { cause: failure });
    case 'bad_answer':
      return new GatewayError('mason_bad_answer', `Mason answered something that is not HTTP/1.1${unsure}`, {
        cause: failure,
      });
    case 'unreachable': {
      const what = failure.reached ? 'the connection to Mason broke off' : 'Mason cannot be reached';
      return new GatewayError('mason_unreachable', `${what}${unsure}`, { cause: failure });
    }
  }
}

/** Why an answer does not fit what was asked: to the caller it would be another whole, or nothing at all. */
function unasked(status: number, { conditional, partial, changes }: Circumstances): GatewayError | undefined {
  // RFC 9110 sections 15.3.7, 15.4.5 and 15.5.17.
  if (status === 206 && !partial) return bad('a part (206) where no range was asked for', changes);
  if (status === 304 && !conditional) return bad('"not modified" (304) where no condition was set', changes);
  if (status === 416 && !partial) return bad('"range not satisfiable" (416) where no range was asked for', changes);
  return undefined;
}

/** Why a success cannot be passed on: pages are never rendered, and a coded body cannot be looked through for keys. */
function unusable(
  headers: Answer['headers'],
  contentType: string | undefined,
  changes: boolean,
): GatewayError | undefined {
  if (isMarkupType(contentType)) return bad('a page for people instead of data', changes);
  const coding = single(headers['content-encoding']);
  if (coding !== undefined && coding.toLowerCase() !== 'identity')
    return bad(`a body in the coding ${coding}, unasked`, changes);
  return undefined;
}

/** The body of an error; empty where it is no good: the status says enough. */
function readError({ body }: Answer, { errorBodyMsMax }: Circumstances): Promise<Buffer> {
  const timer = setTimeout(() => body.discard(), errorBodyMsMax);
  const none = (): Buffer => Buffer.alloc(0);
  return body
    .collect(ERROR_BODY_BYTES_MAX)
    .catch(none)
    .finally(() => clearTimeout(timer));
}

/** How long the whole is of which a part was asked for that it has not (RFC 9110 section 15.5.17). */
function lengthOf(headers: Answer['headers']): Readonly<Record<string, string>> {
  const range = single(headers['content-range']);
  return range !== undefined && /^bytes \*\/\d{1,16}$/.test(range) ? { 'Content-Range': range } : {};
}

function bad(what: string, changes: boolean): GatewayError {
  return new GatewayError('mason_bad_answer', `Mason answered ${what}${changes ? UNSURE : ''}`);
}

/** What was asked for. No wait at all, or the same short one again and again, would make a loop. */
function pauseMs(asked: number | undefined, attempts: number): number {
  return asked !== undefined && asked > 0 && attempts === 1 ? asked : Math.max(asked ?? 0, backoffMs(attempts));
}

/** Full jitter over an exponential bound, so that gateways that failed together do not come back together. */
function backoffMs(attempts: number): number {
  const bound = Math.min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** Math.min(attempts, 10));
  return bound / 2 + (Math.random() * bound) / 2;
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
