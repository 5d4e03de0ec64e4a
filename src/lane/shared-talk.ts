import type { Clock } from '../domain/clock.ts';
import type { LaneSettings } from '../domain/lane.ts';
import { beatMs, RETRY_MS_MAX } from './beat.ts';
import type { BudgetAnswer, BudgetAsk, BudgetNews } from './budget-act.ts';
import { LEASE_MS, QUIET_LEASE_MS, VANISHED_SHARE_MS } from './budget-act.ts';
import type { SharedBy } from './budget-store.ts';
import { BudgetView } from './budget-view.ts';
import type { HeldSlots } from './held-slots.ts';
import type { Pace } from './pace.ts';
import type { SentCalls } from './sent-calls.ts';
import { appsToTell, type SharedLine } from './shared-line.ts';
import { TuningInForce } from './shared-tuning.ts';
import { WakeUp } from './wake-up.ts';

/** A lane without calls for so long needs nothing soon. */
const QUIET_AFTER_MS = 5_000;
/** A lane without calls for so long gives its lease up and says so. */
const IDLE_AFTER_MS = 600_000;
/** An ask is given up after this; what comes later is ignored on both sides. */
const ASK_MS_MAX = 1_000;
/** Beyond the lease: what others may hold that was handed out before it was over. */
const AHEAD_MARGIN_MS = 1_000;
/** So long before the last slot, and two round trips, the next ones are asked for. */
const AHEAD_OF_LAST_MS = 5;

/** What the conversation is about. */
interface Topic {
  readonly line: SharedLine;
  readonly held: HeldSlots;
  readonly sent: SentCalls;
  answered(answer: BudgetAnswer, ask: BudgetAsk, now: number): void;
  failed(now: number): void;
}

/** The conversation with a shared budget: when to ask, and what to say. One ask for slots at a time. */
export class SharedTalk {
  readonly view = new BudgetView();
  readonly tuning: TuningInForce;
  readonly #settings: LaneSettings;
  readonly #clock: Clock;
  readonly #by: SharedBy;
  readonly #topic: Topic;
  readonly #wakeUp: WakeUp;
  readonly #run = crypto.randomUUID();
  #askedAt = Number.NEGATIVE_INFINITY;
  #firstAskedAt = Number.NaN;
  #usedAt = Number.NEGATIVE_INFINITY;
  #asking = false;
  #telling = false;
  /** Asks without an answer, one after the other. */
  #failures = 0;
  #asked = 0;
  /** As long as others may count on this gateway's lease. */
  #leaseMs = LEASE_MS;
  #closed = false;

  constructor(settings: LaneSettings, clock: Clock, by: SharedBy, topic: Topic) {
    this.#settings = settings;
    this.#clock = clock;
    this.#by = by;
    this.#topic = topic;
    this.tuning = new TuningInForce(settings);
    this.#wakeUp = new WakeUp(clock, () => this.follow(this.#clock.now()));
  }

  /** How often the budget was asked. */
  get asked(): number {
    return this.#asked;
  }

  /** The pace of this gateway when it is alone; undefined: it has no part. */
  get paceAlone(): Pace | undefined {
    return this.tuning.alone(this.view.answer, this.#by.gatewaysExpected);
  }

  /** From when on nobody counts on this gateway's lease, and nobody holds a slot of the time before. */
  get leaseGoneAt(): number {
    const { answer, answeredAt } = this.view;
    const { horizonMs, spacingMs } = this.tuning.pace;
    const aheadMs = Math.min(horizonMs, ((answer?.gateways ?? 1) + 1) * (answer?.spacingMs ?? spacingMs));
    const goneAt =
      (answer === undefined ? this.#firstAskedAt : answeredAt) + this.#leaseMs + Math.max(AHEAD_MARGIN_MS, aheadMs);
    // Whoever slept or was idle for so long has no part that others hold back: first it tries for a while.
    const isForgotten = answer !== undefined && this.#askedAt > answeredAt + this.#leaseMs + VANISHED_SHARE_MS;
    return isForgotten ? Math.max(goneAt, this.#askedAt + LEASE_MS + RETRY_MS_MAX) : goneAt;
  }

  /** When the next slot may come that is not held yet. After `now`. */
  nextAt(now: number): number {
    const { rttMs } = this.view;
    const answerInMs = this.#asking ? Math.max(rttMs, now - this.#askedAt) : rttMs;
    return Math.max(now + Math.max(0.1, answerInMs), this.view.nextAt());
  }

  /** A slot was used: the lane is not idle. */
  used(now: number): void {
    this.#usedAt = now;
  }

  /** What all gateways hear. */
  hear(news: BudgetNews): void {
    this.view.hear(news);
    if (news.tuned) this.view.askAgainAt(0);
    else this.#by.learning?.heardOfPause(this.#clock.now());
  }

  /** Tells everybody of a pause, at once, whatever else is under way; of a hundred refusals in a row, once for all. */
  tellPause(now: number): void {
    if (this.#lost || this.#closed || this.#telling) return;
    this.#telling = true;
    void this.#ask(now, 0).finally(() => {
      this.#telling = false;
    });
  }

  /** Asks when something is due, else sets the clock for it. */
  follow(now: number): void {
    if (this.#closed || this.#asking) return;
    const dueAt = this.#dueAt(now);
    if (dueAt === Number.POSITIVE_INFINITY) return;
    if (dueAt > now) {
      this.#wakeUp.at(dueAt, now);
      return;
    }
    this.#asking = true;
    this.#askedAt = now;
    // A crowd that comes at once is asked for at once.
    queueMicrotask(() => void this.#askForLine());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wakeUp.cancel();
    if (this.view.answer !== undefined && !this.#lost) await this.#leave();
  }

  /** Gives up the lease. Otherwise it would lapse, and its part be held back for a minute. */
  async #leave(): Promise<void> {
    await this.#by.store.ask(this.#toAsk(this.#clock.now(), 0, 'leave')).catch(() => {});
  }

  #dueAt(now: number): number {
    const { line, held } = this.#topic;
    const { view } = this;
    const unmet = line.ready - held.length;
    // Who asked once goes on asking: its calls may all find a slot of its own free, and nobody else would know of it.
    if (view.answer === undefined && unmet <= 0 && !this.#lost) return Number.POSITIVE_INFINITY;
    if (this.#lost) return this.#askedAt + this.#beatMs(now);
    if (held.hasReleased || this.tuning.untold || (view.hasUntoldPause && !this.#telling) || view.hasStep) return now;
    const learningAt = this.#by.learning?.dueAt ?? Number.POSITIVE_INFINITY;
    const beatAt = Math.min(learningAt, this.#askedAt + this.#beatMs(now));
    if (unmet <= 0) return beatAt;
    const last = held.last;
    const neededAt = last === undefined ? now : last.at - 2 * view.rttMs - AHEAD_OF_LAST_MS;
    return Math.min(beatAt, Math.max(neededAt, view.againAt));
  }

  #isIdle(now: number): boolean {
    return this.#topic.line.ready === 0 && now - this.#usedAt > IDLE_AFTER_MS;
  }

  get #lost(): boolean {
    return this.#failures > 0;
  }

  #beatMs(now: number): number {
    const learns = this.view.answer?.learning !== undefined;
    return beatMs({ isIdle: this.#isIdle(now), isQuiet: this.#isQuiet(now), learns, failures: this.#failures });
  }

  /** Whoever learns for the others is never quiet. */
  #isQuiet(now: number): boolean {
    const { line } = this.#topic;
    const isLearner = this.#by.learning?.isLearner === true;
    return line.ready === 0 && now - this.#usedAt > QUIET_AFTER_MS && !isLearner;
  }

  async #askForLine(): Promise<void> {
    if (this.#closed) return;
    const { line, held } = this.#topic;
    await this.#ask(this.#clock.now(), Math.max(0, line.ready - held.length));
    this.#asking = false;
    this.follow(this.#clock.now());
  }

  async #ask(sentAt: number, wants: number): Promise<void> {
    const { view, tuning } = this;
    const [tunings, untoldPause] = [tuning.tunings, view.untoldPause];
    const ask = this.#toAsk(sentAt, wants, this.#isIdle(sentAt) ? 'idle' : 'active');
    this.#asked++;
    this.#askedAt = sentAt;
    // Whether it arrives may stay unknown.
    this.#leaseMs = Math.max(this.#leaseMs, ask.leaseMs);
    if (Number.isNaN(this.#firstAskedAt)) this.#firstAskedAt = sentAt;
    const answer = await this.#answerTo(ask);
    if (this.#closed) return this.#leave();
    const now = this.#clock.now();
    if (answer === undefined) {
      this.#failures++;
      this.#by.learning?.failed();
      return this.#topic.failed(now);
    }
    this.#failures = 0;
    if (answer.epoch !== ask.epoch) this.#topic.held.forget();
    if (!view.take(answer, ask, { sentAt, untoldPause }, now)) return;
    this.#leaseMs = ask.leaseMs;
    this.#by.learning?.answered(answer.learning, answer.epoch !== ask.epoch, sentAt, view, now);
    tuning.answered(answer, tuning.tunings === tunings);
    if (wants > 0) view.askAgainAt(answer.slots.length > 0 ? 0 : Math.max(view.toGateway(answer.againAt), now + 1));
    if (ask.spentAlone.length > 0) this.#topic.sent.told(sentAt);
    this.#topic.answered(answer, ask, now);
  }

  #toAsk(now: number, wants: number, stays: BudgetAsk['stays']): BudgetAsk {
    const { held, sent } = this.#topic;
    const { gatewayId } = this.#by;
    return {
      gateway: gatewayId,
      run: this.#run,
      stays,
      newEpoch: crypto.randomUUID(),
      wants,
      apps: appsToTell(this.#topic.line),
      pauseMsMax: this.#settings.pauseMsMax,
      released: held.takeReleased(),
      leaseMs: !this.#lost && this.#isQuiet(now) ? QUIET_LEASE_MS : LEASE_MS,
      learning: stays === 'leave' ? undefined : this.#by.learning?.toTell(now, this.view),
      ...this.tuning.toTell(this.view.rttMs),
      ...this.view.toTell(now, sent.byAge(this.tuning.pace.horizonMs, now)),
    };
  }

  /** Undefined: it did not come in time, or not at all. */
  #answerTo(ask: BudgetAsk): Promise<BudgetAnswer | undefined> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ASK_MS_MAX, () => resolve(undefined));
      this.#by.store
        .ask(ask)
        .then(resolve, () => resolve(undefined))
        .finally(cancel);
    });
  }
}
