import type { LaneTuning } from '../domain/lane.ts';
import { type Pace, paceFor } from './pace.ts';
import { givenSpread, Spread } from './spread.ts';

/** The pace in force: from the limit as tuned, and from the spread as tuned or measured. */
export class TunedPace {
  readonly #spread = new Spread();
  #tuning: LaneTuning;
  #pace: Pace;

  constructor(tuning: LaneTuning) {
    this.#tuning = tuning;
    this.#pace = paceFor(tuning.limit, tuning.burst, this.spreadMs);
  }

  get pace(): Pace {
    return this.#pace;
  }

  get tuning(): LaneTuning {
    return this.#tuning;
  }

  get spreadMs(): number {
    const { spreadMs, limit } = this.#tuning;
    if (spreadMs === undefined) return this.#spread.within(limit.windowMs);
    return givenSpread(spreadMs, limit.windowMs);
  }

  retune(tuning: LaneTuning): void {
    this.#tuning = tuning;
    this.#pace = paceFor(tuning.limit, tuning.burst, this.spreadMs);
  }

  /** Takes note of a time to first byte. True when the pace became another by it. */
  observe(operation: string, firstByteMs: number, now: number): boolean {
    const before = this.spreadMs;
    if (!this.#spread.observe(operation, firstByteMs, now) || this.spreadMs === before) return false;
    this.retune(this.#tuning);
    return true;
  }
}
