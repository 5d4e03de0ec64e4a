import { FrameTracker } from './frame-tracker.ts';

/** One direction of an open session: what passes, and frames of ours between two frames of it. */
export class Direction {
  readonly frames = new FrameTracker();
  /** What passed, without frames of ours. */
  bytes = 0;
  readonly #write: (bytes: Buffer) => boolean;
  readonly #own: Buffer[] = [];
  #isEnding = false;
  #isClosed = false;

  /** @param write false: it is to wait before it is given more */
  constructor(write: (bytes: Buffer) => boolean) {
    this.#write = write;
  }

  /** Whether our close frame has passed: what comes behind it is followed, and goes nowhere (RFC 6455 section 5.5.1). */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether a frame of ours waits for the end of one of theirs. */
  get hasOwn(): boolean {
    return this.#own.length > 0;
  }

  /** Passes a piece on. @returns false when no more should come for now */
  pass(piece: Buffer): boolean {
    let at = 0;
    let mayGoOn = true;
    while (at < piece.length) {
      // Cut only where something of ours is to go in.
      const end = this.hasOwn ? this.frames.advance(piece, at) : this.#follow(piece, at);
      if (!this.#isClosed) {
        this.bytes += end - at;
        mayGoOn = this.#write(piece.subarray(at, end));
        if (this.hasOwn && this.frames.atFrameEnd) mayGoOn = this.#sayOwn();
      }
      at = end;
    }
    return mayGoOn;
  }

  /** Puts a control frame in, at once or as soon as the frame that is passing has passed. */
  say(frame: Buffer): void {
    if (this.#isEnding) return;
    this.#own.push(frame);
    if (this.frames.atFrameEnd) this.#sayOwn();
  }

  /** The same with a close frame, the last that goes this way. */
  sayLast(frame: Buffer): void {
    this.say(frame);
    this.#isEnding = true;
    this.#isClosed = !this.hasOwn;
  }

  #follow(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length) at = this.frames.advance(piece, at);
    return at;
  }

  #sayOwn(): boolean {
    let mayGoOn = true;
    for (const frame of this.#own.splice(0)) mayGoOn = this.#write(frame);
    this.#isClosed = this.#isEnding;
    return mayGoOn;
  }
}
