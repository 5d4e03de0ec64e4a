import type { LaneTuning } from '../../domain/lane.ts';
import type { Learning, RateAnswer } from '../../domain/learning.ts';
import { beginEpisode, continueEpisode, type Episode, type Lesson, lessonOf } from './episode.ts';
import { type Again, fallen } from './falling.ts';
import { HorizonCounts } from './horizon-counts.ts';
import { type KeptState, type LearnerMemory, stateOf, wakenState } from './kept-state.ts';
import { describeLearning } from './learning-view.ts';
import { type Level, tightest, tuningFor, withLevel } from './level.ts';
import { provingMs, risen } from './rising.ts';
import { StatedLimits } from './stated-limits.ts';

/** Where nothing is known. */
export const FIRST_LIMIT = { calls: 5, windowMs: 1_000 } as const;

const REFUSALS_KEPT = 8;
/** Without a word of Mason's on how long to wait: half as long again as so far, at most this. */
const BLIND_WAIT_MS_MIN = 500;
const BLIND_WAIT_MS_MAX = 300_000;
const BLIND_WAIT_PART = 0.5;

interface LearnerOptions {
  /** A longer wait is believed when Mason says it twice. */
  readonly pauseMsMax: number;
}

/**
 * Learns a limit that nobody told. A pure state machine on instants: it asks no clock and sets no timer.
 *
 * **Attribution.** A refusal says that a limit is reached, and not which: 60 calls a second and 1,000 an hour refuse alike.
 * Taking every limit for one a second long would race to the end of an hour's allowance within minutes, wait for the rest
 * of the hour, and begin again. So calls are counted over six windows, from a second to a day, and a refusal is put down to
 * the shortest one that can explain it: Mason asks to wait until its window has room, so the window is not shorter than
 * that wait; and where calls are refused again and again, and none is taken between, not shorter than from the first of
 * them to the end of the last one's wait. Too short a guess is put right by the next refusal, which costs one more; too
 * long a guess would keep a budget all but unused for a window, so the shortest is taken. What was counted over that window
 * is its limit, as far as anybody can tell; a little less of it is held from now on. Other windows keep what was learnt of
 * them: several limits bind at once, and the lane keeps the tightest, evenly, which keeps the others too.
 *
 * **Rising.** Only while calls wait, and only when the level was used: a tenth a second as long as nothing was refused;
 * later, rarely, one slot and then a few more above what is held, for at least a window each. A probe that is refused falls
 * back to what was held, and the next one waits longer. Falling happens with the refusal itself.
 */
export class LimitLearner {
  readonly #options: LearnerOptions;
  readonly #counts = new HorizonCounts();
  readonly #memory: LearnerMemory;
  #stated: StatedLimits;
  #episode: Episode | undefined;
  /** When a refusal was heard of: what was sent by then was on its way already, and teaches nothing more. */
  #noticedAt = Number.NEGATIVE_INFINITY;
  /** Until then the count over the tightest window is kept here. */
  #countsUntil = Number.NEGATIVE_INFINITY;
  #waitedSince: number | undefined;
  #version = 0;

  /** @param kept what an earlier learner knew, `ageMs` ago. */
  constructor(options: LearnerOptions, now: number, kept?: { readonly state: KeptState; readonly ageMs: number }) {
    this.#options = options;
    const woken = kept === undefined ? undefined : wakenState(kept.state, now, kept.ageMs);
    this.#memory = woken?.memory ?? {
      levels: [firstLevel(now)],
      lastFall: undefined,
      refusals: [],
      refusalsSeen: 0,
      waitsUntil: Number.NEGATIVE_INFINITY,
    };
    this.#stated = new StatedLimits(kept?.state.said);
    if (woken !== undefined) this.#counts.restore(woken.counts, now - woken.ageMs);
  }

  /** Grows whenever the limit or the wait becomes another. */
  get version(): number {
    return this.#version;
  }

  /** Answers 429 that were heard of. */
  get refusalsSeen(): number {
    return this.#memory.refusalsSeen;
  }

  /** Nobody sends before this instant. */
  get waitsUntil(): number {
    return this.#memory.waitsUntil;
  }

  /** The limit in force, as the lane takes it. */
  tuning(burst: number | undefined): Pick<LaneTuning, 'limit' | 'burst'> {
    const tuning = tuningFor(this.#memory.levels, burst);
    // While nothing is taken, one call is enough to see whether anything is again.
    return this.#episode === undefined ? tuning : { ...tuning, burst: 1 };
  }

  /** A call is sent; `waiting`: others wait for their turn. */
  sent(now: number, waiting: boolean): void {
    this.count(now, 1);
    this.rise(now, waiting);
  }

  /** Calls were sent, here or at another gateway. */
  count(at: number, calls: number): void {
    this.#counts.add(at, calls);
    this.#keepCount(at);
  }

  /** Goes a step up where it is time for one. All that was sent until `now` must have been counted. */
  rise(now: number, waiting: boolean): void {
    if (!waiting || this.#episode !== undefined) {
      this.#waitedSince = undefined;
      return;
    }
    this.#waitedSince ??= now;
    const level = risen(tightest(this.#memory.levels), this.#counts, this.#waitedSince, now);
    if (level === undefined) return;
    this.#memory.levels = withLevel(this.#memory.levels, level);
    this.#version++;
  }

  /** Mason answered. */
  heard({ sentAt, refused, askedMs, stated }: RateAnswer, now: number): void {
    this.#hearStated(stated, refused, now);
    if (refused) this.#refused(sentAt, askedMs, now);
    else this.#taken(sentAt, now);
  }

  /** For people. */
  view(now: number, epochMs: number): Learning {
    return describeLearning(this.#memory, this.#episode !== undefined, now, epochMs);
  }

  /** All there is to keep over a restart. */
  state(now: number): KeptState {
    return stateOf(this.#memory, this.#stated.said, this.#counts.kept(now), now);
  }

  #hearStated(stated: RateAnswer['stated'], refused: boolean, now: number): void {
    if (stated.length === 0) return;
    const levels = this.#stated.hear(stated, now);
    if (levels !== undefined) {
      this.#memory.levels = levels;
      this.#countsUntil = now + tightest(levels).windowMs;
      this.#version++;
    }
    if (refused) return;
    for (const { remaining, resetMs = 0 } of stated) if (remaining === 0) this.#waitForWindow(resetMs, now);
  }

  /** Nothing is left of a window that began before its limit was known; later ones are kept by the pace. */
  #waitForWindow(resetMs: number, now: number): void {
    const { from, since, windowMs } = tightest(this.#memory.levels);
    if (from === 'stated' && now - since < windowMs) this.#wait(now + Math.min(resetMs, this.#options.pauseMsMax));
  }

  #refused(sentAt: number, askedMs: number | undefined, now: number): void {
    this.#memory.refusalsSeen++;
    this.#counts.remove(sentAt);
    if (sentAt <= this.#noticedAt) return;
    this.#noticedAt = now;
    const known = this.#episode;
    if (known === undefined) {
      this.#episode = beginEpisode(this.#counts, this.#memory.levels, sentAt, askedMs);
      this.#waitedSince = undefined;
    } else {
      continueEpisode(known, sentAt, askedMs);
    }
    this.#learn(this.#episode as Episode, known !== undefined, now);
    this.#wait(now + this.#waitAfter(this.#episode as Episode, now));
  }

  #learn(episode: Episode, isSame: boolean, now: number): void {
    const memory = this.#memory;
    const tight = tightest(episode.levels);
    const lesson = lessonOf(episode, tight);
    if (lesson === undefined) return;
    if (!isSame && this.#isFull(tight, lesson, now)) {
      this.#countsUntil = now + tight.windowMs;
      this.#keepCount(now);
      return;
    }
    const again = isSame ? (memory.lastFall?.again ?? NOT_AGAIN) : this.#again(episode.sentAt);
    memory.levels = fallen(episode.levels, lesson, again, now);
    memory.lastFall = { sentAt: episode.sentAt, resumedAt: now, provingMs: provingMs(tightest(memory.levels)), again };
    const noted = { at: now, askedMs: episode.askedMs, ...lesson };
    memory.refusals = [noted, ...memory.refusals.slice(isSame ? 1 : 0, REFUSALS_KEPT - 1)];
    this.#version++;
  }

  /** What was sent before the level was known still counts at Mason: it is right, and its window is full. */
  #isFull({ windowMs, calls, from, since }: Level, lesson: Lesson, now: number): boolean {
    return from !== 'assumed' && windowMs === lesson.windowMs && now - since < windowMs && lesson.taken >= calls;
  }

  /** The lane counts only what it sent since it has the limit. */
  #keepCount(now: number): void {
    if (now >= this.#countsUntil) return;
    const { windowMs, calls } = tightest(this.#memory.levels);
    this.#wait(this.#counts.roomAt(windowMs, Math.floor(calls)));
  }

  /** Whether the last fall was not enough: then this one must be deeper. */
  #again(sentAt: number): Again {
    const last = this.#memory.lastFall;
    if (last === undefined || sentAt - last.resumedAt > last.provingMs) return NOT_AGAIN;
    const lengthMs = sentAt - last.sentAt;
    const takenRate = lengthMs > 0 ? this.#counts.before(sentAt, lengthMs) / lengthMs : 0;
    return { falls: last.again.falls + 1, takenRate };
  }

  /** Mason's word counts up to a bound, and whole when it was said twice; without a word, longer each time. */
  #waitAfter({ askedMs, rounds, sentAt }: Episode, now: number): number {
    if (askedMs !== undefined) return rounds > 1 ? askedMs : Math.min(askedMs, this.#options.pauseMsMax);
    if (rounds === 1) return 0;
    return Math.max(BLIND_WAIT_MS_MIN, Math.min(BLIND_WAIT_MS_MAX, BLIND_WAIT_PART * (now - sentAt)));
  }

  #wait(until: number): void {
    if (until <= this.#memory.waitsUntil) return;
    this.#memory.waitsUntil = until;
    this.#version++;
  }

  #taken(sentAt: number, now: number): void {
    if (this.#episode === undefined || sentAt <= this.#noticedAt) return;
    this.#episode = undefined;
    const { lastFall, levels } = this.#memory;
    if (lastFall === undefined) return;
    // What is held is tried from now on only.
    this.#memory.lastFall = { ...lastFall, resumedAt: now };
    this.#memory.levels = levels.map((level) => ({ ...level, since: now }));
    this.#version++;
  }
}

const NOT_AGAIN: Again = { falls: 0, takenRate: 0 };

function firstLevel(now: number): Level {
  return {
    ...FIRST_LIMIT,
    from: 'assumed',
    takenBefore: undefined,
    since: now,
    steps: 0,
    probeEveryMs: 0,
  };
}
