import type { RateLimit } from '../../domain/budget.ts';
import type { LaneTuning } from '../../domain/lane.ts';
import type { LearntLevel } from '../../domain/learning.ts';

const CALLS_MAX = 1_000_000;
const WINDOW_MS_MAX = 86_400_000;
const FEW_CALLS_MAX = 20;
/** A burst beyond the even pace is never larger by the lane's own rule. */
const DEFAULT_BURST_CALLS_MAX = 10;

/** One limit in force, and where it stands on its way up. Instants are those of the learner. */
export interface Level {
  readonly windowMs: number;
  /** With a fraction, so that small steps add up; at least 1. */
  readonly calls: number;
  readonly from: LearntLevel['from'];
  readonly takenBefore: number | undefined;
  /** Since when it is what it is; after a refusal, since calls are taken again. */
  readonly since: number;
  /** Steps taken above what was held. */
  readonly steps: number;
  /** How long it is held before a little more is tried. */
  readonly probeEveryMs: number;
}

/** Calls a millisecond. */
export function rateOf({ calls, windowMs }: RateLimit): number {
  return calls / windowMs;
}

/** What decides about an even pace: within its window it also keeps all the others, bursts aside. */
export function tightest(levels: readonly Level[]): Level {
  return levels.reduce((tight, level) => (rateOf(level) < rateOf(tight) ? level : tight));
}

/** What the lane is to keep: the tightest limit, evenly, with bursts that no shorter window would notice. */
export function tuningFor(levels: readonly Level[], burst: number | undefined): Pick<LaneTuning, 'limit' | 'burst'> {
  const tight = tightest(levels);
  if (tight.calls <= FEW_CALLS_MAX) return { limit: stretched(tight), burst: 1 };
  const limit = limitOf(tight);
  let most = Number.POSITIVE_INFINITY;
  for (const level of levels) {
    // What nothing speaks against is no reason to hold back.
    if (level.windowMs >= tight.windowMs || level.from === 'assumed') continue;
    most = Math.min(most, Math.floor(level.calls - rateOf(tight) * level.windowMs));
  }
  if (burst !== undefined) return { limit, burst: Math.max(1, Math.min(burst, most)) };
  if (most >= DEFAULT_BURST_CALLS_MAX) return { limit, burst: undefined };
  return { limit, burst: Math.max(1, Math.min(most, Math.floor(limit.calls / 10))) };
}

/** The same rate over a longer window: the lane leaves one call of a small limit unused, and knows no parts of calls. */
function stretched({ calls, windowMs }: Level): RateLimit {
  const times = Math.min(Math.ceil((1.5 * FEW_CALLS_MAX) / calls), Math.floor(WINDOW_MS_MAX / windowMs));
  return { calls: Math.max(1, Math.round(calls * times)), windowMs: windowMs * times };
}

export function limitOf({ calls, windowMs }: Level): RateLimit {
  return { calls: Math.min(CALLS_MAX, Math.max(1, Math.round(calls))), windowMs };
}

/** The levels with this one in the place of that of its window, shortest window first. */
export function withLevel(levels: readonly Level[], level: Level): readonly Level[] {
  return [...levels.filter(({ windowMs }) => windowMs !== level.windowMs), level].sort(
    (a, b) => a.windowMs - b.windowMs,
  );
}
