import type { BudgetAnswer, BudgetAsk, BudgetNews } from './budget-act.ts';
import { BudgetClock } from './budget-clock.ts';
import type { Pace } from './pace.ts';

const NEVER = Number.NEGATIVE_INFINITY;
/** Of a round trip, how much the newest counts in the recent one. */
const RECENT_PART = 0.25;

/** A clock of the budget's that was seen to step forward. */
interface Step {
  readonly stepMs: number;
  readonly stepOrigin: number;
}
/** Less may be the inexactness of what is known of the budget's time. */
const STEP_MS_MIN = 5;
/** An ask that took so long to arrive, and four recent round trips, is not what was meant any more. */
const STALE_MS = 50;
const STALE_MS_MAX = 1_000;
const NO_STEP: Step = { stepMs: 0, stepOrigin: 0 };

/** What this gateway knows of a shared budget, in instants of its own clock. */
export class BudgetView {
  readonly #time = new BudgetClock();
  #answer: BudgetAnswer | undefined;
  #answeredAt = NEVER;
  #pausedUntil = NEVER;
  #untoldPauseUntil = NEVER;
  #againAt = 0;
  #rttMs = 0;
  #step = NO_STEP;

  /** The last one that said something new. */
  get answer(): BudgetAnswer | undefined {
    return this.#answer;
  }

  get answeredAt(): number {
    return this.#answeredAt;
  }

  get rttMs(): number {
    return this.#rttMs;
  }

  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** When slots may be asked for again. */
  get againAt(): number {
    return this.#againAt;
  }

  get hasUntoldPause(): boolean {
    return this.#untoldPauseUntil !== NEVER;
  }

  get hasStep(): boolean {
    return this.#step !== NO_STEP;
  }

  toGateway(budgetAt: number): number {
    return this.#time.toGateway(budgetAt);
  }

  /** Undefined: the budget's time is not known yet. */
  toBudget(at: number): number | undefined {
    return this.#time.isSynced ? Math.max(0, this.#time.toBudget(at)) : undefined;
  }

  askAgainAt(at: number): void {
    this.#againAt = at;
  }

  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
    this.#untoldPauseUntil = Math.max(this.#untoldPauseUntil, until);
  }

  hear({ epoch, pausedUntil }: BudgetNews): void {
    if (epoch !== this.#answer?.epoch) return;
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#time.toGateway(pausedUntil));
  }

  /** When the next slot may come that was not handed out yet. */
  nextAt(): number {
    const nextFreeAt = this.#answer === undefined ? NEVER : this.#time.toGateway(this.#answer.nextFreeAt);
    return Math.max(this.#pausedUntil, this.#againAt, nextFreeAt);
  }

  /** Calls that could leave now, as far as is known. */
  countFree(now: number, pace: Pace): number {
    if (this.#answer === undefined) return pace.burstCalls;
    if (this.#time.toGateway(this.#answer.nextFreeAt) > now) return 0;
    return this.usedNow(now, pace) < 1 ? pace.burstCalls : 1;
  }

  /** Calls in the window now: what was counted last, less what has aged since if it was spread evenly. */
  usedNow(now: number, { horizonMs }: Pace): number {
    return (this.#answer?.used ?? 0) * Math.max(0, 1 - (now - this.#answeredAt) / horizonMs);
  }

  /** What an ask says of time: of the clock, of pauses, of what a new key could not know. */
  toTell(
    now: number,
    spent: { readonly all: readonly number[]; readonly alone: readonly number[] },
  ): Pick<
    BudgetAsk,
    'epoch' | 'sentAt' | 'staleMs' | 'stepMs' | 'stepOrigin' | 'rttMs' | 'pauseMs' | 'spentAlone' | 'memory'
  > {
    const { epoch = '', gateways = 1, calls = 0 } = this.#answer ?? {};
    return {
      epoch,
      sentAt: this.toBudget(now) ?? -1,
      staleMs: Math.min(STALE_MS_MAX, STALE_MS + 4 * this.#rttMs),
      ...this.#step,
      rttMs: this.#rttMs,
      pauseMs: Math.max(0, this.#untoldPauseUntil - now),
      spentAlone: spent.alone,
      memory: { gateways, calls, pauseMs: Math.max(0, this.#pausedUntil - now), spent: spent.all },
    };
  }

  /**
   * Takes note of an answer. False when the ask took so long to arrive that it was ignored.
   *
   * @param asked when it was asked, and what {@link BudgetView.untoldPause} was then.
   */
  take(answer: BudgetAnswer, ask: BudgetAsk, asked: { sentAt: number; untoldPause: number }, now: number): boolean {
    const { sentAt } = asked;
    const tookMs = now - sentAt;
    this.#rttMs = this.#answer === undefined ? tookMs : this.#rttMs + (tookMs - this.#rttMs) * RECENT_PART;
    if (answer.stale) {
      this.#distrustTime(answer, ask.stepMs > 0, sentAt, now);
      return false;
    }
    this.#step = NO_STEP;
    if (answer.epoch !== this.#answer?.epoch) this.#time.reset();
    this.#time.sync(sentAt, answer.now, now);
    this.#answer = answer;
    this.#answeredAt = now;
    if (this.#untoldPauseUntil === asked.untoldPause) this.#untoldPauseUntil = NEVER;
    this.#pausedUntil = Math.max(this.#untoldPauseUntil, this.#time.toGateway(answer.pausedUntil));
    return true;
  }

  get untoldPause(): number {
    return this.#untoldPauseUntil;
  }

  /** An ask was older on arrival than it may be: the way was long, or the clock was stepped. */
  #distrustTime(answer: BudgetAnswer, wasTold: boolean, sentAt: number, now: number): void {
    const aheadMs = answer.now - this.#time.toBudget(now);
    this.#step = NO_STEP;
    if (aheadMs <= STEP_MS_MIN) return;
    if (!wasTold) {
      this.#step = { stepMs: aheadMs, stepOrigin: answer.origin };
      return;
    }
    // It was told and not left out: somebody who could not know has gone on with the new time.
    this.#time.reset();
    this.#time.sync(sentAt, answer.now, now);
  }
}
