import type { LeaveListener, LeaveSignal } from '../domain/lane.ts';

/**
 * Tells the steps of one call that it is over. What an `AbortSignal` does, at a tenth of its cost: that is an `EventTarget`,
 * and each call has one.
 */
export class CallSignal implements LeaveSignal {
  aborted = false;
  reason: unknown;
  /** Made anew with each change: a list that grows keeps room for sixteen more, and calls wait by the thousand. */
  #listeners: readonly LeaveListener[] = [];

  addEventListener(_type: 'abort', listener: LeaveListener): void {
    this.#listeners = this.#listeners.concat(listener);
  }

  removeEventListener(_type: 'abort', listener: LeaveListener): void {
    const at = this.#listeners.indexOf(listener);
    if (at !== -1) this.#listeners = this.#listeners.toSpliced(at, 1);
  }

  /** Only the first reason counts; each listener hears of it once. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) {
      if (typeof listener === 'function') listener();
      else listener.handleEvent();
    }
  }
}
