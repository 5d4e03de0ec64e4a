import type { Clock } from '../../domain/clock.ts';

/** Past this many at once the oldest is forgotten: bounded memory before a perfect one. */
const MARKS_MAX = 10_000;

/** Remembers for a while what has been used and may not be used again. */
export class UsedOnce {
  readonly #clock: Clock;
  /** Monotonic milliseconds until which a mark stands, oldest mark first. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Marks it as used, for so long. False when it was marked before. */
  take(mark: string, forMs: number): boolean {
    const now = this.#clock.now();
    const until = this.#until.get(mark);
    if (until !== undefined && until > now) return false;
    this.#until.delete(mark);
    this.#forget(now);
    this.#until.set(mark, now + forMs);
    return true;
  }

  /** Takes a mark back, where what it was used for did not come about. */
  giveBack(mark: string): void {
    this.#until.delete(mark);
  }

  #forget(now: number): void {
    for (const [mark, until] of this.#until) {
      if (until > now && this.#until.size < MARKS_MAX) return;
      this.#until.delete(mark);
    }
  }
}
