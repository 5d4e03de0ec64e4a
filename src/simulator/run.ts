import { FaultPlan } from './faults/fault-plan.ts';
import { Idempotency } from './idempotency.ts';
import { type ApiKey, Keyring } from './keys.ts';
import { makeLimiter } from './limit/make-limiter.ts';
import type { RateLimiter, Verdict } from './limit/rate-limiter.ts';
import { Account } from './mason/account.ts';
import type { Range, SimulatorOptions } from './options.ts';
import { Random } from './random.ts';
import { RequestLog } from './record/request-log.ts';
import { Stats } from './record/stats.ts';

const WINDOW_MS_WITHOUT_LIMIT = 1000;

/** Everything a reset throws away. Calls that were under way then go on with the run they began in. */
export class Run {
  readonly options: SimulatorOptions;
  readonly keyring: Keyring;
  readonly account: Account;
  readonly faults = new FaultPlan();
  readonly idempotency = new Idempotency();
  readonly log: RequestLog;
  readonly stats: Stats;
  readonly #limiters = new Map<string, RateLimiter>();
  readonly #random: Random;

  constructor(options: SimulatorOptions) {
    this.options = options;
    this.keyring = new Keyring(options.keys);
    this.account = new Account(options);
    this.log = new RequestLog(options.keepRequests);
    this.stats = new Stats(options.limit?.windowMs ?? WINDOW_MS_WITHOUT_LIMIT, this.keyring.all());
    this.#random = Random.of(options.seed, 'delays', 0);
  }

  /** Counts a call against its limit; undefined without one. @param now monotonic, in milliseconds. */
  count(key: ApiKey, now: number): Verdict | undefined {
    const verdict = this.#limiter(key)?.take(now);
    this.stats.counted(key, verdict?.accepted ?? true, now);
    return verdict;
  }

  /** Milliseconds, from the seeded generator; 0 is the common case and takes nothing from it. */
  delay(range: Range): number {
    return range.max === 0 ? 0 : range.min + this.#random.next() * (range.max - range.min);
  }

  #limiter(key: ApiKey): RateLimiter | undefined {
    const { limit } = this.options;
    if (limit === undefined) return undefined;
    const counted = limit.scope === 'key' ? key.key : key.account;
    let limiter = this.#limiters.get(counted);
    if (limiter === undefined) {
      limiter = makeLimiter(limit.kind, limit.calls, limit.windowMs, limit.depth);
      this.#limiters.set(counted, limiter);
    }
    return limiter;
  }
}
