/**
 * Calls within a horizon, counted in buckets: bounded memory for any limit. A bucket opens with its first call and
 * counts until its last one has aged, so the count never is too low, and is exact where calls are farther apart than a
 * bucket is long.
 */
export class WindowCount {
  readonly #opens: number[] = [];
  readonly #lasts: number[] = [];
  readonly #counts: number[] = [];
  #total = 0;

  /** Calls counted; those that aged since the last {@link expire} included. */
  get total(): number {
    return this.#total;
  }

  /** Instant of the newest call, or -Infinity. */
  get newestAt(): number {
    return this.#lasts.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  /** Counts calls at `at`, usually not before those counted so far: then it costs least. */
  add(at: number, bucketMs: number, calls = 1): void {
    let i = this.#counts.length - 1;
    while (i >= 0 && (this.#opens[i] as number) > at) i--;
    if (i >= 0 && at - (this.#opens[i] as number) < bucketMs) {
      this.#lasts[i] = Math.max(at, this.#lasts[i] as number);
      (this.#counts[i] as number) += calls;
    } else {
      this.#opens.splice(i + 1, 0, at);
      this.#lasts.splice(i + 1, 0, at);
      this.#counts.splice(i + 1, 0, calls);
    }
    this.#total += calls;
  }

  /** Takes back a call counted at `at`; nothing happens when it has aged. */
  remove(at: number): void {
    for (let i = this.#counts.length - 1; i >= 0; i--) {
      if ((this.#opens[i] as number) > at) continue;
      if ((this.#lasts[i] as number) < at || this.#counts[i] === 0) return;
      (this.#counts[i] as number)--;
      this.#total--;
      return;
    }
  }

  /** The buckets: first instant, last instant and number of calls of each. */
  buckets(): [opens: number, last: number, calls: number][] {
    return this.#counts.map((calls, i) => [this.#opens[i] as number, this.#lasts[i] as number, calls]);
  }

  /** Forgets what is as old as the horizon. */
  expire(now: number, horizonMs: number): void {
    while (this.#lasts.length > 0 && (this.#lasts[0] as number) + horizonMs <= now) {
      this.#total -= this.#counts.shift() as number;
      this.#opens.shift();
      this.#lasts.shift();
    }
  }

  /** Calls at or after `from`, a bucket's rounding up. */
  since(from: number): number {
    let calls = 0;
    for (let i = this.#counts.length - 1; i >= 0 && (this.#lasts[i] as number) > from; i--) {
      calls += this.#counts[i] as number;
    }
    return calls;
  }

  /** Instant from which `callsMax` leaves room for one more call; -Infinity when it does now. */
  roomAt(callsMax: number, horizonMs: number): number {
    let over = this.#total - callsMax;
    let at = Number.NEGATIVE_INFINITY;
    for (let i = 0; over >= 0 && i < this.#counts.length; i++) {
      over -= this.#counts[i] as number;
      at = (this.#lasts[i] as number) + horizonMs;
    }
    return at;
  }

  /** Like {@link roomAt} for the call with `index` more before it, all of them `spacingMs` apart at least. */
  roomForAt(index: number, callsMax: number, horizonMs: number, spacingMs: number): number {
    let first = callsMax - this.#total;
    let at = Number.NEGATIVE_INFINITY;
    for (let i = 0; first <= index && i < this.#counts.length; i++) {
      const behind = index - Math.max(0, first);
      at = Math.max(at, (this.#lasts[i] as number) + horizonMs + behind * spacingMs);
      first += this.#counts[i] as number;
    }
    return at;
  }
}
