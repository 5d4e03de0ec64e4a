import { isEven, type Ledger, paceAt, pauseLedger, retuneLedger, spend, spendRun } from './ledger.ts';
import type { Pace } from './pace.ts';
import { WindowCount } from './window-count.ts';

const NEVER = Number.NEGATIVE_INFINITY;

/** A slot that was taken: what is needed to take it back. */
export interface TakenSlot {
  readonly at: number;
  readonly dueAt: number;
  /** What its source knows it by. */
  readonly turn: number;
  /** Undefined: the ledger is kept elsewhere. */
  readonly before: Ledger | undefined;
}

/**
 * When one gateway may send: pure arithmetic on instants that it is handed, in milliseconds of any one monotonic clock.
 * It asks no clock and sets no timer, so that a script in a shared store can do the same.
 */
export class Slots {
  #pace: Pace;
  #ledger: Ledger = { nextFreeAt: NEVER, burstDueAt: NEVER, evenFromAt: NEVER };
  #pausedUntil = NEVER;
  #turn = 0;
  readonly #window = new WindowCount();

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  get pace(): Pace {
    return this.#pace;
  }

  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Earliest instant at which a call may go. May lie in the past. */
  freeAt(now: number): number {
    this.#window.expire(now, this.#pace.horizonMs);
    return Math.max(
      paceAt(this.#ledger, this.#pace),
      this.#pausedUntil,
      this.#window.roomAt(this.#pace.horizonCallsMax, this.#pace.horizonMs),
    );
  }

  /**
   * Takes the slot that is free now. A slot that fell due while somebody waited keeps its place in the pace, so that late
   * timers cost nothing; but never more than `lateMsMax` are caught up.
   *
   * @param freeAt what {@link freeAt} answered for this `now`; not after it.
   * @param waitingSince since when somebody has waited without a break; `now` when nobody did.
   */
  take(now: number, freeAt: number, waitingSince: number): TakenSlot {
    const dueAt = dueFor(now, freeAt, waitingSince, this.#pace);
    const before = { ...this.#ledger };
    spend(this.#ledger, this.#pace, now, dueAt);
    this.#window.add(now, this.#pace.bucketMs);
    return { at: now, dueAt, turn: ++this.#turn, before };
  }

  /** Whether a slot given back may still be used now, by another call. */
  usable(slot: TakenSlot, now: number): boolean {
    return now - slot.dueAt <= this.#pace.lateMsMax && this.#pausedUntil <= now;
  }

  /** Moves a slot given back to a call that goes now; only when {@link usable}. */
  passOn(slot: TakenSlot, now: number): TakenSlot {
    this.#window.remove(slot.at);
    this.#window.add(now, this.#pace.bucketMs);
    return { ...slot, at: now };
  }

  /** Takes a slot back that nothing was sent in. Its place in the pace is lost once a later slot has been taken. */
  undo(slot: TakenSlot): void {
    this.#window.remove(slot.at);
    if (slot.turn === this.#turn && slot.before !== undefined) {
      this.#ledger = { ...slot.before };
      this.#turn++;
    }
  }

  /**
   * Instant of the slot with `index` others before it, when each is taken as soon as it comes. Exact as long as pace and
   * pause stay. Costs a step for each call of a burst, and some more.
   */
  nth(index: number, now: number, waitingSince: number): number {
    this.#window.expire(now, this.#pace.horizonMs);
    const { spacingMs, horizonMs, horizonCallsMax } = this.#pace;
    const roomAt = this.#window.roomForAt(index, horizonCallsMax, horizonMs, spacingMs);
    const ledger = { ...this.#ledger };
    for (let i = 0; ; i++) {
      i += spendRun(ledger, this.#pace, index - i, Math.max(now, this.#pausedUntil));
      const freeAt = Math.max(paceAt(ledger, this.#pace), this.#pausedUntil);
      const at = Math.max(freeAt, now);
      const dueAt = dueFor(at, freeAt, waitingSince, this.#pace);
      if (i === index) return Math.max(at, roomAt);
      spend(ledger, this.#pace, at, dueAt);
      if (isEven(ledger, this.#pace)) {
        return Math.max(now, ledger.nextFreeAt + (index - i - 1) * spacingMs, roomAt);
      }
    }
  }

  /** Calls that may leave at this instant. */
  countFree(now: number): number {
    let calls = 0;
    while (calls < this.#pace.burstCalls && this.nth(calls, now, now) <= now) calls++;
    return calls;
  }

  /** Nobody sends before `until`; what the idleness would have saved up for a burst is gone. */
  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
    pauseLedger(this.#ledger, this.#pace, until);
    this.#turn++;
  }

  /** Another pace from now on. What was sent before goes on counting; the next slot comes no later than by the new pace. */
  retune(pace: Pace, now: number): void {
    this.#pace = pace;
    retuneLedger(this.#ledger, pace, now, this.#pausedUntil);
    this.#turn++;
  }

  /** Calls sent in the `windowMs` before now, rounded up to whole buckets. */
  sentWithin(windowMs: number, now: number): number {
    return this.#window.since(now - windowMs);
  }

  /** Milliseconds until no call counts any more and nobody is paused, when nothing is sent. */
  freshInMs(now: number): number {
    return Math.max(0, this.#window.newestAt + this.#pace.horizonMs - now, this.#pausedUntil - now);
  }
}

function dueFor(now: number, freeAt: number, waitingSince: number, pace: Pace): number {
  return Math.max(freeAt, Math.min(waitingSince, now), now - pace.lateMsMax);
}
