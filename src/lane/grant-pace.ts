/** How a pace is kept by grants: so many calls at once, so far apart. */
export interface GrantPace {
  readonly calls: number;
  /** Whole milliseconds: Bottleneck counts in `Date.now()`, and its timers cut fractions off. */
  readonly minTimeMs: number;
}

/** A grant costs Redis three scripts, whatever it is good for. */
const MIN_TIME_MS_MIN = 20;
/** More calls at once would be too many for Mason where it counts by a shallow bucket. */
const MIN_TIME_MS_MAX = 30;

/** The grants that come closest to one call each `spacingMs`, and never faster. */
export function grantPace(spacingMs: number): GrantPace {
  let best: GrantPace = { calls: 1, minTimeMs: Math.max(1, Math.ceil(spacingMs)) };
  for (let minTimeMs = MIN_TIME_MS_MIN; minTimeMs <= MIN_TIME_MS_MAX; minTimeMs++) {
    const calls = Math.floor(minTimeMs / spacingMs);
    if (calls * best.minTimeMs > best.calls * minTimeMs || (calls > 1 && best.calls === 1)) best = { calls, minTimeMs };
  }
  return best;
}
