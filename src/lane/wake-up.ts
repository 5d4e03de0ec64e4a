import { type Clock, DELAY_MS_MAX } from '../domain/clock.ts';

/** One timer, set only while somebody waits for it. */
export class WakeUp {
  readonly #clock: Clock;
  readonly #callback: () => void;
  #wakesAt = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  /** Calls back at `at` or earlier, when it was set for an earlier instant before: setting a timer anew costs more. */
  at(at: number, now: number): void {
    if (this.#cancel !== undefined && this.#wakesAt <= at) return;
    this.cancel();
    this.#wakesAt = at;
    // Node cuts fractions off a delay, and would wake up just before the slot.
    this.#cancel = this.#clock.after(Math.min(DELAY_MS_MAX, Math.ceil(at - now)), () => {
      this.#cancel = undefined;
      this.#callback();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
