import type { Clock } from '../../domain/clock.ts';
import type { Lane, LaneCall, LaneShare, LaneStats, LaneTuning, LeaveSignal, Place, Turn } from '../../domain/lane.ts';
import type { Learning, RateAnswer } from '../../domain/learning.ts';
import type { LimitLearner } from './limit-learner.ts';

const RENEWED_PART = 0.9;

export interface LearningLaneOptions {
  readonly clock: Clock;
  /** The lane's own bound of a pause; a longer one is renewed before it ends. */
  readonly pauseMsMax: number;
  /** Something was counted, or learnt. */
  readonly onNews: (isLearnt: boolean) => void;
}

/**
 * A lane whose limit nobody told: it counts what leaves the lane within, hears what Mason answers, and tunes the lane to what
 * the learner makes of it.
 */
export class LearningLane implements Lane, Disposable {
  readonly learner: LimitLearner;
  readonly #within: Lane;
  readonly #options: LearningLaneOptions;
  #tuning: LaneTuning;
  #followed = -1;
  #isLet = false;
  #asking = 0;
  #cancel: () => void = () => {};

  constructor(within: Lane, learner: LimitLearner, tuning: LaneTuning, options: LearningLaneOptions) {
    this.#within = within;
    this.learner = learner;
    this.#options = options;
    this.#tuning = tuning;
    this.#follow();
  }

  join(call: LaneCall): Place {
    const place = this.#within.join(call);
    return {
      turn: (signal) => this.#turn(place, signal),
      get asksForTurn() {
        return place.asksForTurn;
      },
      [Symbol.dispose]: () => place[Symbol.dispose](),
    };
  }

  share(appId: string, weight: number): LaneShare {
    return this.#within.share(appId, weight);
  }

  pause(durationMs: number): void {
    this.#within.pause(durationMs);
  }

  observe(operation: string, firstByteMs: number): void {
    this.#within.observe(operation, firstByteMs);
  }

  heard(answer: RateAnswer): void {
    this.learner.heard(answer, this.#options.clock.now());
    this.#follow();
  }

  stats(): LaneStats {
    return this.#within.stats();
  }

  /** Its burst and spread count; the limit is learnt. */
  retune(tuning: LaneTuning): void {
    this.#tuning = tuning;
    this.#retuneWithin();
  }

  close(): Promise<void> {
    this[Symbol.dispose]();
    return this.#within.close();
  }

  /** For people. */
  view(): Learning {
    const { clock } = this.#options;
    return this.learner.view(clock.now(), clock.epochMs());
  }

  /** Leaves the lane within as it is, to be tuned by somebody else; who waits keeps the place. */
  [Symbol.dispose](): void {
    this.#cancel();
    this.#isLet = true;
  }

  async #turn(place: Place, signal: LeaveSignal): Promise<Turn> {
    this.#asking++;
    try {
      const turn = await place.turn(signal);
      return {
        giveBack: () => turn.giveBack(),
        sent: () => {
          turn.sent();
          this.learner.sent(this.#options.clock.now(), this.#asking > 0);
          this.#options.onNews(false);
          this.#follow();
        },
      };
    } finally {
      this.#asking--;
    }
  }

  #follow(): void {
    if (this.#isLet || this.learner.version === this.#followed) return;
    this.#retuneWithin();
    this.#wait();
    this.#options.onNews(true);
  }

  #wait(): void {
    this.#cancel();
    const { clock, pauseMsMax } = this.#options;
    const waitMs = this.learner.waitsUntil - clock.now();
    if (waitMs <= 0) return;
    this.#within.pause(waitMs);
    if (waitMs > pauseMsMax) this.#cancel = clock.after(RENEWED_PART * pauseMsMax, () => this.#wait());
  }

  #retuneWithin(): void {
    this.#followed = this.learner.version;
    this.#within.retune({ ...this.#tuning, ...this.learner.tuning(this.#tuning.burst) });
  }
}
