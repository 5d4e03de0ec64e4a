import type { OpenedKey } from '../domain/mason-key.ts';
import type { Answer } from '../mason/send.ts';
import type { Call } from './call.ts';
import { type Held, HeldAnswer, HeldError } from './held-answer.ts';
import { HeldBytes } from './held-bytes.ts';
import { MasonAnsweredError } from './judge.ts';

/** About one connection, and not about what was asked. */
const REQUEST_TIMEOUT = 408;

/** Each goes all its way to its caller at once: thousands of them would keep everybody else waiting for a second. */
const HANDED_AT_ONCE_MAX = 64;

/** A call among those that ask the same. */
export class Joining {
  readonly key: string;
  /** Number of the instant at which it began to wait; once it was sent, of that one. */
  at: number;
  /** What Mason answered to an equal call. */
  held: Held | undefined;
  readonly #place: Disposable;

  constructor(key: string, at: number, place: Disposable) {
    this.key = key;
    this.at = at;
    this.#place = place;
  }

  /** It needs its place no more: whoever waits for a turn there hears that it left, and finds the answer here. */
  hand(held: Held): void {
    held.hold();
    this.held = held;
    this.#place[Symbol.dispose]();
  }
}

/**
 * Equal reads that wait at this gateway share one call. Each keeps its own place in the line; when one is sent, its answer is
 * for all that waited already at that instant. Who came later asks after it: for them it could be older than something they
 * just did.
 */
export class Joins {
  readonly #bytes: HeldBytes;
  /** Who waits, by what they ask, in the order in which they began to. */
  readonly #waiting = new Map<string, Joining[]>();
  #instants = 0;

  /** @param answersBytesMax memory for answers that are held; beyond it an answer goes to its own call only */
  constructor(answersBytesMax: number) {
    this.#bytes = new HeldBytes(answersBytesMax);
  }

  /** Bytes of answers held now. */
  get heldBytes(): number {
    return this.#bytes.bytes;
  }

  /**
   * @param key what it asks: see `joinKey`
   * @param place where it waits for its own turn; disposed of when it is handed an answer
   */
  wait(key: string, place: Disposable): Joining {
    const joining = new Joining(key, ++this.#instants, place);
    const group = this.#waiting.get(key);
    // Most are the only ones: a list with one item is a quarter of a set.
    if (group === undefined) this.#waiting.set(key, [joining]);
    else group.push(joining);
    return joining;
  }

  /** It waits no more: what it was handed it will not take. */
  leave(joining: Joining): void {
    this.#takeOut(joining);
    joining.held?.release();
  }

  /** Its own turn came, and it is on its way. */
  sent(joining: Joining): void {
    this.#takeOut(joining);
    joining.at = ++this.#instants;
  }

  /**
   * A good answer to a call that was sent, for those who waited then: they are handed it when all of it is here.
   *
   * @returns the same answer for the call itself
   */
  share(joining: Joining, by: Call, key: OpenedKey, answer: Answer): Answer {
    const isWanted = (): boolean => this.#isWanted(joining);
    if (!isWanted()) return answer;
    const onWhole = (): void => this.#handOn(joining, held);
    const held = new HeldAnswer(by.id, key, answer, { bytes: this.#bytes, isWanted, onWhole });
    return held.follow();
  }

  /** The same for an error of the asker's that Mason answered. That Mason fails now says nothing about the next call. */
  shareError(joining: Joining, by: Call, key: OpenedKey, error: Error): void {
    if (!(error instanceof MasonAnsweredError) || error.status >= 500 || error.status === REQUEST_TIMEOUT) return;
    this.#handOn(joining, new HeldError(by.id, key, error));
  }

  #isWanted({ key, at }: Joining): boolean {
    const first = this.#firstOf(key);
    return first !== undefined && first.at < at;
  }

  #handOn(sent: Joining, held: Held): void {
    let left = HANDED_AT_ONCE_MAX;
    for (;;) {
      const joining = this.#firstOf(sent.key);
      if (joining === undefined || joining.at > sent.at) return;
      if (left === 0) {
        held.hold();
        setImmediate(() => {
          this.#handOn(sent, held);
          held.release();
        });
        return;
      }
      left--;
      this.#takeOut(joining);
      joining.hand(held);
    }
  }

  #takeOut(joining: Joining): void {
    const group = this.#waiting.get(joining.key) ?? [];
    const at = group.indexOf(joining);
    if (at === -1) return;
    if (group.length === 1) this.#waiting.delete(joining.key);
    else group.splice(at, 1);
  }

  #firstOf(key: string): Joining | undefined {
    return this.#waiting.get(key)?.[0];
  }
}
