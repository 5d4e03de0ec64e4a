import { HORIZONS_MS, type HorizonCounts } from './horizon-counts.ts';
import type { Level } from './level.ts';

/** Retry-After is rounded up to whole seconds, and waits begin a little late. */
const HORIZON_SLACK = 1.02;
/** Below this, one call more or less is half of all: a longer window tells more. */
const TELLING_CALLS_MIN = 2;
/** The lane uses 0.98 of what it is given, less the spread of the way. */
const FULL_PART = 0.85;

/** Refusals without a call that was taken between them: one lesson, that becomes clearer with each. */
export interface Episode {
  /** When the first refused call was sent, and what had been taken then over each horizon. */
  readonly sentAt: number;
  readonly taken: readonly number[];
  /** What was in force before. */
  readonly levels: readonly Level[];
  /** Refusals that were not on their way together. */
  rounds: number;
  /** The window is at least this long. */
  spanMs: number;
  askedMs: number | undefined;
}

export function beginEpisode(
  counts: HorizonCounts,
  levels: readonly Level[],
  sentAt: number,
  askedMs: number | undefined,
): Episode {
  return {
    sentAt,
    taken: HORIZONS_MS.map((horizonMs) => counts.before(sentAt, horizonMs)),
    levels,
    rounds: 1,
    spanMs: askedMs ?? 0,
    askedMs,
  };
}

/** Refused again, and nothing was taken since: the window reaches from the first refusal to where Mason says it ends. */
export function continueEpisode(episode: Episode, sentAt: number, askedMs: number | undefined): void {
  episode.rounds++;
  episode.askedMs = askedMs;
  episode.spanMs = Math.max(episode.spanMs, sentAt - episode.sentAt + (askedMs ?? 0));
}

/** What an episode teaches: the window that it is put down to, and how many calls were too many for it. */
export interface Lesson {
  readonly windowMs: number;
  readonly taken: number;
}

/**
 * What is known to be all but used up explains a refusal better than a shorter window of which nothing is known.
 *
 * @param tight the tightest level in force
 * @returns undefined: nothing of ours was taken in the window, so that others must have used it up
 */
export function lessonOf({ taken, spanMs }: Episode, tight: Level): Lesson | undefined {
  const last = HORIZONS_MS.length - 1;
  let at = HORIZONS_MS.findIndex((horizonMs) => horizonMs * HORIZON_SLACK >= spanMs);
  if (at < 0) at = last;
  while (at < last && takenIn(taken, at) < TELLING_CALLS_MIN && takenIn(taken, at + 1) > takenIn(taken, at)) at++;
  const known = HORIZONS_MS.findIndex((horizonMs) => horizonMs >= tight.windowMs);
  if (known > at && tight.from !== 'assumed' && takenIn(taken, known) >= FULL_PART * tight.calls) at = known;
  const calls = takenIn(taken, at);
  return calls === 0 ? undefined : { windowMs: HORIZONS_MS[at] as number, taken: calls };
}

function takenIn(taken: readonly number[], at: number): number {
  return taken[at] ?? 0;
}
