import type { LeaveSignal } from '../domain/lane.ts';
import type { OpenedKey } from '../domain/mason-key.ts';
import { AnswerBody } from '../mason/answer-body.ts';
import type { Answer } from '../mason/send.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { MasonAnsweredError } from './judge.ts';
import { replay } from './replay.ts';

/** Larger answers go to the call that was sent only. */
const ANSWER_BYTES_MAX = 1_048_576;
/** What a piece costs besides its bytes: an answer may come a byte at a time. */
const PIECE_BYTES = 200;

/** What Mason said to a call, for equal ones that waited when it was sent. */
export interface Held {
  /** Request id of the call that was sent. */
  readonly by: string;
  /** The key it was sent with: the one to cut out of what is handed on. */
  readonly key: OpenedKey;
  /** It is handed to one more call, which will either take or release it. */
  hold(): void;
  release(): void;
  /** @throws MasonAnsweredError when that is what Mason said */
  take(signal: LeaveSignal): Answer;
}

/** An error that Mason answered; small, and free of the key already. */
export class HeldError implements Held {
  readonly by: string;
  readonly key: OpenedKey;
  readonly #error: MasonAnsweredError;

  constructor(by: string, key: OpenedKey, error: MasonAnsweredError) {
    this.by = by;
    this.key = key;
    this.#error = error;
  }

  hold(): void {}

  release(): void {}

  take(): Answer {
    throw this.#error;
  }
}

/** What a {@link HeldAnswer} asks while the answer comes. */
export interface HeldFor {
  readonly bytes: HeldBytes;
  /** Whether anybody still waits for it. */
  isWanted(): boolean;
  /** All of it is here. */
  onWhole(): void;
}

/**
 * A good answer in the pieces in which it came, once for all who read it. Held as long as it comes and is wanted, then until
 * the last of those it was handed to has read it, each at the pace of its own caller.
 */
export class HeldAnswer implements Held {
  readonly by: string;
  readonly key: OpenedKey;
  readonly #answer: Answer;
  readonly #for: HeldFor;
  readonly #pieces: Buffer[] = [];
  #bodyBytes = 0;
  #heldBytes = 0;
  /** The first holder is the answer on its way. */
  #holders = 1;

  constructor(by: string, key: OpenedKey, answer: Answer, heldFor: HeldFor) {
    this.by = by;
    this.key = key;
    this.#answer = answer;
    this.#for = heldFor;
  }

  /** Begins to hold what comes. Gives the answer for the call that was sent; its caller sets the pace. */
  follow(): Answer {
    const { body } = this.#answer;
    const whole = body.whole();
    if (whole !== undefined) {
      this.#push(whole);
      this.#end();
      return this.#answer;
    }
    const same = new AnswerBody({
      pause: () => body.pause(),
      resume: () => body.resume(),
      abort: () => body.discard(),
    });
    const push = (piece: Buffer): void => {
      this.#push(piece);
      same.push(piece);
    };
    const onEnd = (): void => {
      same.end();
      this.#end();
    };
    const onFailure = (error: Error): void => {
      same.fail(error);
      if (this.#holders > 0) this.release();
    };
    body.read(push).then(onEnd, onFailure);
    return { ...this.#answer, body: same };
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    if (this.#holders > 0) return;
    this.#for.bytes.giveBack(this.#heldBytes);
    this.#pieces.length = 0;
  }

  take(signal: LeaveSignal): Answer {
    return { ...this.#answer, body: replay(this.#pieces, signal, () => this.release()) };
  }

  #push(piece: Buffer): void {
    if (this.#holders === 0) return;
    const cost = piece.length + PIECE_BYTES;
    const fits = this.#bodyBytes + piece.length <= ANSWER_BYTES_MAX;
    if (!fits || !this.#for.isWanted() || !this.#for.bytes.take(cost)) {
      this.release();
      return;
    }
    this.#pieces.push(piece);
    this.#bodyBytes += piece.length;
    this.#heldBytes += cost;
  }

  #end(): void {
    if (this.#holders === 0) return;
    this.#for.onWhole();
    this.release();
  }
}
