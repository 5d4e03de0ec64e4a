import type { RateLimit } from '../domain/budget.ts';

/** How densely one lane may send, derived from the limit: numbers only, so that another clock can use the same. */
export interface Pace {
  /** Distance of slots when nothing but this lane's backlog decides. */
  readonly spacingMs: number;
  /** Calls that may leave at once after idleness. */
  readonly burstCalls: number;
  /** Distance of slots while a burst is younger than two horizons. */
  readonly burstSpacingMs: number;
  /** Most that the burst's account may be overdrawn by even pacing. */
  readonly burstDebtMsMax: number;
  /** A call counts for so long: the window and the spread of the way to Mason. */
  readonly horizonMs: number;
  /** Most calls within a horizon. */
  readonly horizonCallsMax: number;
  /** A slot may be used so long after its instant; what is later is not caught up. */
  readonly lateMsMax: number;
  /** Length of one bucket of the count over the horizon. */
  readonly bucketMs: number;
}

export const SPREAD_MS_MIN = 10;
/** Part of the window that a spread may take, measured or given: beyond it, one slow answer would cost more than a 429 does. */
export const SPREAD_PART_MAX = 1 / 10;
/** Part of the limit that even pacing uses; the rest pays for late slots and for counting in buckets. */
const PACE_PART = 0.98;
/**
 * With 64 buckets a horizon of even pace and its oldest bucket together stay below the limit; with 32 they do not, and
 * the pace stutters.
 */
const BUCKETS_PER_WINDOW = 64;
/** Below this, one call of rounding is more than 5 % of the limit: one call a window is left unused. */
const SMALL_LIMIT_CALLS_MAX = 20;
const UNHURRIED_SPACING_MS = 100;
const DEFAULT_BURST_CALLS_MAX = 10;

/**
 * The pace for a limit of L calls per window W, with a spread J of the way to Mason. Send instants chosen by it keep, in
 * every interval of length t, to at most 1 + (t + late) / spacing calls, or burst + t / burstSpacing around a burst. Both
 * are at most L for t = W + J: so fixed windows (whatever their phase) and sliding logs never refuse; and a straight line
 * through L at W also bounds the sliding counter's estimate, which weighs the window before this one.
 *
 * @param burst calls; undefined: 1 where the spacing is at most 100 ms, else a tenth of the limit, at most 10.
 * @param spreadMs 0 to the window.
 */
export function paceFor(limit: RateLimit, burst: number | undefined, spreadMs: number): Pace {
  const { calls, windowMs } = limit;
  const horizonMs = windowMs + spreadMs;
  const evenMs = horizonMs / (PACE_PART * calls);
  const lateMsMax = lateBound(calls, windowMs, horizonMs, evenMs);
  const spacingMs =
    calls === 1 ? (horizonMs + lateMsMax) / PACE_PART : Math.max(evenMs, (horizonMs + lateMsMax) / (calls - 1));

  const horizonCallsMax = calls <= SMALL_LIMIT_CALLS_MAX ? Math.max(1, calls - 1) : calls;
  const wanted = burst ?? defaultBurst(calls, spacingMs);
  const burstCalls = Math.max(1, Math.min(Math.floor(wanted), horizonCallsMax - 1));
  const burstSpacingMs = Math.max(spacingMs, (horizonMs + lateMsMax) / Math.max(1, horizonCallsMax - burstCalls));
  const overdrawnMs = burstSpacingMs * (1 + lateMsMax / spacingMs) + 2 * horizonMs * (burstSpacingMs / spacingMs - 1);
  return {
    spacingMs,
    burstCalls,
    burstSpacingMs,
    burstDebtMsMax: Math.max(burstCalls * burstSpacingMs, overdrawnMs),
    horizonMs,
    horizonCallsMax,
    lateMsMax,
    bucketMs: windowMs / BUCKETS_PER_WINDOW,
  };
}

/** What the 2 % leave over may be spent on late slots, up to two spacings or 20 ms and W/50; never less than W/200. */
function lateBound(calls: number, windowMs: number, horizonMs: number, evenMs: number): number {
  const most = Math.min(Math.max(2 * evenMs, 20), windowMs / 50);
  const leftOver = (((1 - PACE_PART) * calls - 1) * horizonMs) / (PACE_PART * calls);
  return Math.min(most, Math.max(leftOver, windowMs / 200));
}

/** A page with six calls on `60/60s` must not wait five seconds; where slots come fast, evenness is worth more. */
function defaultBurst(calls: number, spacingMs: number): number {
  if (spacingMs <= UNHURRIED_SPACING_MS) return 1;
  return Math.min(DEFAULT_BURST_CALLS_MAX, Math.max(1, calls / 10));
}
