import type { LaneTuning } from '../domain/lane.ts';
import { paceAlone } from './alone-time.ts';
import type { BudgetAnswer, BudgetAsk, SharedTuning } from './budget-act.ts';
import { type Pace, paceFor } from './pace.ts';
import { boundedSpread, givenSpread, Spread } from './spread.ts';

/** The limit, burst and spread of a shared budget as this gateway knows them, and what it has to say of them. */
export class TuningInForce {
  readonly #spread = new Spread();
  #wanted: LaneTuning;
  #inForce: SharedTuning;
  #pace: Pace;
  /** Whether the limit or the burst that is wanted has not been told yet. */
  #untold = true;
  #tunings = 0;
  /** The spread that the last answer asks for. */
  #spreadMs: number;

  constructor(wanted: LaneTuning) {
    this.#wanted = wanted;
    this.#spreadMs = spreadFor(wanted, 0);
    this.#inForce = this.#ofWanted();
    this.#pace = paceOf(this.#inForce);
  }

  get pace(): Pace {
    return this.#pace;
  }

  get spreadMs(): number {
    return this.#inForce.spreadMs;
  }

  get tuning(): LaneTuning {
    const { calls, windowMs, burst } = this.#inForce;
    return { limit: { calls, windowMs }, burst: burst || undefined, spreadMs: this.#wanted.spreadMs };
  }

  /** Counts {@link TuningInForce.retune}, to tell which of them an ask has told. */
  get tunings(): number {
    return this.#tunings;
  }

  get untold(): boolean {
    return this.#untold;
  }

  retune(wanted: LaneTuning): void {
    this.#wanted = wanted;
    this.#untold = true;
    this.#tunings++;
    this.#spreadMs = spreadFor(wanted, this.#spread.widestMs);
    this.#setInForce(this.#ofWanted());
  }

  observe(operation: string, firstByteMs: number, now: number): void {
    this.#spread.observe(operation, firstByteMs, now);
  }

  /** What an ask says; a spread measured over all gateways is told by whoever asks next. */
  toTell(rttMs: number): Pick<BudgetAsk, 'tuning' | 'pace' | 'tune' | 'fastestMs' | 'slowestMs'> {
    const tuning = this.#untold ? this.#ofWanted() : { ...this.#inForce, spreadMs: this.#spreadMs };
    const fastestMs = this.#spread.fastestMs ?? -1;
    return {
      tuning,
      pace: paceOf(tuning),
      tune: this.#untold || this.#spreadMs !== this.#inForce.spreadMs,
      fastestMs,
      slowestMs: fastestMs < 0 ? -1 : fastestMs + this.#spread.widestMs + rttMs / 2,
    };
  }

  /** @param told whether the limit that is wanted now was told with what is answered. */
  answered({ tuning, seenSpreadMs }: BudgetAnswer, told: boolean): void {
    if (told) this.#untold = false;
    if (!this.#untold) this.#setInForce(tuning);
    // The limit in force may be another than was wanted here.
    this.#spreadMs = spreadFor(this.#untold ? this.#wanted : this.tuning, seenSpreadMs);
  }

  /** The pace of this gateway's own part, as it was last told: `calls` of a limit that may be another by now. */
  alone(told: Pick<BudgetAnswer, 'calls' | 'tuning'> | undefined, gatewaysExpected: number): Pace | undefined {
    const { limit, burst } = this.tuning;
    const part = told === undefined ? 1 / gatewaysExpected : told.calls / told.tuning.calls;
    return paceAlone(Math.floor(limit.calls * part + 1e-6), limit, burst, this.spreadMs);
  }

  #ofWanted(): SharedTuning {
    const { limit, burst } = this.#wanted;
    return { ...limit, burst: burst ?? 0, spreadMs: this.#spreadMs };
  }

  #setInForce(tuning: SharedTuning): void {
    if (isSame(tuning, this.#inForce)) return;
    this.#inForce = tuning;
    this.#pace = paceOf(tuning);
  }
}

function paceOf({ calls, windowMs, burst, spreadMs }: SharedTuning): Pace {
  return paceFor({ calls, windowMs }, burst || undefined, spreadMs);
}

/** In whole milliseconds where it is measured, so that it is not another one with each call. */
function spreadFor({ spreadMs, limit }: LaneTuning, measuredMs: number): number {
  if (spreadMs !== undefined) return givenSpread(spreadMs, limit.windowMs);
  return boundedSpread(Math.ceil(measuredMs), limit.windowMs);
}

function isSame(a: SharedTuning, b: SharedTuning): boolean {
  return a.calls === b.calls && a.windowMs === b.windowMs && a.burst === b.burst && a.spreadMs === b.spreadMs;
}
