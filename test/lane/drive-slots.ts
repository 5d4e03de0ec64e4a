import type { Slots } from '../../src/lane/slots.ts';

/**
 * Sends calls that come at the given instants as a lane does: at once when a slot is free, otherwise at the next wake-up,
 * which is late by what `lateMs` says.
 *
 * @returns the instants of sending.
 */
export function driveSlots(slots: Slots, comingAt: readonly number[], lateMs: () => number): number[] {
  const sentAt: number[] = [];
  let next = 0;
  let waiting = 0;
  let waitingSince = 0;
  let wakeAt = Number.POSITIVE_INFINITY;
  while (next < comingAt.length || waiting > 0) {
    const comes = comingAt[next] ?? Number.POSITIVE_INFINITY;
    const now = Math.min(comes, wakeAt);
    if (comes <= wakeAt) {
      next++;
      if (waiting === 0) waitingSince = now;
      waiting++;
      if (waiting > 1) continue;
    }
    let freeAt = slots.freeAt(now);
    while (waiting > 0 && freeAt <= now) {
      slots.take(now, freeAt, waitingSince);
      sentAt.push(now);
      waiting--;
      freeAt = slots.freeAt(now);
    }
    wakeAt = waiting > 0 ? freeAt + lateMs() : Number.POSITIVE_INFINITY;
  }
  return sentAt;
}
