import type { LeaveSignal } from '../domain/lane.ts';

/**
 * Tells the steps of one call that it is over. What an `AbortSignal` does, at a tenth of its cost: that is an `EventTarget`,
 * and each call has one.
 */
export class CallSignal implements LeaveSignal {
  aborted = false;
  reason: unknown;
  readonly #listeners: (() => void)[] = [];

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at !== -1) this.#listeners.splice(at, 1);
  }

  /** Only the first reason counts; each listener hears of it once. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners.splice(0)) listener();
  }
}
