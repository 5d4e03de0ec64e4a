import { makeLimiter } from '../../../src/simulator/limit/make-limiter.ts';
import type { RateLimiter, Verdict } from '../../../src/simulator/limit/rate-limiter.ts';
import type { Random } from '../../../src/simulator/random.ts';
import type { FleetOptions } from './options.ts';

/** Mason's limits, one a budget, each with windows of a phase of its own. */
export class Mason {
  readonly #options: FleetOptions;
  readonly #random: Random;
  readonly #limiters = new Map<number, { limiter: RateLimiter; phaseMs: number }>();

  constructor(options: FleetOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** One call arrives. */
  judge(budget: number, now: number): Verdict {
    const { limiter, phaseMs } = this.#limiters.getOrInsertComputed(budget, () => this.#make());
    return limiter.take(now + phaseMs);
  }

  #make(): { limiter: RateLimiter; phaseMs: number } {
    const { kind, limit, depth } = this.#options;
    const { calls, windowMs } = limit;
    const limiter = makeLimiter(kind, calls, windowMs, kind === 'token-bucket' ? depth : undefined);
    return { limiter, phaseMs: this.#random.next() * windowMs };
  }
}
