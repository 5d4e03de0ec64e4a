import type { Clock } from '../../../src/domain/clock.ts';
import { systemClock } from '../../../src/domain/clock.ts';

/** The real time, and as much more as a test says. */
export class MovableClock implements Clock {
  #ahead = 0;

  advance(byMs: number): void {
    this.#ahead += byMs;
  }

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  epochMs(): number {
    return systemClock.epochMs() + this.#ahead;
  }

  after(delayMs: number, callback: () => void): () => void {
    return systemClock.after(delayMs, callback);
  }
}
