import type { BudgetAnswer, BudgetAsk, BudgetNews } from '../../../src/lane/budget-act.ts';
import type { BudgetStore } from '../../../src/lane/budget-store.ts';
import { budgetStep } from '../../../src/lane/shared-slots.ts';
import type { SharedState } from '../../../src/lane/shared-state.ts';
import type { Random } from '../../../src/simulator/random.ts';
import type { EventClock } from './event-clock.ts';

/** Redis' own clock is another than the gateways'. */
const REDIS_EPOCH_MS = 1_790_000_000_000;
/**
 * What an ask costs Redis' one thread, milliseconds: measured on the script itself. It reads and writes the whole key, so
 * it costs more with each gateway that the budget knows and each app that waits at one of them.
 */
const ASK_MS = 0.05;
const MEMBER_MS = 0.003;
const APP_MS = 0.0008;

export interface RedisOptions {
  /** Mean; each way takes half of it, give or take a half. */
  readonly redisRttMs: number;
  /** Of the measured processor time; 0: it costs nothing. */
  readonly redisCost: number;
}

interface KeptBudget {
  state: SharedState | undefined;
  readonly listeners: Set<(news: BudgetNews) => void>;
}

/** One Redis for all budgets, without Redis: the twin of its script, done one ask after the other, behind a network. */
export class OneRedis {
  readonly #clock: EventClock;
  readonly #options: RedisOptions;
  readonly #random: Random;
  readonly #budgets = new Map<number, KeptBudget>();
  readonly #asksOfSecond: number[] = [];
  #busyUntil = 0;
  #busyMs = 0;
  #asksForNothing = 0;
  #membersMost = 0;

  constructor(clock: EventClock, options: RedisOptions, random: Random) {
    this.#clock = clock;
    this.#options = options;
    this.#random = random;
  }

  /** Asks that arrived, by the second of the run. */
  get asksOfSecond(): readonly number[] {
    return this.#asksOfSecond;
  }

  /** Asks of gateways that needed no slot: they keep a lease, or give slots back. */
  get asksForNothing(): number {
    return this.#asksForNothing;
  }

  /** Processor time spent; more than the run took: asks wait for Redis. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** Most gateways that one budget knew. */
  get membersMost(): number {
    return this.#membersMost;
  }

  storeOf(budget: number): BudgetStore {
    const kept = this.#budgets.getOrInsertComputed(budget, () => ({ state: undefined, listeners: new Set() }));
    return {
      ask: (ask) => new Promise((resolve) => this.#travels(() => this.#arrives(kept, ask, resolve))),
      listen: (listener) => {
        const hear = (news: BudgetNews) => this.#travels(() => listener(news));
        kept.listeners.add(hear);
        return () => kept.listeners.delete(hear);
      },
    };
  }

  #travels(arrives: () => void): void {
    const oneWayMs = (this.#options.redisRttMs / 2) * (0.5 + this.#random.next());
    this.#clock.at(this.#clock.now() + oneWayMs, arrives);
  }

  #arrives(kept: KeptBudget, ask: BudgetAsk, resolve: (answer: BudgetAnswer) => void): void {
    const now = this.#clock.now();
    const second = Math.floor(now / 1_000);
    this.#asksOfSecond[second] = (this.#asksOfSecond[second] ?? 0) + 1;
    if (ask.wants === 0) this.#asksForNothing++;
    const begins = Math.max(now, this.#busyUntil);
    const costMs = this.#options.redisCost * costOf(kept.state);
    this.#busyUntil = begins + costMs;
    this.#busyMs += costMs;
    const step = () => {
      const answer = this.#step(kept, ask);
      this.#clock.at(begins + costMs, () => this.#travels(() => resolve(answer)));
    };
    if (begins > now) this.#clock.at(begins, step);
    else step();
  }

  #step(kept: KeptBudget, ask: BudgetAsk): BudgetAnswer {
    const { state, answer, news } = budgetStep(kept.state, REDIS_EPOCH_MS + this.#clock.now(), ask);
    kept.state = state;
    this.#membersMost = Math.max(this.#membersMost, state?.members.length ?? 0);
    if (news !== undefined) for (const listener of kept.listeners) listener(news);
    return answer;
  }
}

function costOf(state: SharedState | undefined): number {
  let costMs = ASK_MS;
  for (const { apps } of state?.members ?? []) costMs += MEMBER_MS + apps.length * APP_MS;
  return costMs;
}
