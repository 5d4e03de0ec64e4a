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

  /** Counts a call at `at`, not before the calls counted so far. */
  add(at: number, bucketMs: number): void {
    const last = this.#counts.length - 1;
    if (last >= 0 && at - (this.#opens[last] as number) < bucketMs) {
      this.#lasts[last] = Math.max(at, this.#lasts[last] as number);
      (this.#counts[last] as number)++;
    } else {
      this.#opens.push(at);
      this.#lasts.push(at);
      this.#counts.push(1);
    }
    this.#total++;
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
