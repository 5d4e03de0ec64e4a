import type { Readable } from 'node:stream';
import { type Dispatcher, errors, Pool } from 'undici';
import type { LeaveSignal } from '../domain/lane.ts';
import { AnswerBody } from './answer-body.ts';
import { endedUnderRequest } from './answer-heads.ts';
import { type ConnectRules, masonConnector } from './connect.ts';

/** A request to Mason, ready for the wire. */
export interface Outgoing {
  readonly method: string;
  /** Path and query, the very bytes that were checked. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is read once, from the moment when there is a connection; its length, if it has one, stands in the headers. */
  readonly body: Buffer | Readable | undefined;
  /**
   * `shared`: kept alive, for what may be sent again when it dies under a request; `own`: made for this one; `transfer`: the
   * same, of those set apart for what takes long.
   */
  readonly connection: 'shared' | 'own' | 'transfer';
}

/** What Mason said, without any judgement. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: AnswerBody;
  /** From the writing of the request to the head of its answer, in milliseconds: without the making of a connection. */
  readonly firstByteMs: number;
}

/** No answer, or none that HTTP knows. */
export class SendFailure extends Error {
  override readonly name = 'SendFailure';
  readonly reason: 'unreachable' | 'timeout' | 'bad_answer' | 'left';
  /** Whether any byte of the request may have reached Mason. */
  readonly reached: boolean;
  /** Whether it was sent on a connection that had idled, and that ended without a word. */
  readonly stale: boolean;

  constructor(reason: SendFailure['reason'], reached: boolean, cause: unknown) {
    super(`${reason}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.reason = reason;
    this.reached = reached;
    this.stale = reason === 'unreachable' && endedUnderRequest(cause);
  }
}

export interface MasonSettings extends ConnectRules {
  /** `https://api.bymason.com`: scheme, host, port; nothing else. */
  readonly origin: string;
  readonly firstByteMs: number;
  /** Between two pieces of an answer's body. */
  readonly idleMs: number;
  readonly connectionsMax: number;
  readonly answerHeadersBytesMax: number;
}

/** Mason's end of the wire. Sends, and never judges. */
export class Mason implements AsyncDisposable {
  readonly #pools: Readonly<Record<Outgoing['connection'], Pool>>;

  constructor(settings: MasonSettings) {
    const options: Pool.Options = {
      connections: settings.connectionsMax,
      headersTimeout: settings.firstByteMs,
      bodyTimeout: settings.idleMs,
      maxHeaderSize: settings.answerHeadersBytesMax,
    };
    const kept = { ...options, connect: masonConnector(settings, 'many'), pipelining: 1 };
    // A kept-alive socket can always die under a request, and a change must not be sent twice: a connection each.
    const single = { ...options, connect: masonConnector(settings, 'one'), pipelining: 0 };
    const { origin } = settings;
    this.#pools = { shared: new Pool(origin, kept), own: new Pool(origin, single), transfer: new Pool(origin, single) };
  }

  /**
   * Sends once. Settles with the head of the answer; its body follows in {@link Answer.body}.
   *
   * @throws SendFailure
   */
  send(outgoing: Outgoing, signal: LeaveSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { body } = outgoing;
      const exchange = new Exchange(signal, body === undefined || Buffer.isBuffer(body), resolve, reject);
      this.#pools[outgoing.connection].dispatch(
        {
          method: outgoing.method as Dispatcher.HttpMethod,
          path: outgoing.target,
          headers: outgoing.headers,
          body: body ?? null,
          // Never sent again by the client behind our back: retries are judged by us.
          idempotent: false,
        },
        exchange,
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.#pools).map((pool) => pool.destroy()));
  }
}

/** One request and its answer, as undici tells of them. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #signal: LeaveSignal;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (failure: SendFailure) => void;
  readonly #leave = (): void => this.#onLeave();
  /** With its first piece of content undici writes the head of a request whose body is a stream. */
  readonly #headFirst: boolean;
  #controller: Dispatcher.DispatchController | undefined;
  #written = false;
  #body: AnswerBody | undefined;
  #startedAt = 0;
  #left = false;

  constructor(
    signal: LeaveSignal,
    headFirst: boolean,
    resolve: (answer: Answer) => void,
    reject: (failure: SendFailure) => void,
  ) {
    this.#signal = signal;
    this.#headFirst = headFirst;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener('abort', this.#leave, { once: true });
    if (signal.aborted) this.#onLeave();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#left) {
      controller.abort(new Error('the call was given up'));
      return;
    }
    this.#controller = controller;
    this.#written = this.#headFirst;
    this.#startedAt = performance.now();
  }

  onBodySent(): void {
    this.#written = true;
  }

  /** All of the body is written: a chunked one that is empty only now. */
  onRequestSent(): void {
    this.#written = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Answer['headers']): void {
    // Interim answers end at the socket, and no status beyond these comes past it (answer-heads.ts).
    if (status < 200 || status > 599) throw new BadAnswer(`status ${String(status).padStart(3, '0')}`);
    this.#body = new AnswerBody(controller);
    this.#resolve({ status, headers, body: this.#body, firstByteMs: performance.now() - this.#startedAt });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener('abort', this.#leave);
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#signal.removeEventListener('abort', this.#leave);
    const failure = new SendFailure(this.#left ? 'left' : reasonOf(error), this.#written, error);
    if (this.#body === undefined) this.#reject(failure);
    else this.#body.fail(failure);
  }

  #onLeave(): void {
    this.#left = true;
    this.#controller?.abort(new Error('the call was given up'));
    // Not started yet: undici hears of it when it would start, the caller need not wait for that.
    if (this.#controller === undefined) this.#reject(new SendFailure('left', false, 'the call was given up'));
  }
}

/** The answer is not HTTP. */
class BadAnswer extends Error {}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);

function reasonOf(error: NodeJS.ErrnoException): SendFailure['reason'] {
  const code = error.code ?? '';
  if (TIMEOUTS.has(code)) return 'timeout';
  // By its class: undici means to give parser errors a code, and gives none.
  const unread = error instanceof BadAnswer || error instanceof errors.HTTPParserError;
  const misframed =
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' ||
    /bad (?:response|upgrade|status)/.test(error.message);
  return unread || misframed ? 'bad_answer' : 'unreachable';
}
