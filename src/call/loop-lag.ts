import type { Clock } from '../domain/clock.ts';

const TICK_MS = 10;
const LAG_MS = 5;

/**
 * Whether this process was late itself: what an answer took while the event loop was busy says nothing about the way to
 * Mason, and taken for its spread would slow the line down for a minute.
 */
export class LoopLag implements Disposable {
  readonly #clock: Clock;
  #tickedAt: number;
  #laggedAt = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tickedAt = clock.now();
    this.#tick();
  }

  /** Whether the loop was busy for longer than a few milliseconds at a stretch, at any time since an instant. */
  since(instant: number): boolean {
    return this.#laggedAt >= instant || this.#clock.now() - this.#tickedAt > TICK_MS + LAG_MS;
  }

  #tick(): void {
    this.#cancel = this.#clock.after(TICK_MS, () => {
      const now = this.#clock.now();
      if (now - this.#tickedAt > TICK_MS + LAG_MS) this.#laggedAt = now;
      this.#tickedAt = now;
      this.#tick();
    });
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
