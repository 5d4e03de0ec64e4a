import { SPREAD_MS_MIN, SPREAD_PART_MAX } from './pace.ts';

const GENERATION_MS = 30_000;
const OPERATIONS_MAX = 256;

/** A measured spread, milliseconds: at least 10, at most a tenth of the window. */
export function boundedSpread(measuredMs: number, windowMs: number): number {
  return Math.max(SPREAD_MS_MIN, Math.min(measuredMs, windowMs * SPREAD_PART_MAX));
}

/** A spread that somebody gave, milliseconds, as it counts in this window: at most a tenth of it. */
export function givenSpread(givenMs: number, windowMs: number): number {
  return Math.min(givenMs, windowMs * SPREAD_PART_MAX);
}

interface Range {
  min: number;
  max: number;
}

/**
 * The spread of the way to Mason, from what like calls took to their first byte: longest minus shortest over the last 30
 * to 60 seconds, the widest over all operations. Mason's own work is in it, so it errs to the careful side.
 */
export class Spread {
  #current = new Map<string, Range>();
  #previous = new Map<string, Range>();
  #generationEndsAt = 0;
  #widestMs = 0;

  /** The widest range of like calls, unbounded. */
  get widestMs(): number {
    return this.#widestMs;
  }

  /** Shortest time of all; undefined: nothing was seen. */
  get fastestMs(): number | undefined {
    let fastest = Number.POSITIVE_INFINITY;
    for (const ranges of [this.#current, this.#previous]) {
      for (const { min } of ranges.values()) fastest = Math.min(fastest, min);
    }
    return fastest === Number.POSITIVE_INFINITY ? undefined : fastest;
  }

  /** Takes note of one call. True when the spread became another. */
  observe(operation: string, firstByteMs: number, now: number): boolean {
    if (!(firstByteMs >= 0) || firstByteMs === Number.POSITIVE_INFINITY) return false;
    const before = this.#widestMs;
    if (now >= this.#generationEndsAt) this.#turnOver(now);
    const range = this.#current.get(operation);
    if (range !== undefined) {
      range.min = Math.min(range.min, firstByteMs);
      range.max = Math.max(range.max, firstByteMs);
    } else if (this.#current.size < OPERATIONS_MAX) {
      this.#current.set(operation, { min: firstByteMs, max: firstByteMs });
    }
    this.#widestMs = Math.max(this.#widestMs, this.#widthOf(operation));
    return this.#widestMs !== before;
  }

  /** Milliseconds, at least 10, at most a tenth of the window. */
  within(windowMs: number): number {
    return boundedSpread(this.#widestMs, windowMs);
  }

  #turnOver(now: number): void {
    const idleFor = now - this.#generationEndsAt;
    this.#previous = idleFor < GENERATION_MS ? this.#current : new Map();
    this.#current = new Map();
    this.#generationEndsAt = now + GENERATION_MS;
    this.#widestMs = 0;
    for (const operation of this.#previous.keys()) {
      this.#widestMs = Math.max(this.#widestMs, this.#widthOf(operation));
    }
  }

  #widthOf(operation: string): number {
    const a = this.#current.get(operation);
    const b = this.#previous.get(operation);
    if (a === undefined && b === undefined) return 0;
    const min = Math.min(a?.min ?? Number.POSITIVE_INFINITY, b?.min ?? Number.POSITIVE_INFINITY);
    return Math.max(a?.max ?? 0, b?.max ?? 0) - min;
  }
}
