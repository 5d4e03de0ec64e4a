import { WindowCount } from '../window-count.ts';

/** The windows that a limit may have, as far as we tell them apart: a second to a day. */
export const HORIZONS_MS = [1_000, 10_000, 60_000, 900_000, 3_600_000, 86_400_000] as const;

const BUCKETS_PER_HORIZON = 64;
/** Answers tell of calls that were sent a while ago: counts reach back by so much more. */
const ANSWERED_WITHIN_MS = 2_000;
/** Shorter windows have passed before a gateway is up again. */
const KEPT_HORIZON_MS_MIN = 60_000;

/** Bucket by bucket: how long ago its last call was, in milliseconds, and how many there are. */
export type KeptCounts = readonly (readonly [horizonMs: number, buckets: readonly (readonly [number, number])[]])[];

/** Calls that Mason took, or has not answered yet, counted over each horizon. */
export class HorizonCounts {
  readonly #counts = HORIZONS_MS.map((horizonMs) => ({ horizonMs, window: new WindowCount() }));

  add(at: number, calls = 1): void {
    for (const { horizonMs, window } of this.#counts) {
      window.expire(at, horizonMs + ANSWERED_WITHIN_MS);
      window.add(at, horizonMs / BUCKETS_PER_HORIZON, calls);
    }
  }

  /** It was refused. Who tells of it may have noted the instant a little later than it was counted. */
  remove(at: number): void {
    for (const { window } of this.#counts) {
      const bucket = window.buckets().findLast(([opens]) => opens <= at);
      if (bucket !== undefined) window.remove(Math.min(at, bucket[1]));
    }
  }

  /** Calls of the last `lengthMs` before `at`, which is not long ago; up to 2 % too many. */
  before(at: number, lengthMs: number): number {
    const window = this.#over(lengthMs);
    // What was sent after `at` is counted finely, or one long bucket would take all that came shortly before with it.
    const after = (this.#counts[0] as Counted).window.since(at);
    return Math.max(0, window.since(at - lengthMs) - after);
  }

  /** Instant from which `callsMax` in `lengthMs` leave room for one more; in the past when they do now. */
  roomAt(lengthMs: number, callsMax: number): number {
    return this.#over(lengthMs).roomAt(callsMax, lengthMs);
  }

  kept(now: number): KeptCounts {
    return this.#counts
      .filter(({ horizonMs }) => horizonMs >= KEPT_HORIZON_MS_MIN)
      .map(({ horizonMs, window }) => {
        window.expire(now, horizonMs);
        return [
          horizonMs,
          window.buckets().map(([, last, calls]) => [Math.max(0, Math.round(now - last)), calls] as const),
        ];
      });
  }

  #over(lengthMs: number): WindowCount {
    return (this.#counts.find(({ horizonMs }) => horizonMs >= lengthMs) ?? (this.#counts.at(-1) as Counted)).window;
  }

  restore(kept: KeptCounts, now: number): void {
    for (const [ofMs, buckets] of kept) {
      const counted = this.#counts.find(({ horizonMs }) => horizonMs === ofMs);
      for (const [ageMs, calls] of buckets) counted?.window.add(now - ageMs, ofMs / BUCKETS_PER_HORIZON, calls);
    }
  }
}

interface Counted {
  readonly horizonMs: number;
  readonly window: WindowCount;
}
