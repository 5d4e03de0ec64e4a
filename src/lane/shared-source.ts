import type { Clock } from '../domain/clock.ts';
import type { LaneSettings, LaneStats, LaneTuning } from '../domain/lane.ts';
import { AloneTime } from './alone-time.ts';
import type { BudgetAnswer, BudgetAsk, BudgetNews } from './budget-act.ts';
import type { SharedBy } from './budget-store.ts';
import { HeldSlots } from './held-slots.ts';
import type { Pace } from './pace.ts';
import { SentCalls } from './sent-calls.ts';
import type { SharedLine } from './shared-line.ts';
import { SharedTalk } from './shared-talk.ts';
import type { SlotSource } from './slot-source.ts';
import type { TakenSlot } from './slots.ts';

/** Who has no part of its own sends nothing until the budget answers, which may be so soon: nobody is refused before. */
const ANSWERS_SOON_MS = 250;

/**
 * The slots of a budget that several gateways share. It asks for what the line needs, a little before it needs it, and
 * hands out what it was given at the instants it was given for. When the budget cannot be reached, it sends what it holds,
 * then nothing until its lease is over for the others too, then its own part of the limit, alone.
 */
export class SharedSource implements SlotSource {
  readonly #clock: Clock;
  readonly #held = new HeldSlots();
  readonly #sent = new SentCalls();
  readonly #talk: SharedTalk;
  readonly #alone: AloneTime;
  readonly #onSlots: () => void;
  readonly #line: SharedLine;
  readonly #stopListening: () => void;

  /** @param onSlots slots came, or another prediction. */
  constructor(settings: LaneSettings, clock: Clock, by: SharedBy, line: SharedLine, onSlots: () => void) {
    this.#clock = clock;
    this.#line = line;
    this.#onSlots = onSlots;
    this.#alone = new AloneTime();
    this.#talk = new SharedTalk(settings, clock, by, {
      line,
      held: this.#held,
      sent: this.#sent,
      answered: (answer, ask, now) => this.#answered(answer, ask, now),
      failed: (now) => this.#failed(now),
    });
    this.#stopListening = by.store.listen((news) => this.#heard(news));
  }

  get tuning(): LaneTuning {
    return this.#talk.tuning.tuning;
  }

  get spreadMs(): number {
    return this.#talk.tuning.spreadMs;
  }

  get pace(): Pace {
    return this.#talk.tuning.pace;
  }

  get pausedUntil(): number {
    return this.#talk.view.pausedUntil;
  }

  get weights(): number {
    return this.#alone.lost ? 0 : (this.#talk.view.answer?.weights ?? 0);
  }

  freeAt(now: number): number {
    this.#held.dropBefore(now - this.pace.lateMsMax);
    const first = this.#held.at(0);
    if (first !== undefined) return first.at;
    this.#alone.follow(now);
    if (this.#alone.slots !== undefined) return Math.max(this.#alone.slots.freeAt(now), this.pausedUntil);
    return this.#nextAt(now);
  }

  take(now: number, freeAt: number, waitingSince: number): TakenSlot {
    const { slots } = this.#alone;
    const isAlone = this.#held.length === 0 && slots !== undefined;
    this.#sent.note(now, this.pace.bucketMs, isAlone);
    this.#talk.used(now);
    if (isAlone) return slots.take(now, freeAt, waitingSince);
    const { at, slot } = this.#held.takeFirst();
    return { at: now, dueAt: at, turn: slot, before: undefined };
  }

  usable({ dueAt }: TakenSlot, now: number): boolean {
    return now - dueAt <= this.pace.lateMsMax && this.pausedUntil <= now;
  }

  passOn(slot: TakenSlot, now: number): TakenSlot {
    const isAlone = slot.before !== undefined;
    this.#sent.remove(slot.at, isAlone);
    this.#sent.note(now, this.pace.bucketMs, isAlone);
    return { ...slot, at: now };
  }

  undo(slot: TakenSlot, now: number): void {
    const isAlone = slot.before !== undefined;
    this.#sent.remove(slot.at, isAlone);
    if (isAlone) this.#alone.slots?.undo(slot);
    else if (this.usable(slot, now)) this.#held.hold({ at: slot.dueAt, slot: slot.turn });
    else this.#held.giveBack(slot.turn);
    this.follow(now);
  }

  nth(index: number, now: number, waitingSince: number): number {
    const held = this.#held.at(index);
    if (held !== undefined) return Math.max(held.at, now);
    const { slots } = this.#alone;
    const rest = index - this.#held.length;
    if (slots !== undefined) return Math.max(slots.nth(rest, now, waitingSince), this.pausedUntil);
    const atOnce = Math.max(1, this.#held.length > 0 ? 0 : this.countFree(now));
    const before = Math.max(0, rest + 1 - atOnce);
    if (this.#alone.lost) return this.#nextAt(now) + before * this.#alone.spacingMs;
    return this.#nextAt(now) + this.#turnsUntil(before) * this.#spacingMs;
  }

  countFree(now: number): number {
    if (this.pausedUntil > now) return 0;
    if (this.#alone.lost) return this.#alone.slots?.countFree(now) ?? 0;
    return this.#talk.view.countFree(now, this.pace);
  }

  sentWithin(windowMs: number, now: number): number {
    return Math.max(this.#sent.since(now - windowMs), this.#alone.lost ? 0 : this.#talk.view.usedNow(now, this.pace));
  }

  freshInMs(now: number): number {
    return Math.max(0, this.#sent.newestAt + this.pace.horizonMs - now, this.pausedUntil - now);
  }

  pause(until: number, now: number): void {
    this.#talk.view.pause(until);
    this.#holdUntil(until);
    this.#talk.tellPause(now);
  }

  tune(tuning: LaneTuning, now: number): void {
    this.#talk.tuning.retune(tuning);
    this.#talk.view.askAgainAt(now);
    this.#alone.retune(this.#talk.paceAlone, now);
    this.#held.release();
    this.follow(now);
  }

  observe(operation: string, firstByteMs: number, now: number): boolean {
    this.#talk.tuning.observe(operation, firstByteMs, now);
    return false;
  }

  follow(now: number): void {
    if (this.#line.ready === 0) this.#held.release();
    this.#talk.follow(now);
  }

  view(): Pick<LaneStats, 'mode' | 'gateways' | 'roundTripMs' | 'asked'> {
    const { answer, rttMs } = this.#talk.view;
    return {
      mode: this.#alone.mode(this.#clock.now()),
      gateways: answer?.gateways ?? 1,
      roundTripMs: rttMs,
      asked: this.#talk.asked,
    };
  }

  close(): Promise<void> {
    this.#stopListening();
    this.#held.release();
    return this.#talk.close();
  }

  /** The first slot that is not held: when it is known to come, or when it could come at the earliest. After `now`. */
  #nextAt(now: number): number {
    if (this.#alone.lost) {
      const { fromAt } = this.#alone;
      return Math.max(now + 1, fromAt === Number.POSITIVE_INFINITY ? now + ANSWERS_SOON_MS : fromAt, this.pausedUntil);
    }
    const last = this.#held.last?.at;
    const afterHeld = last === undefined ? 0 : last + this.#spacingMs;
    return Math.max(this.#talk.nextAt(now), afterHeld);
  }

  /**
   * Turns of the whole budget while so many are this gateway's: by its part, which may be next to nothing for a moment, while
   * it has told of few calls or others have urgent ones; but when all who wait elsewhere have had theirs, the rest are its own.
   */
  #turnsUntil(ours: number): number {
    const { part = 1, elsewhere = 0 } = this.#talk.view.answer ?? {};
    return Math.min(part > 0 ? ours / part : Number.POSITIVE_INFINITY, ours + elsewhere);
  }

  get #spacingMs(): number {
    return Math.max(this.#talk.view.answer?.spacingMs ?? 0, this.pace.spacingMs);
  }

  #answered({ slots, parts, part }: BudgetAnswer, { apps }: BudgetAsk, now: number): void {
    this.#alone.over();
    for (const slot of slots) {
      const at = this.#talk.view.toGateway(slot);
      if (at < this.pausedUntil) this.#held.giveBack(slot);
      else if (at + this.pace.lateMsMax >= now) this.#held.hold({ at, slot });
    }
    this.#line.setParts(apps, parts, part);
    this.#onSlots();
  }

  #failed(now: number): void {
    const isNew = !this.#alone.lost;
    this.#alone.begin(this.#talk.leaseGoneAt, this.#talk.paceAlone);
    this.#alone.follow(now);
    if (isNew) this.#onSlots();
  }

  #heard(news: BudgetNews): void {
    this.#talk.hear(news);
    if (news.tuned) {
      this.#held.release();
    }
    this.#holdUntil(this.pausedUntil);
    this.#onSlots();
  }

  #holdUntil(until: number): void {
    this.#held.release(until);
    this.#alone.slots?.pause(until);
  }
}
