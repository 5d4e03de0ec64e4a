import type { StatedLimit } from '../../domain/learning.ts';
import { HORIZONS_MS } from './horizon-counts.ts';
import type { Level } from './level.ts';

const STATEMENTS_MAX = 8;

/** What Mason's answers state of its limits: they win over every guess, until they state something else. */
export class StatedLimits {
  /** What was stated last, in one word: the same again says nothing new. */
  #said: string;
  /** The longest time to a window's end that was seen, by the calls stated: the window is no shorter. */
  readonly #longestResetMs = new Map<number, number>();

  constructor(said = '') {
    this.#said = said;
  }

  get said(): string {
    return this.#said;
  }

  /** The levels that take the place of all others; undefined when nothing new was stated. */
  hear(stated: readonly StatedLimit[], now: number): readonly Level[] | undefined {
    const limits = stated.slice(0, STATEMENTS_MAX).flatMap((one) => this.#limitOf(one) ?? []);
    const said = limits.map(({ calls, windowMs }) => `${calls}/${windowMs}`).join(' ');
    if (said === '' || said === this.#said) return undefined;
    this.#said = said;
    return limits
      .map(({ calls, windowMs }): Level => {
        const more = { takenBefore: undefined, since: now, steps: 0, probeEveryMs: 0 };
        return { windowMs, calls, from: 'stated', ...more };
      })
      .sort((a, b) => a.windowMs - b.windowMs);
  }

  #limitOf({ calls, windowMs, resetMs }: StatedLimit): { calls: number; windowMs: number } | undefined {
    if (windowMs !== undefined) return { calls, windowMs };
    if (resetMs === undefined) return undefined;
    const longest = Math.max(resetMs, this.#longestResetMs.get(calls) ?? 0);
    if (this.#longestResetMs.size >= STATEMENTS_MAX) this.#longestResetMs.clear();
    this.#longestResetMs.set(calls, longest);
    const fitting = HORIZONS_MS.find((horizonMs) => horizonMs >= longest);
    return longest === 0 || fitting === undefined ? undefined : { calls, windowMs: fitting };
  }
}
