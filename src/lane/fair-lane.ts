import type { Clock } from '../domain/clock.ts';
import type {
  Lane,
  LaneCall,
  LaneSettings,
  LaneShare,
  LaneStats,
  LaneTuning,
  LeaveSignal,
  Place,
  Turn,
} from '../domain/lane.ts';
import type { SharedBy } from './budget-store.ts';
import { FairPlace, FairTurn, type PlaceKeeper } from './fair-place.ts';
import { FairQueue } from './fair-queue.ts';
import { shareOf, statsOf } from './lane-view.ts';
import { LocalSlots } from './local-slots.ts';
import { makeRoom } from './make-room.ts';
import { callerGone, deadlineUnreachable, heldIn, laneClosed, queueFull } from './refusals.ts';
import { SharedSource } from './shared-source.ts';
import type { SlotSource } from './slot-source.ts';
import type { TakenSlot } from './slots.ts';
import { ROUNDING_MS, whoIsTooLate } from './too-late.ts';
import { WakeUp } from './wake-up.ts';

/** Late joiners may push others back; how often these are told that they cannot make it any more. */
const SWEEP_EVERY_MS = 200;

/** The lane of engine `fair`: slots of one spacing, handed at the last moment to whoever's turn it is. */
export class FairLane implements Lane, PlaceKeeper {
  readonly #settings: LaneSettings;
  readonly #clock: Clock;
  readonly #queue = new FairQueue<FairPlace>();
  readonly #slots: SlotSource;
  readonly #wakeUp: WakeUp;
  #waitingSince = 0;
  /** Whether somebody may have been pushed beyond the deadline since the last look. */
  #pushedBack = false;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #sent = 0;
  #closed = false;

  /** @param sharedBy undefined: this process alone sends from the budget. */
  constructor(settings: LaneSettings, clock: Clock, sharedBy?: SharedBy) {
    this.#settings = settings;
    this.#clock = clock;
    const handOut = () => this.#handOut(this.#clock.now());
    this.#slots =
      sharedBy === undefined
        ? new LocalSlots(settings)
        : new SharedSource(settings, clock, sharedBy, this.#queue, handOut);
    this.#wakeUp = new WakeUp(clock, handOut);
  }

  join(call: LaneCall): Place {
    if (this.#closed) throw laneClosed();
    const now = this.#clock.now();
    const queue = this.#queue;
    const app = queue.lineOf(call.appId, call.weight);
    const place = new FairPlace(this, call, app, queue.nextSeniority());
    if (queue.waiting > 0 || call.deadlineAt < now || this.#slots.freeAt(now) > now) {
      const goesAt = this.#predict(place, now);
      if (goesAt > call.deadlineAt) throw this.#tooLate(place, goesAt, now);
    }
    const { waitingCallsMax, waitingBytesMax } = this.#settings;
    if (queue.waiting >= waitingCallsMax || queue.waitingBytes + call.heldBytes > waitingBytesMax) {
      this.#displaceFor(place, now);
    }
    queue.join(place);
    place.inLine = true;
    if (queue.waiting > 1) this.#pushedBack = true;
    return place;
  }

  ask(place: FairPlace, signal: LeaveSignal): Promise<Turn> {
    if (place.asksForTurn) return Promise.reject(new Error('a place asks for one turn at a time'));
    if (this.#closed) return Promise.reject(laneClosed());
    if (place.refusal !== undefined) return Promise.reject(place.refusal);
    if (signal.aborted || place.disposed) {
      this.#takeOut(place);
      return Promise.reject(callerGone(signal.reason));
    }
    const now = this.#clock.now();
    if (!place.inLine) {
      place.returning = true;
      this.#queue.join(place);
      place.inLine = true;
      this.#pushedBack = true;
    }
    const nobodyReady = this.#queue.ready === 0;
    if (nobodyReady) {
      const freeAt = this.#slots.freeAt(now);
      if (freeAt <= now && place.call.deadlineAt >= now) {
        this.#takeOut(place);
        this.#sent++;
        return Promise.resolve(new FairTurn(this, this.#slots.take(now, freeAt, now)));
      }
    }
    const goesAt = this.#predict(place, now);
    if (goesAt > place.call.deadlineAt + ROUNDING_MS) {
      this.#takeOut(place);
      return Promise.reject(this.#tooLate(place, goesAt, now));
    }
    this.#queue.makeReady(place);
    const turn = place.wait(signal);
    // With others ready the clock is set; handing out here would pile up turns that none could use before all have joined.
    if (nobodyReady) {
      this.#waitingSince = now;
      this.#handOut(now);
    } else {
      this.#slots.follow(now);
    }
    return turn;
  }

  leave(place: FairPlace, reason?: unknown): void {
    place.disposed = true;
    // Nearly always: it has had its turn. An error with its stack would cost more than the turn did.
    if (!place.inLine && !place.asksForTurn) return;
    this.#refuse(place, callerGone(reason));
  }

  giveBack(slot: TakenSlot): void {
    this.#sent--;
    const now = this.#clock.now();
    if (this.#queue.ready > 0 && this.#slots.usable(slot, now)) {
      this.#grantNext(this.#slots.passOn(slot, now));
    } else {
      this.#slots.undo(slot, now);
      this.#handOut(now);
    }
  }

  share(appId: string, weight: number): LaneShare {
    return shareOf(this.#queue, this.#slots, { appId, weight }, this.#clock.now());
  }

  pause(durationMs: number): void {
    if (!(durationMs > 0)) return;
    const now = this.#clock.now();
    this.#slots.pause(now + Math.min(durationMs, this.#settings.pauseMsMax), now);
    this.#refuseWhoIsTooLate(now);
    this.#handOut(now);
  }

  observe(operation: string, firstByteMs: number): void {
    if (this.#slots.observe(operation, firstByteMs, this.#clock.now())) this.#pushedBack = true;
  }

  retune(tuning: LaneTuning): void {
    const now = this.#clock.now();
    this.#slots.tune(tuning, now);
    this.#refuseWhoIsTooLate(now);
    this.#handOut(now);
  }

  stats(): LaneStats {
    return statsOf(this.#queue, this.#slots, this.#sent, this.#clock.now());
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const place of [...this.#queue.inOrder()]) this.#refuse(place, laneClosed());
    await this.#slots.close();
  }

  /** Gives turns while slots are free, then sets the clock for the next one. */
  #handOut(now: number): void {
    while (this.#queue.ready > 0) {
      const freeAt = this.#slots.freeAt(now);
      this.#refuseBefore(Math.max(freeAt, now), now);
      if (this.#queue.ready === 0) continue;
      if (freeAt > now) {
        this.#wakeUp.at(freeAt, now);
        this.#slots.follow(now);
        break;
      }
      this.#grantNext(this.#slots.take(now, freeAt, this.#waitingSince));
    }
    if (this.#queue.ready === 0) this.#rest(now);
    else if (this.#pushedBack && now - this.#sweptAt >= SWEEP_EVERY_MS) this.#refuseWhoIsTooLate(now);
  }

  #grantNext(slot: TakenSlot): void {
    const place = this.#queue.next();
    if (place === undefined) return;
    this.#sent++;
    place.inLine = false;
    place.grant(new FairTurn(this, slot));
  }

  /** Instant at which the call would go if everybody were ready and nothing new came. */
  #predict(place: FairPlace, now: number): number {
    return this.#slots.nth(this.#queue.ahead(place), now, this.#since(now));
  }

  /** Refuses those whose deadline passes before the next slot. */
  #refuseBefore(nextSlotAt: number, now: number): void {
    for (;;) {
      const place = this.#queue.mostPressing;
      if (place === undefined || place.call.deadlineAt + ROUNDING_MS >= nextSlotAt) return;
      this.#refuse(place, this.#tooLate(place, Math.max(nextSlotAt, this.#predict(place, now)), now));
    }
  }

  #refuseWhoIsTooLate(now: number): void {
    this.#pushedBack = false;
    this.#sweptAt = now;
    for (const [place, goesAt] of whoIsTooLate(this.#queue, this.#slots, now, this.#since(now))) {
      this.#refuse(place, this.#tooLate(place, goesAt, now));
    }
  }

  /** Since when somebody ready has waited without a break: now, when nobody does. */
  #since(now: number): number {
    return this.#queue.ready > 0 ? this.#waitingSince : now;
  }

  /** @throws GatewayError `queue_full` when nobody holds more of the line than the newcomer's app. */
  #displaceFor(newcomer: FairPlace, now: number): void {
    const held = heldIn(this.#queue, this.#settings);
    const leaving = makeRoom(this.#queue, newcomer, this.#settings);
    if (leaving === undefined) throw queueFull(held, this.#predict(newcomer, now) - now);
    for (const place of leaving) {
      const what = `${held}, most of them of app ${place.call.appId}, whose last call made room for another app`;
      this.#refuse(place, queueFull(what, this.#predict(place, now) - now));
    }
  }

  #refuse(place: FairPlace, error: Error): void {
    this.#takeOut(place);
    place.refuse(error);
    if (this.#queue.ready === 0) this.#rest(this.#clock.now());
  }

  #rest(now: number): void {
    this.#wakeUp.cancel();
    this.#slots.follow(now);
  }

  #takeOut(place: FairPlace): void {
    if (!place.inLine) return;
    place.inLine = false;
    this.#queue.leave(place);
  }

  #tooLate(place: FairPlace, goesAt: number, now: number): Error {
    return deadlineUnreachable(place.call.appId, goesAt - now, place.call.deadlineAt - now);
  }
}
