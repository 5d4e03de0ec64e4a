import type { Lesson } from './episode.ts';
import { type Level, rateOf, tightest, withLevel } from './level.ts';
import { beforeProbe, firstProbeMs, nextProbeMs, provingMs } from './rising.ts';

/** The lane's pace uses 0.98 of what it is given: together 0.97 of what was too much. */
const HOLD_PART = 0.99;
/** Every fall is at least so deep. */
const FALL_PART = 0.97;
/** What did not last falls by this part of the way to what Mason was seen to take. */
const FIRST_DOWN_PART = 0.25;
const DOWN_PART = 0.5;
/** A count near to what the pace allowed says nothing but the pace. */
const TELLING_PART = 0.8;

/** How a refusal stands to the one before. */
export interface Again {
  /** How many falls have not been enough, one after the other; 0: the level before had lasted. */
  readonly falls: number;
  /** Calls a millisecond that Mason took since the refusal before, the wait included. */
  readonly takenRate: number;
}

/**
 * The levels after a refusal, always with a lower rate than before. What had been taken in the window is the best guess at
 * its limit: too high by as much as the pace was, where windows are fixed or a bucket was full. So a level that does not
 * last falls on towards what Mason was seen to take since the refusal before, which is too low, because the wait is in it;
 * but no lower than to a count that the pace does not explain: such a count is the limit itself.
 */
export function fallen(levels: readonly Level[], lesson: Lesson, again: Again, now: number): readonly Level[] {
  const tight = tightest(levels);
  const isProbe = tight.from === 'learnt' && tight.steps > 0;
  const before = isProbe ? withLevel(levels, heldAgain(tight, now)) : levels;
  const { windowMs, taken } = lesson;
  const calls = Math.max(1, heldAfter(lesson, tight, isProbe, again));
  const known = before.find((level) => level.windowMs === windowMs && level.from === 'learnt');
  // What was guessed may be too careful: then a little more is tried soon.
  const probeEveryMs = again.falls > 0 ? provingMs({ calls, windowMs }) : firstProbeMs({ calls, windowMs });
  const level: Level = {
    windowMs,
    calls,
    from: 'learnt',
    takenBefore: taken,
    since: now,
    steps: 0,
    probeEveryMs: isProbe && known !== undefined ? known.probeEveryMs : probeEveryMs,
  };
  return withLevel(before, level);
}

/** How many calls to hold in the window of the lesson. */
function heldAfter({ windowMs, taken }: Lesson, tight: Level, isProbe: boolean, again: Again): number {
  const before = rateOf(tight) * windowMs;
  const counted = HOLD_PART * taken;
  if (isProbe) return Math.min(counted, (beforeProbe(tight) / tight.windowMs) * windowMs);
  if (again.falls === 0) return Math.min(counted, tight.from === 'assumed' ? before : FALL_PART * before);
  const down = again.falls === 1 ? FIRST_DOWN_PART : DOWN_PART;
  const between = before - down * Math.max(0, before - again.takenRate * windowMs);
  const telling = counted < TELLING_PART * before ? counted : 0;
  return Math.min(FALL_PART * before, Math.max(telling, between));
}

function heldAgain(level: Level, now: number): Level {
  return { ...level, calls: beforeProbe(level), since: now, steps: 0, probeEveryMs: nextProbeMs(level) };
}
