import type { LaneStats, LaneTuning } from '../domain/lane.ts';
import type { Pace } from './pace.ts';
import type { TakenSlot } from './slots.ts';

/**
 * Where a lane's slots come from: this process alone, or a budget shared with other gateways. Instants are those of the
 * lane's clock.
 */
export interface SlotSource {
  readonly tuning: LaneTuning;
  readonly spreadMs: number;
  readonly pace: Pace;
  readonly pausedUntil: number;
  /** Weights of the apps that wait at all gateways together; 0: nobody knows more than the line itself. */
  readonly weights: number;
  /** Earliest instant at which a call may go. May lie in the past; never does while the slots are yet to come. */
  freeAt(now: number): number;
  /** Takes the slot that is free now: {@link Slots.take}. */
  take(now: number, freeAt: number, waitingSince: number): TakenSlot;
  /** Whether a slot given back may still be used now, by another call. */
  usable(slot: TakenSlot, now: number): boolean;
  /** Moves a slot given back to a call that goes now; only when {@link usable}. */
  passOn(slot: TakenSlot, now: number): TakenSlot;
  /** Takes a slot back that nothing was sent in. */
  undo(slot: TakenSlot, now: number): void;
  /** Instant of the slot with `index` others before it, when each is taken as soon as it comes. */
  nth(index: number, now: number, waitingSince: number): number;
  /** Calls that may leave at this instant. */
  countFree(now: number): number;
  /** Calls sent in the `windowMs` before now. */
  sentWithin(windowMs: number, now: number): number;
  /** Milliseconds until no call counts any more and nobody is paused, when nothing is sent. */
  freshInMs(now: number): number;
  /** Nobody sends before `until`. */
  pause(until: number, now: number): void;
  /** Another limit, burst or spread from now on. */
  tune(tuning: LaneTuning, now: number): void;
  /** Takes note of a time to first byte. True when the pace became another by it. */
  observe(operation: string, firstByteMs: number, now: number): boolean;
  /** Looks at the line again: somebody is ready, or nobody any more. */
  follow(now: number): void;
  view(): Pick<LaneStats, 'mode' | 'gateways' | 'roundTripMs' | 'asked'>;
  close(): Promise<void>;
}
