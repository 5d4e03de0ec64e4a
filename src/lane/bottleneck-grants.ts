import { type Clock, DELAY_MS_MAX } from '../domain/clock.ts';
import { toRedisFailure } from '../redis/redis-failure.ts';
import { Limiter, type LimiterRedis } from './bottleneck-limiter.ts';
import type { GrantPace } from './grant-pace.ts';

interface GrantsOptions {
  readonly budgetId: string;
  readonly clock: Clock;
  readonly redis: LimiterRedis | undefined;
  readonly pace: GrantPace;
  /** So many calls may go now. */
  readonly onGrant: (calls: number) => void;
  /** A gateway tells the others that nobody may send for so long. */
  readonly onPause: (durationMs: number) => void;
}

/** How long Redis may take to make a limiter, or to book a grant. */
const ANSWER_MS_MAX = 2_000;
/** A booked grant comes within this and {@link GRANTS_BEFORE_MAX} grants of others, or what is kept of the budget is wrong. */
const GRANT_MS_MAX = 5_000;
const GRANTS_BEFORE_MAX = 256;
const RENEW_MS = 250;
/** A clock of this machine that jumps by more would leave a limiter in process waiting for the old time. */
const CLOCK_JUMP_MS_MAX = 1_000;

/**
 * Grants of a limiter, with the rule that whatever fails or takes too long ends the limiter, and another is made: of its
 * failures some last for ever otherwise. Who waits does not notice but for the time.
 */
export class BottleneckGrants {
  readonly #options: GrantsOptions;
  #pace: GrantPace;
  #limiter: Limiter | undefined;
  #usable = false;
  #lost = false;
  #wanted = 0;
  readonly #outstanding = new Set<{ cancelWatch: () => void }>();
  #grantedAt = Number.NEGATIVE_INFINITY;
  #clockAhead = 0;
  #cancelTimer: () => void = () => {};
  /** Refusals of what is kept of the budget, since the last grant. */
  #refusals = 0;
  #asked = 0;
  #roundTripMs = 0;
  #closed = false;

  constructor(options: GrantsOptions) {
    this.#options = options;
    this.#pace = options.pace;
    this.#open(false);
  }

  /** Whether grants can be asked for: on Redis, whether the limiter there works. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Whether it failed, and cannot be asked yet. */
  get lost(): boolean {
    return this.#lost && !this.#usable;
  }

  get outstanding(): number {
    return this.#outstanding.size;
  }

  get asked(): number {
    return this.#asked;
  }

  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  /** Asks for grants until so many are outstanding, now or once it can. */
  want(count: number): void {
    this.#wanted = count;
    if (!this.#usable || this.#closed) return;
    if (this.#outstanding.size < count && this.#clockJumped()) this.#renew(false);
    while (this.#usable && this.#outstanding.size < this.#wanted) this.#ask();
  }

  retune(pace: GrantPace): void {
    if (pace.minTimeMs === this.#pace.minTimeMs) return;
    this.#pace = pace;
    if (this.#usable) this.#tellPace();
    // One that waits for its last grant to age may wait by another pace now.
    else if (this.#limiter === undefined && !this.#closed) this.#renew(false);
  }

  /** Tells every gateway that nobody may send for so long. */
  tellPause(durationMs: number): void {
    if (this.#options.redis !== undefined && this.#usable) this.#limiter?.say(String(Math.ceil(durationMs)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  #open(clear: boolean): void {
    const { budgetId, redis, clock, onPause } = this.#options;
    this.#clockAhead = clock.epochMs() - clock.now();
    const { minTimeMs } = this.#pace;
    const limiter: Limiter = new Limiter({
      budgetId,
      redis,
      minTimeMs,
      clear,
      onReady: () => {
        if (this.#limiter !== limiter) return;
        this.#cancelTimer();
        this.#usable = true;
        if (minTimeMs !== this.#pace.minTimeMs) this.#tellPace();
        this.want(this.#wanted);
      },
      onFailure: (error) => this.#failureOf(limiter)(error),
      onMessage: (message) => {
        const durationMs = Number(message);
        if (durationMs > 0 && this.#limiter === limiter) onPause(durationMs);
      },
    });
    this.#limiter = limiter;
    // In process it needs no answer from anybody.
    this.#usable = redis === undefined;
    if (redis !== undefined) this.#cancelTimer = clock.after(ANSWER_MS_MAX, () => this.#renew(false));
  }

  #ask(): void {
    const { clock, onGrant } = this.#options;
    const grant = { cancelWatch: clock.after(ANSWER_MS_MAX, () => this.#renew(false)) };
    this.#outstanding.add(grant);
    this.#asked++;
    const askedAt = clock.now();
    // What it is good for was decided by the pace that it was booked at.
    const { calls } = this.#pace;
    this.#limiter?.ask(
      () => {
        if (!this.#outstanding.has(grant)) return;
        grant.cancelWatch();
        // Two questions, one after the other.
        this.#roundTripMs = (clock.now() - askedAt) / 2;
        const withinMs = Math.min(DELAY_MS_MAX, GRANT_MS_MAX + GRANTS_BEFORE_MAX * this.#pace.minTimeMs);
        grant.cancelWatch = clock.after(withinMs, () => this.#renew(true));
      },
      () => {
        if (!this.#outstanding.delete(grant)) return;
        grant.cancelWatch();
        this.#grantedAt = clock.now();
        this.#refusals = 0;
        onGrant(calls);
      },
    );
  }

  #tellPace(): void {
    const limiter = this.#limiter;
    limiter?.setMinTime(this.#pace.minTimeMs).catch(this.#failureOf(limiter));
  }

  #failureOf(limiter: Limiter): (error: unknown) => void {
    return (error) => {
      if (this.#limiter !== limiter || this.#closed) return;
      // Redis answered, and does not understand what it has of this budget: a second time it must forget it.
      if (!toRedisFailure(error).away) this.#refusals++;
      this.#renew(this.#refusals > 1);
    };
  }

  /** Makes another limiter; not before this gateway's next grant is due, in case nobody remembers the last one. */
  #renew(clear: boolean): void {
    const { clock } = this.#options;
    this.#lost = true;
    void this.#end();
    const dueMs = this.#grantedAt + this.#pace.minTimeMs - clock.now();
    this.#cancelTimer = clock.after(Math.min(DELAY_MS_MAX, Math.max(RENEW_MS, dueMs)), () => this.#open(clear));
  }

  async #end(): Promise<void> {
    const limiter = this.#limiter;
    this.#limiter = undefined;
    this.#usable = false;
    this.#cancelTimer();
    for (const { cancelWatch } of this.#outstanding) cancelWatch();
    this.#outstanding.clear();
    await limiter?.end();
  }

  #clockJumped(): boolean {
    const { clock, redis } = this.#options;
    return redis === undefined && Math.abs(clock.epochMs() - clock.now() - this.#clockAhead) > CLOCK_JUMP_MS_MAX;
  }
}
