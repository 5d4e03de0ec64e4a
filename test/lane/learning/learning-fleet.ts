import type { RateLimit } from '../../../src/domain/budget.ts';
import type { KeptLearning, LearnedLimits } from '../../../src/domain/learning.ts';
import type { BudgetAsk } from '../../../src/lane/budget-act.ts';
import { Lanes } from '../../../src/lane/lanes.ts';
import { LimitKeeper } from '../../../src/lane/learning/limit-keeper.ts';
import { budgetStep } from '../../../src/lane/shared-slots.ts';
import type { SharedState } from '../../../src/lane/shared-state.ts';
import { redisKeys } from '../../../src/redis/keys.ts';
import type { RedisClient } from '../../../src/redis/redis-client.ts';
import type { RateLimiter } from '../../../src/simulator/limit/rate-limiter.ts';
import { EventClock } from '../../bench/simulate-fleet/event-clock.ts';

const BUDGET = { id: 'b', limit: undefined, burst: undefined, spreadMs: undefined };
const TO_REDIS_MS = 0.4;
const TO_MASON_MS = 20;
const stays = new AbortController().signal;

interface Life {
  isAlive: boolean;
}

interface Gateway extends Life {
  readonly id: string;
  readonly lanes: Lanes;
  readonly keeper: LimitKeeper;
}

/** Gateways that learn a limit together, Mason, Redis' twin and a store, in virtual time: all between them is real. */
export class LearningFleet {
  readonly clock = new EventClock();
  readonly gateways: Gateway[] = [];
  readonly takenAt: number[] = [];
  readonly refusedAt: number[] = [];
  readonly failed: unknown[] = [];
  readonly waitsMs: number[] = [];
  isRedisThere = true;
  judge: RateLimiter;
  #state: SharedState | undefined;
  #kept: KeptLearning | undefined;
  readonly #ears = new Set<(text: string) => void>();

  constructor(judge: RateLimiter) {
    this.judge = judge;
  }

  async start(...ids: string[]): Promise<void> {
    for (const id of ids) {
      const { clock } = this;
      const life = { isAlive: true };
      const keeper = new LimitKeeper(this.#store, clock, { gatewayId: id, pauseMsMax: 60_000, onProblem: () => {} });
      await keeper.look('b');
      const lanes = new Lanes({
        ...{ engine: 'fair', clock, waitingCallsMax: 10_000, waitingBytesMax: 1e6, pauseMsMax: 60_000, spreadMs: 10 },
        learners: keeper,
        redis: { client: this.#redis(life), gatewayId: id },
      });
      lanes.laneFor(BUDGET);
      this.gateways.push(Object.assign(life, { id, lanes, keeper }));
    }
  }

  find(id: string): Gateway {
    return this.gateways.findLast((one) => one.id === id) as Gateway;
  }

  /** Callers who come back after each answer. */
  keepBusy(id: string, callers: number): void {
    const gateway = this.find(id);
    const again = async () => {
      while (gateway.isAlive && (await this.#call(gateway)));
    };
    for (let i = 0; i < callers; i++) void again();
  }

  /** As after kill -9: not a word to anybody. */
  kill(id: string): void {
    this.find(id).isAlive = false;
  }

  async stop(id: string): Promise<void> {
    const gateway = this.find(id);
    gateway.isAlive = false;
    await gateway.lanes.close();
    await gateway.keeper[Symbol.asyncDispose]();
  }

  /** The store was empty, or older. */
  loseStore(): void {
    this.#kept = undefined;
  }

  /** As after FLUSHALL. */
  flush(): void {
    this.#state = undefined;
  }

  /** What an operator does, and what each gateway makes of it when the revision moves. */
  async forget(): Promise<void> {
    this.#kept = { state: '', generation: (this.#kept?.generation ?? 0) + 1, writer: '', writtenAt: 0 };
    await this.follow(undefined);
  }

  async follow(limit: RateLimit | undefined, spreadMs?: number): Promise<void> {
    for (const { isAlive, keeper, lanes } of this.gateways) {
      if (!isAlive) continue;
      if (limit === undefined) await keeper.look('b');
      lanes.laneFor({ ...BUDGET, limit, spreadMs });
    }
  }

  /** What `limit show` says at each gateway. */
  shown() {
    return this.gateways.filter(({ isAlive }) => isAlive).map(({ lanes }) => lanes.paceOf('b'));
  }

  get learner(): string {
    return this.#state?.learner ?? '';
  }

  taken(fromMs: number, toMs: number): number {
    return this.takenAt.filter((at) => at >= fromMs && at < toMs).length;
  }

  refused(fromMs: number, toMs = Number.POSITIVE_INFINITY): number {
    return this.refusedAt.filter((at) => at >= fromMs && at < toMs).length;
  }

  /** One call, as the walk makes it: it goes again as often as Mason refuses it. */
  async #call(gateway: Gateway): Promise<boolean> {
    const { clock } = this;
    const lane = gateway.lanes.find('b');
    try {
      if (lane === undefined) return false;
      using place = lane.join({ appId: 'app', weight: 1, urgency: 3, deadlineAt: clock.now() + 2e7, heldBytes: 1 });
      for (;;) {
        const turn = await place.turn(stays);
        if (!gateway.isAlive) return false;
        turn.sent();
        const sentAt = clock.now();
        await this.#after(TO_MASON_MS);
        const { accepted, retryAfterMs } = this.judge.take(clock.now());
        (accepted ? this.takenAt : this.refusedAt).push(clock.now());
        await this.#after(TO_MASON_MS);
        if (!gateway.isAlive) return false;
        const askedMs = accepted ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1_000)) * 1_000;
        const hearing = gateway.lanes.find('b') ?? lane;
        hearing.heard?.({ sentAt, refused: !accepted, askedMs, stated: [] });
        if (accepted) return true;
        hearing.pause(askedMs ?? 0);
      }
    } catch (error) {
      if (gateway.isAlive) this.failed.push(error);
      return false;
    }
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms, resolve));
  }

  get #store(): LearnedLimits {
    return {
      find: async () => this.#kept,
      keep: async (_, learning) => {
        if (learning.generation < (this.#kept?.generation ?? 0)) return false;
        this.#kept = learning;
        return true;
      },
      forget: async () => {},
    };
  }

  #redis(life: Life): RedisClient {
    const { clock } = this;
    const listen = (_channel: string, hear: (text: string) => void) => {
      this.#ears.add(hear);
      return { [Symbol.dispose]: () => {} };
    };
    const run = async (_script: unknown, [, , text, , newsHead]: string[]) => {
      const ask = JSON.parse(text as string) as BudgetAsk;
      if (!this.isRedisThere || (!life.isAlive && ask.stays !== 'leave')) throw new Error('no connection');
      // Whoever closes waits for this, and does not let time pass.
      if (ask.stays !== 'leave') await this.#after(TO_REDIS_MS);
      const { state, answer, news } = budgetStep(this.#state, 1e12 + clock.now(), ask);
      this.#state = state;
      if (news !== undefined) {
        const told = `${newsHead},${JSON.stringify(news).slice(1)}`;
        for (const hear of this.#ears) clock.after(TO_REDIS_MS, () => hear(told));
      }
      const said = JSON.stringify(answer);
      if (ask.stays !== 'leave') await this.#after(TO_REDIS_MS);
      return said;
    };
    return { keys: redisKeys('t:'), listen, run } as unknown as RedisClient;
  }
}
