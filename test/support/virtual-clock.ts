import type { Clock } from '../../src/domain/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that passes only when a test says so: waits of hours take no time, and the same run gives the same instants. */
export class VirtualClock implements Clock {
  readonly #timers: Timer[] = [];
  readonly #lateMs: () => number;
  #now: number;
  #order = 0;

  /** @param lateMs by how much each timer fires late. */
  constructor(startMs = 1_000, lateMs: () => number = () => 0) {
    this.#now = startMs;
    this.#lateMs = lateMs;
  }

  /** Timers that are set: a test's proof that nobody waits. */
  get timers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  epochMs(): number {
    return 1_700_000_000_000 + this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    if (!(delayMs >= 0 && delayMs < 2 ** 31)) throw new RangeError(`delayMs must be 0 to 2^31-1, got ${delayMs}`);
    const timer = { at: this.#now + delayMs + this.#lateMs(), order: ++this.#order, callback };
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** Lets time pass; whatever falls due happens in order, each with its promises settled before the next. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs;
    await settled();
    for (let timer = this.#earliest(); timer !== undefined && timer.at <= until; timer = this.#earliest()) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      this.#now = Math.max(this.#now, timer.at);
      timer.callback();
      await settled();
    }
    this.#now = until;
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (
        earliest === undefined ||
        timer.at < earliest.at ||
        (timer.at === earliest.at && timer.order < earliest.order)
      ) {
        earliest = timer;
      }
    }
    return earliest;
  }
}

/** Every promise that could settle without time passing has settled, and those waiting for it have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
