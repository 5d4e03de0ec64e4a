import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { GatewayError } from '../../domain/errors.ts';
import type { LeaveSignal } from '../../domain/lane.ts';
import { SendFailure } from '../../mason/send.ts';
import type { Tunnel } from './tunnel.ts';

/** What Mason said to the wish for a session. */
export type XrayAnswer =
  | { readonly kind: 'opened' }
  /** No session: an answer in HTTP, its body cut at 64 KiB. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly contentType: string | undefined;
      readonly body: Buffer;
    }
  /** It switched to something that was not asked for. */
  | { readonly kind: 'unfit'; readonly error: GatewayError };

export interface AttemptParts {
  readonly tunnel: Tunnel;
  readonly signal: LeaveSignal;
  /** How long the body of a refusal may take. */
  readonly answerMs: number;
  /**
   * Mason has switched.
   *
   * @returns the head of the answer to the caller, latin1
   * @throws GatewayError when it is not what was asked for
   */
  readonly onSwitch: (answer: IncomingMessage) => string;
}

const REFUSAL_BYTES_MAX = 65_536;

/** One try to have a session: hears from http-proxy-middleware what becomes of it, before the library itself acts on it. */
export class Attempt {
  /** @throws SendFailure */
  readonly answer: Promise<XrayAnswer>;
  readonly #parts: AttemptParts;
  readonly #resolve: (answer: XrayAnswer) => void;
  readonly #reject: (failure: SendFailure) => void;
  readonly #leave = (): void => this.#onLeave();
  #request: ClientRequest | undefined;
  #isReached = false;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
    const { promise, resolve, reject } = Promise.withResolvers<XrayAnswer>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    parts.signal.addEventListener('abort', this.#leave, { once: true });
    if (parts.signal.aborted) this.#onLeave();
  }

  /** The request is made, and not yet connected. */
  asked(request: ClientRequest): void {
    this.#request = request;
    request.once('socket', (socket: Socket) => {
      // From here on bytes of it may have arrived.
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
        this.#isReached = true;
      });
    });
    request.once('upgrade', (answer: IncomingMessage, mason: Socket) => this.#switched(answer, mason));
    request.once('response', (answer: IncomingMessage) => this.#refused(answer));
    if (this.#parts.tunnel.destroyed) request.destroy();
  }

  failed(error: NodeJS.ErrnoException): void {
    this.#over();
    this.#reject(new SendFailure(reasonOf(error), this.#isReached, error));
  }

  #switched(answer: IncomingMessage, mason: Socket): void {
    this.#over();
    const { tunnel, onSwitch } = this.#parts;
    try {
      tunnel.open(mason, onSwitch(answer));
      this.#resolve({ kind: 'opened' });
    } catch (error) {
      mason.destroy();
      tunnel.destroy();
      if (!(error instanceof GatewayError)) throw error;
      this.#resolve({ kind: 'unfit', error });
    }
  }

  #refused(answer: IncomingMessage): void {
    // The library finds nobody to hand it to, and reads it away.
    this.#parts.tunnel.destroy();
    const pieces: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => answer.destroy(), this.#parts.answerMs);
    answer.on('data', (piece: Buffer) => {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > REFUSAL_BYTES_MAX) answer.destroy();
    });
    answer.on('error', () => undefined);
    answer.once('close', () => {
      clearTimeout(timer);
      this.#over();
      this.#resolve({
        kind: 'refused',
        status: answer.statusCode ?? 0,
        contentType: answer.headers['content-type'],
        body: Buffer.concat(pieces).subarray(0, REFUSAL_BYTES_MAX),
      });
    });
  }

  #onLeave(): void {
    this.#request?.destroy();
    this.#parts.tunnel.destroy();
    this.#reject(new SendFailure('left', this.#isReached, this.#parts.signal.reason));
  }

  #over(): void {
    this.#parts.signal.removeEventListener('abort', this.#leave);
  }
}

function reasonOf({ code = '' }: NodeJS.ErrnoException): SendFailure['reason'] {
  if (code === 'ERR_UPSTREAM_UPGRADE_TIMEOUT' || code === 'ETIMEDOUT') return 'timeout';
  return code.startsWith('HPE_') ? 'bad_answer' : 'unreachable';
}
