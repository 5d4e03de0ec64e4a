import type { RateLimit } from '../../domain/budget.ts';
import type { HorizonCounts } from './horizon-counts.ts';
import { type Level, rateOf } from './level.ts';

/** Never refused so far: a tenth more each second. */
const SEARCH_EVERY_MS = 1_000;
const SEARCH_PART = 0.1;
/**
 * Above what was refused once: two in a hundred, then four with each step that is taken. A higher one would have more calls
 * refused before the first refusal is heard of.
 */
const PROBE_PART = 0.02;
const PROBE_PART_MAX = 0.04;
/** Part of what the pace allows that must have been used, or a higher one would prove nothing. */
const USED_PART_MIN = 0.8;
const PROVING_MS_MIN = 30_000;
const PROVING_CALLS_MIN = 50;
const PROBE_AFTER_PROVINGS = 6;
const PROBE_EVERY_GROWTH_MAX = 5;
const PROBE_LATER_TIMES = 3;
const GROWN_STEPS_MIN = 4;

/**
 * How long a level must last before it counts as taken. A window long: fixed windows refuse at their end only. At least
 * half a minute, and some calls: a bucket that was full takes a while to run dry.
 */
export function provingMs(limit: RateLimit): number {
  return Math.max(leastMs(limit), limit.windowMs);
}

/** How long a level is held at first before a little more is tried. */
export function firstProbeMs(limit: RateLimit): number {
  return Math.max(PROBE_AFTER_PROVINGS * leastMs(limit), 2 * limit.windowMs);
}

/** A probe that failed makes the next one wait longer; one that went far means that the limit is another now. */
export function nextProbeMs(level: Level): number {
  const first = firstProbeMs(level);
  return level.steps > GROWN_STEPS_MIN
    ? first
    : Math.min(PROBE_LATER_TIMES * level.probeEveryMs, PROBE_EVERY_GROWTH_MAX * first);
}

/** What to hold when a probe is refused: two steps back, because a full bucket hides a step that was too high. */
export function beforeProbe({ calls, steps }: Level): number {
  const back = steps > 1 ? (1 + stepPart(steps - 1)) * (1 + stepPart(steps - 2)) : 1 + stepPart(0);
  return calls / back;
}

function stepPart(steps: number): number {
  return Math.min(PROBE_PART_MAX, PROBE_PART * 2 ** Math.min(steps, 10));
}

function leastMs(limit: RateLimit): number {
  return Math.max(PROVING_MS_MIN, PROVING_CALLS_MIN / rateOf(limit));
}

/** Instant from which the level may rise; undefined for one that Mason states. */
export function risesAt(level: Level): number | undefined {
  if (level.from === 'stated') return undefined;
  if (level.from === 'assumed') return level.since + SEARCH_EVERY_MS;
  return level.since + (level.steps > 0 ? provingMs(level) : level.probeEveryMs);
}

/**
 * The level one step up; undefined while it is not time, or not enough was sent to learn anything from it.
 *
 * @param waitedSince since when somebody waited at each send
 */
export function risen(level: Level, counts: HorizonCounts, waitedSince: number, now: number): Level | undefined {
  const at = risesAt(level);
  if (at === undefined || now < at) return undefined;
  const usedForMs = level.from === 'assumed' ? SEARCH_EVERY_MS : provingMs(level);
  if (now - waitedSince < usedForMs) return undefined;
  const allowed = rateOf(level) * usedForMs;
  if (counts.before(now, usedForMs) < USED_PART_MIN * allowed) return undefined;
  const part = level.from === 'assumed' ? SEARCH_PART : stepPart(level.steps);
  return {
    ...level,
    calls: level.calls * (1 + part),
    since: now,
    steps: level.steps + 1,
  };
}
