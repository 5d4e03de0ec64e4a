import { type Budget, type BudgetTuning, type RateLimit, sameLimit } from '../domain/budget.ts';
import type { Clock } from '../domain/clock.ts';
import type { Lane, LaneSettings, LaneStats, LaneTuning } from '../domain/lane.ts';
import type { Learning } from '../domain/learning.ts';
import type { RedisClient } from '../redis/redis-client.ts';
import { FairLane } from './fair-lane.ts';
import { FleetLearning } from './learning/fleet-learning.ts';
import type { KnownLearning } from './learning/known-learning.ts';
import { LearningLane, type WithOthers } from './learning/learning-lane.ts';
import { FIRST_LIMIT, LimitLearner } from './learning/limit-learner.ts';
import type { MakeLane } from './load-engine.ts';
import { RedisBudgets } from './redis-budgets.ts';

/**
 * For a budget whose limit nobody gave. Mason publishes none; ten calls a second is below what public APIs of its kind
 * commonly allow, and still serves a console that is clicked through. Whoever makes the budget's lane says so in the log.
 */
export const DEFAULT_LIMIT: RateLimit = { calls: 10, windowMs: 1_000 };

interface LanesOptions {
  /** From `loadEngine`. */
  readonly engine: 'fair' | MakeLane;
  readonly clock: Clock;
  /** Calls that may wait in one lane. */
  readonly waitingCallsMax: number;
  /** Bytes that the calls waiting in one lane may hold. */
  readonly waitingBytesMax: number;
  readonly pauseMsMax: number;
  /** Spread of the one-way delay to Mason, milliseconds, for all budgets that have none of their own; undefined: measured for each. */
  readonly spreadMs?: number | undefined;
  /** Shares the budgets with other gateways; undefined: this process alone sends from them. */
  readonly redis?: SharedThroughRedis | undefined;
  /** What was learnt of limits before; undefined: it is forgotten with the process. */
  readonly learners?: Learners | undefined;
}

/** Whoever keeps what is learnt. */
interface Learners {
  learnerOf(budgetId: string): LimitLearner;
  /** Calls were counted, or (`isLearnt`) something was learnt from them. */
  note(budgetId: string, isLearnt: boolean): void;
  /** How often what was learnt of it had been forgotten before the learner began. */
  generationOf(budgetId: string): number;
  /** The learner that goes on from what another gateway learnt, unless less is known there. */
  adopt(budgetId: string, known: KnownLearning): LimitLearner;
  /** Another gateway learns, and keeps what it knows. */
  letGo(budgetId: string): void;
  drop(budgetId: string): void;
}

interface KnownLane {
  readonly lane: Lane;
  tuning: LaneTuning;
  /** Around the lane, while nobody gives the limit. */
  learning: LearningLane | undefined;
  /** Undefined: this gateway is alone. */
  readonly fleet: FleetLearning | undefined;
}

interface SharedThroughRedis {
  readonly client: RedisClient;
  /** Unique among the gateways that share Redis, and the same after a restart. */
  readonly gatewayId: string;
  /** By how many a limit is divided while Redis has been away since this process began; 4. */
  readonly gatewaysExpected?: number | undefined;
}

/** Rather too many: with too few, all of them together would send more than Mason allows. */
const GATEWAYS_EXPECTED = 4;

/** The lanes of this gateway, one a budget. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #budgets: RedisBudgets | undefined;
  readonly #lanes = new Map<string, KnownLane>();

  constructor(options: LanesOptions) {
    this.#options = options;
    if (options.redis !== undefined && options.engine === 'fair')
      this.#budgets = new RedisBudgets(options.redis.client);
  }

  /** What a budget without a limit begins with; where it is not learnt, it stays. */
  get firstLimit(): RateLimit {
    return this.learns ? FIRST_LIMIT : DEFAULT_LIMIT;
  }

  /** Whether limits that nobody gave are learnt. */
  get learns(): boolean {
    return this.#options.engine === 'fair';
  }

  /** The lane of a budget: made when there is none, retuned when its limit, burst or spread is another than before. */
  laneFor(budget: Pick<Budget, 'id'> & BudgetTuning): Lane {
    const limit = budget.limit ?? this.firstLimit;
    const tuning = { limit, burst: budget.burst, spreadMs: budget.spreadMs ?? this.#options.spreadMs };
    const known = this.#lanes.get(budget.id) ?? this.#open(budget.id, tuning);
    const same = isSame(known.tuning, tuning);
    known.tuning = tuning;
    if (budget.limit === undefined && this.learns) return this.#learningLane(budget.id, known, same);
    if (!same || known.learning !== undefined) known.lane.retune(known.tuning);
    this.#given(budget.id, known);
    return known.lane;
  }

  /** The lane of a budget, if it has been asked for before. */
  find(budgetId: string): Lane | undefined {
    const known = this.#lanes.get(budgetId);
    return known?.learning ?? known?.lane;
  }

  /** What the lane of a budget tells of its limit; undefined: there is none. */
  paceOf(budgetId: string): { limit: RateLimit; spreadMs: number; learning: Learning | undefined } | undefined {
    const known = this.#lanes.get(budgetId);
    if (known === undefined) return undefined;
    const { limit, spreadMs } = known.lane.stats();
    return { limit, spreadMs, learning: known.learning?.view() };
  }

  /** The budget is gone: whoever waits is refused with `shutting_down`. */
  async drop(budgetId: string): Promise<void> {
    const known = this.#lanes.get(budgetId);
    this.#lanes.delete(budgetId);
    if (known !== undefined) this.#given(budgetId, known);
    await known?.lane.close();
    await this.#budgets?.remove(budgetId);
  }

  /** What each lane looks like now, by budget. */
  *stats(): Generator<[budgetId: string, stats: LaneStats]> {
    for (const [budgetId, { lane }] of this.#lanes) yield [budgetId, lane.stats()];
  }

  /** Refuses all who wait, in every lane. */
  async close(): Promise<void> {
    const lanes = [...this.#lanes.values()];
    this.#lanes.clear();
    await Promise.all(lanes.map(({ lane, learning }) => (learning ?? lane).close()));
    this.#budgets?.[Symbol.dispose]();
  }

  #open(id: string, tuning: LaneTuning): KnownLane {
    const fleet = this.#budgets && new FleetLearning(this.#options.redis?.gatewayId ?? '');
    const lane = this.#make({ ...this.#options, ...tuning, budgetId: id }, fleet);
    const known = { lane, tuning, learning: undefined, fleet };
    this.#lanes.set(id, known);
    return known;
  }

  #learningLane(budgetId: string, known: KnownLane, same: boolean): Lane {
    const { clock, pauseMsMax, learners } = this.#options;
    const learner =
      learners?.learnerOf(budgetId) ?? known.learning?.learner ?? new LimitLearner({ pauseMsMax }, clock.now());
    if (known.learning?.learner !== learner) {
      known.learning?.[Symbol.dispose]();
      const onNews = (isLearnt: boolean) => learners?.note(budgetId, isLearnt);
      const fleet = this.#withOthers(budgetId, known, learner);
      known.learning = new LearningLane(known.lane, learner, known.tuning, { clock, pauseMsMax, onNews, fleet });
    } else if (!same) {
      known.learning.retune(known.tuning);
    }
    return known.learning;
  }

  #withOthers(budgetId: string, { fleet }: KnownLane, learner: LimitLearner): WithOthers | undefined {
    const { learners } = this.#options;
    return (
      fleet && {
        learning: fleet,
        generation: learners?.generationOf(budgetId) ?? 0,
        adopt: (known) => learners?.adopt(budgetId, known) ?? learner,
        letGo: () => learners?.letGo(budgetId),
      }
    );
  }

  /** Nothing is learnt of it any more. */
  #given(budgetId: string, known: KnownLane): void {
    if (known.learning === undefined) return;
    known.learning[Symbol.dispose]();
    known.learning = undefined;
    this.#options.learners?.drop(budgetId);
  }

  #make(settings: LaneSettings, learning: FleetLearning | undefined): Lane {
    const { engine, clock, redis } = this.#options;
    if (engine !== 'fair') return engine(settings, clock, redis?.client);
    if (redis === undefined || this.#budgets === undefined) return new FairLane(settings, clock);
    const { gatewayId, gatewaysExpected = GATEWAYS_EXPECTED } = redis;
    return new FairLane(settings, clock, {
      store: this.#budgets.storeOf(settings.budgetId),
      gatewayId,
      gatewaysExpected,
      learning,
    });
  }
}

function isSame(a: LaneTuning, b: LaneTuning): boolean {
  return sameLimit(a.limit, b.limit) && a.burst === b.burst && a.spreadMs === b.spreadMs;
}
