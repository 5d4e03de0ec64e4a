import type { LaneShare, LaneStats } from '../domain/lane.ts';
import type { FairPlace } from './fair-place.ts';
import type { FairQueue } from './fair-queue.ts';
import type { SlotSource } from './slot-source.ts';

/** What a fair lane looks like to one app. */
export function shareOf(
  queue: FairQueue<FairPlace>,
  slots: SlotSource,
  { appId, weight }: { appId: string; weight: number },
  now: number,
): LaneShare {
  const { windowMs } = slots.tuning.limit;
  const calls = (windowMs / slots.pace.spacingMs) * queue.shareOf(appId, weight, slots.weights);
  return {
    calls: Math.max(1, Math.floor(calls)),
    windowMs,
    remaining: queue.ready > 0 ? 0 : slots.countFree(now),
    // What counts beyond the window is our own care; the window itself is what callers are told of.
    resetMs: Math.min(slots.freshInMs(now), Math.max(windowMs, slots.pausedUntil - now)),
  };
}

/** What a fair lane looks like from outside. */
export function statsOf(queue: FairQueue<FairPlace>, slots: SlotSource, sent: number, now: number): LaneStats {
  const { limit } = slots.tuning;
  return {
    limit,
    waiting: queue.waiting,
    waitingBytes: queue.waitingBytes,
    sent,
    used: slots.sentWithin(limit.windowMs, now) / limit.calls,
    spreadMs: slots.spreadMs,
    pausedUntil: slots.pausedUntil > now ? slots.pausedUntil : 0,
    ...slots.view(),
  };
}
