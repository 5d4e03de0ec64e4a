import type { Budget, RateLimit } from '../domain/budget.ts';
import type { Clock } from '../domain/clock.ts';
import type { Lane, LaneSettings, LaneStats, LaneTuning } from '../domain/lane.ts';
import { BottleneckLane } from './bottleneck-lane.ts';
import { FairLane } from './fair-lane.ts';

export type LaneEngine = 'fair' | 'bottleneck';

/**
 * For a budget whose limit nobody gave. Mason publishes none; ten calls a second is below what public APIs of its kind
 * commonly allow, and still serves a console that is clicked through. Whoever makes the budget's lane says so in the log.
 */
export const DEFAULT_LIMIT: RateLimit = { calls: 10, windowMs: 1_000 };

export interface LanesOptions {
  readonly engine: LaneEngine;
  readonly clock: Clock;
  /** Calls that may wait in one lane. */
  readonly waitingCallsMax: number;
  /** Bytes that the calls waiting in one lane may hold. */
  readonly waitingBytesMax: number;
  readonly pauseMsMax: number;
  /** Spread of the one-way delay to Mason for all budgets; undefined: measured for each. */
  readonly spreadMs?: number | undefined;
}

/** The lanes of this gateway, one a budget. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<string, { lane: Lane; tuning: LaneTuning }>();

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** The lane of a budget: made when there is none, retuned when the budget's limit or burst is another than before. */
  laneFor(budget: Pick<Budget, 'id' | 'limit' | 'burst'>): Lane {
    const limit = budget.limit ?? DEFAULT_LIMIT;
    const known = this.#lanes.get(budget.id);
    if (known === undefined) {
      const tuning = { limit, burst: budget.burst, spreadMs: this.#options.spreadMs };
      const lane = this.#make({ ...this.#options, ...tuning, budgetId: budget.id });
      this.#lanes.set(budget.id, { lane, tuning });
      return lane;
    }
    const { tuning } = known;
    const same =
      tuning.limit.calls === limit.calls && tuning.limit.windowMs === limit.windowMs && tuning.burst === budget.burst;
    if (!same) {
      known.tuning = { ...tuning, limit, burst: budget.burst };
      known.lane.retune(known.tuning);
    }
    return known.lane;
  }

  /** The lane of a budget, if it has been asked for before. */
  find(budgetId: string): Lane | undefined {
    return this.#lanes.get(budgetId)?.lane;
  }

  /** The budget is gone: whoever waits is refused with `shutting_down`. */
  async drop(budgetId: string): Promise<void> {
    const known = this.#lanes.get(budgetId);
    this.#lanes.delete(budgetId);
    await known?.lane.close();
  }

  /** What each lane looks like now, by budget. */
  *stats(): Generator<[budgetId: string, stats: LaneStats]> {
    for (const [budgetId, { lane }] of this.#lanes) yield [budgetId, lane.stats()];
  }

  /** Refuses all who wait, in every lane. */
  async close(): Promise<void> {
    const lanes = [...this.#lanes.values()];
    this.#lanes.clear();
    await Promise.all(lanes.map(({ lane }) => lane.close()));
  }

  #make(settings: LaneSettings): Lane {
    const { engine, clock } = this.#options;
    return engine === 'fair' ? new FairLane(settings, clock) : new BottleneckLane(settings, clock);
  }
}
