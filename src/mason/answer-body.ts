/** How much of a body is held while nobody reads it; then the connection is paused. */
const HELD_BYTES_MAX = 65_536;

/** The flow control that undici's controller offers. */
interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** Thrown by {@link AnswerBody.collect}. */
export class BodyTooLarge extends Error {}

/** The body of an answer: pushed by the wire, pulled by at most one reader, with back-pressure between them. */
export class AnswerBody {
  readonly #flow: Flow;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  #failure: Error | undefined;
  #onChunk: ((chunk: Buffer) => void) | undefined;
  #settle: { done: () => void; failed: (error: Error) => void } | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  push(chunk: Buffer): void {
    if (this.#onChunk !== undefined) {
      this.#onChunk(chunk);
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > HELD_BYTES_MAX) this.#flow.pause();
  }

  end(): void {
    this.#ended = true;
    this.#settle?.done();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#settle?.failed(error);
  }

  /**
   * Gives each piece to the reader, in order; settles after the last one. The reader may {@link pause} and
   * {@link resume}.
   *
   * @throws SendFailure when the answer breaks off
   */
  read(onChunk: (chunk: Buffer) => void): Promise<void> {
    for (const chunk of this.#held) onChunk(chunk);
    const wasFull = this.#heldBytes > HELD_BYTES_MAX;
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve();
    this.#onChunk = onChunk;
    if (wasFull && !this.#paused) this.#flow.resume();
    return new Promise((done, failed) => {
      this.#settle = { done, failed };
    });
  }

  #paused = false;

  pause(): void {
    this.#paused = true;
    if (!this.#ended) this.#flow.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#ended && this.#failure === undefined) this.#flow.resume();
  }

  /** The whole body at once when it has arrived already, as small answers do. */
  whole(): Buffer | undefined {
    if (!this.#ended) return undefined;
    const [only] = this.#held;
    if (this.#held.length === 1 && only !== undefined) return only;
    return Buffer.concat(this.#held);
  }

  /**
   * The whole body.
   *
   * @throws BodyTooLarge past `bytesMax`; SendFailure when the answer breaks off
   */
  async collect(bytesMax: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    await this.read((chunk) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
      else this.discard();
    }).catch((error: unknown) => {
      throw bytes > bytesMax ? new BodyTooLarge(`the body has more than ${bytesMax} bytes`) : error;
    });
    if (bytes > bytesMax) throw new BodyTooLarge(`the body has more than ${bytesMax} bytes`);
    return Buffer.concat(chunks);
  }

  /** Nobody wants the rest: the connection is given up. */
  discard(): void {
    if (!this.#ended && this.#failure === undefined)
      this.#flow.abort(new Error('the rest of the answer is not wanted'));
  }
}
