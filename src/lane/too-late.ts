import type { FairQueue } from './fair-queue.ts';
import type { SlotSource } from './slot-source.ts';
import type { Waiter } from './waiter.ts';

/** Two sums of the same spacings may differ by rounding; nobody is refused for that. */
export const ROUNDING_MS = 0.001;

/**
 * Who cannot go in time any more, each with the instant of the turn it would get, when all go in their order and those
 * who are too late make way. Costs about a microsecond for each call that waits.
 */
export function whoIsTooLate<W extends Waiter<W>>(
  queue: FairQueue<W>,
  slots: SlotSource,
  now: number,
  waitingSince: number,
): [waiter: W, goesAt: number][] {
  const tooLate: [W, number][] = [];
  let before = 0;
  for (const waiter of queue.inOrder()) {
    const goesAt = slots.nth(before, now, waitingSince);
    if (goesAt <= waiter.call.deadlineAt + ROUNDING_MS) before++;
    else tooLate.push([waiter, goesAt]);
  }
  return tooLate;
}
