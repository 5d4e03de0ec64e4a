import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Upload } from '../../call/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import { freeBodyTime } from '../../http/body-time.ts';
import { bodyRefusal, MALFORMED } from '../../http/public-server.ts';
import { tooLarge } from '../../http/read-body.ts';

/** How much of a body may come, and how it may dawdle. */
export interface UploadBounds {
  readonly bytesMax: number;
  /** How long a caller may send nothing while Mason waits for it. */
  readonly idleMs: number;
}

/**
 * A request's body on its way to Mason, at the pace at which Mason takes it. Nothing of it is asked for ("100 Continue") or
 * read before there is a connection that waits for it. Trailers end here: what they would mean to Mason nobody knows
 * (RFC 9110 section 6.5.1).
 */
export class UploadBody extends Readable implements Upload {
  bytes = 0;
  failure: GatewayError | undefined;
  readonly length: string | undefined;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #bounds: UploadBounds;
  #state: 'new' | 'flowing' | 'over' = 'new';
  #idle: NodeJS.Timeout | undefined;
  /** Whether Mason has taken all that came. */
  #isWanting = false;

  readonly #onData = (chunk: Buffer): void => {
    this.bytes += chunk.length;
    if (this.bytes > this.#bounds.bytesMax) {
      this.#fail(tooLarge(this.#bounds.bytesMax, 'more'));
      return;
    }
    this.#idle?.refresh();
    this.#isWanting = this.push(chunk);
    if (!this.#isWanting) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.stop();
    this.push(null);
  };

  readonly #onMalformed = (refusal: GatewayError): void => this.#fail(refusal);

  constructor(req: IncomingMessage, res: ServerResponse, bounds: UploadBounds) {
    super();
    this.length = req.headers['transfer-encoding'] === undefined ? req.headers['content-length'] : undefined;
    this.#req = req;
    this.#res = res;
    this.#bounds = bounds;
    freeBodyTime(req);
    // Without a listener an end that nobody waits for any more would be a bug's.
    this.on('error', () => undefined);
  }

  get stream(): Readable {
    return this;
  }

  override _read(): void {
    this.#isWanting = true;
    this.#idle?.refresh();
    if (this.#state === 'new') this.#begin();
    else if (this.#state === 'flowing') this.#req.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.stop();
    callback(error);
  }

  /** Takes nothing more; it never ends towards Mason, where it would look whole. */
  stop(): void {
    this.#state = 'over';
    clearTimeout(this.#idle);
    this.#idle = undefined;
    this.#req.off('data', this.#onData);
    this.#req.off('end', this.#onEnd);
    this.#req.off(MALFORMED, this.#onMalformed);
  }

  /** The call is over: what still comes of the body is read and forgotten until its connection closes. */
  [Symbol.dispose](): void {
    this.destroy();
    this.#req.resume();
  }

  #begin(): void {
    const refusal = bodyRefusal(this.#req);
    if (refusal !== undefined) {
      this.#fail(refusal);
      return;
    }
    this.#state = 'flowing';
    const { idleMs } = this.#bounds;
    this.#idle = setTimeout(() => {
      if (this.#isWanting) this.#fail(new GatewayError('request_timeout', `nothing of the body came for ${idleMs} ms`));
      else this.#idle?.refresh();
    }, idleMs);
    this.#req.on('data', this.#onData);
    this.#req.on('end', this.#onEnd);
    this.#req.on(MALFORMED, this.#onMalformed);
    // HTTP/1.0 has no interim answers, and its expectations are ignored (RFC 9110 section 10.1.1).
    if (this.#req.headers.expect !== undefined && this.#req.httpVersion !== '1.0') this.#res.writeContinue();
  }

  #fail(refusal: GatewayError): void {
    this.failure = refusal;
    this.destroy(refusal);
  }
}
