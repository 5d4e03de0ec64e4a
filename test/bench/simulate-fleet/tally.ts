const ALWAYS = 0.99;

/** For how long somebody waited, from `fromMs` on. */
export class WaitingTime {
  readonly #fromMs: number;
  #waiting = 0;
  #since = 0;
  #waitedMs = 0;

  constructor(fromMs: number) {
    this.#fromMs = fromMs;
  }

  begin(now: number): void {
    if (this.#waiting++ === 0) this.#since = now;
  }

  end(now: number): void {
    if (--this.#waiting === 0) this.#waitedMs += this.#waitedUntil(now);
  }

  /** Whether somebody waited nearly all the time. */
  wasAlways(until: number): boolean {
    const waitedMs = this.#waitedMs + (this.#waiting > 0 ? this.#waitedUntil(until) : 0);
    return waitedMs >= ALWAYS * (until - this.#fromMs);
  }

  #waitedUntil(now: number): number {
    return Math.max(0, now - Math.max(this.#since, this.#fromMs));
  }
}

/** What became of the calls of one app to one budget, in the measured part of the run. */
export class AppTally {
  readonly waiting: WaitingTime;
  /** Milliseconds in line of each call that Mason took. */
  readonly waitsMs: number[] = [];
  turnedAway = 0;

  constructor(fromMs: number) {
    this.waiting = new WaitingTime(fromMs);
  }
}

/** What became of the calls to one budget. */
export class BudgetTally {
  readonly #fromMs: number;
  readonly waiting: WaitingTime;
  readonly apps = new Map<number, AppTally>();
  /** Calls that Mason took in the measured part. */
  accepted = 0;
  /** Answers 429 of Mason's, from the first call on; and of those the ones in the measured part. */
  refused = 0;
  refusedLater = 0;

  constructor(fromMs: number) {
    this.#fromMs = fromMs;
    this.waiting = new WaitingTime(fromMs);
  }

  app(app: number): AppTally {
    return this.apps.getOrInsertComputed(app, () => new AppTally(this.#fromMs));
  }

  beginWait(app: number, now: number): void {
    this.waiting.begin(now);
    this.app(app).waiting.begin(now);
  }

  endWait(app: number, now: number): void {
    this.waiting.end(now);
    this.app(app).waiting.end(now);
  }
}
