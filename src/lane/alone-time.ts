import type { RateLimit } from '../domain/budget.ts';
import type { LaneStats } from '../domain/lane.ts';
import type { Pace } from './pace.ts';
import { paceFor } from './pace.ts';
import { Slots } from './slots.ts';

/** The time in which the shared budget cannot be reached: silent at first, then alone with a part of the limit. */
export class AloneTime {
  #fromAt = Number.NaN;
  #pace: Pace | undefined;
  #slots: Slots | undefined;

  /** The shared budget is out of reach. */
  get lost(): boolean {
    return !Number.isNaN(this.#fromAt);
  }

  /** Slots of its own, once it is alone. */
  get slots(): Slots | undefined {
    return this.#slots;
  }

  /** Instant from which it is alone; Infinity: it has no part of the limit. */
  get fromAt(): number {
    return this.#pace === undefined ? Number.POSITIVE_INFINITY : this.#fromAt;
  }

  get spacingMs(): number {
    return this.#pace?.spacingMs ?? 0;
  }

  mode(now: number): LaneStats['mode'] {
    if (!this.lost) return 'shared';
    return now < this.#fromAt ? 'silent' : 'alone';
  }

  begin(fromAt: number, pace: Pace | undefined): void {
    if (this.lost) return;
    this.#fromAt = fromAt;
    this.#pace = pace;
  }

  /** Its own slots begin without a burst: what the silence would have saved up was not its own. */
  follow(now: number): void {
    if (this.#slots !== undefined || this.#pace === undefined || !(now >= this.#fromAt)) return;
    this.#slots = new Slots(this.#pace);
    this.#slots.pause(this.#fromAt);
  }

  retune(pace: Pace | undefined, now: number): void {
    this.#pace = pace;
    if (pace === undefined) this.#slots = undefined;
    else this.#slots?.retune(pace, now);
  }

  over(): void {
    this.#fromAt = Number.NaN;
    this.#pace = undefined;
    this.#slots = undefined;
  }
}

/** The pace of a gateway's own part of the limit; undefined when there are more gateways than calls. */
export function paceAlone(
  calls: number,
  limit: RateLimit,
  burst: number | undefined,
  spreadMs: number,
): Pace | undefined {
  if (calls < 1) return undefined;
  return paceFor({ calls, windowMs: limit.windowMs }, burst, spreadMs);
}
