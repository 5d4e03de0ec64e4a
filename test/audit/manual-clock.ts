import type { Clock } from '../../src/domain/clock.ts';

/** Time that moves when it is told to. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ dueAt: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  epochMs(): number {
    return 1_790_000_000_000 + this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueAt: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves time, runs what is due in its order, and lets what follows from each settle. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.dueAt <= end).sort((a, b) => a.dueAt - b.dueAt)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.dueAt);
      due.callback();
      await turn();
    }
    this.#now = end;
    await turn();
  }
}

/** Lets everything that waits for nothing but promises go on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
