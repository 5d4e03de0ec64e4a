import type { Clock } from '../../domain/clock.ts';
import type { Lane, LaneCall, LaneShare, LaneStats, LaneTuning, LeaveSignal, Place, Turn } from '../../domain/lane.ts';
import type { Learning, RateAnswer } from '../../domain/learning.ts';
import type { FleetLearning, Pupil } from './fleet-learning.ts';
import { describeKnown, type KnownLearning } from './known-learning.ts';
import type { LimitLearner } from './limit-learner.ts';

const RENEWED_PART = 0.9;

interface LearningLaneOptions {
  readonly clock: Clock;
  /** The lane's own bound of a pause; a longer one is renewed before it ends. */
  readonly pauseMsMax: number;
  /** Something was counted, or learnt. */
  readonly onNews: (isLearnt: boolean) => void;
  /** Learns together with other gateways; undefined: this one alone does. */
  readonly fleet?: WithOthers | undefined;
}

export interface WithOthers {
  readonly learning: FleetLearning;
  /** {@link KnownLearning.generation} of the learner here. */
  readonly generation: number;
  /** The learner that goes on from what others learnt, if that is more than is known here. */
  adopt(known: KnownLearning): LimitLearner;
  /** What is known here is not to be kept: another gateway knows more. */
  letGo(): void;
}

/**
 * A lane whose limit nobody told: it counts what leaves the lane within, hears what Mason answers, and tunes the lane to what
 * the learner makes of it.
 */
export class LearningLane implements Lane, Pupil, Disposable {
  #learner: LimitLearner;
  readonly #within: Lane;
  readonly #options: LearningLaneOptions;
  #tuning: LaneTuning;
  #followed = -1;
  #isLet = false;
  #asking = 0;
  #cancel: () => void = () => {};

  constructor(within: Lane, learner: LimitLearner, tuning: LaneTuning, options: LearningLaneOptions) {
    this.#within = within;
    this.#learner = learner;
    this.#options = options;
    this.#tuning = tuning;
    options.fleet?.learning.begin(this);
    // What it begins with, before anybody could say who learns.
    if (!this.#followsOthers) this.#follow();
  }

  get learner(): LimitLearner {
    return this.#learner;
  }

  get generation(): number {
    return this.#options.fleet?.generation ?? 0;
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
    const now = this.#options.clock.now();
    const { fleet } = this.#options;
    if (fleet === undefined) {
      this.#learner.heard(answer, now);
      this.#follow();
    } else {
      fleet.learning.heard(answer, now);
    }
  }

  takeOver(known: KnownLearning | undefined): void {
    if (known !== undefined) this.#learner = this.#options.fleet?.adopt(known) ?? this.#learner;
    this.#followed = -1;
    this.#follow();
  }

  letGo(): void {
    this.#cancel();
    this.#options.fleet?.letGo();
  }

  taught(counted: boolean): void {
    if (counted) this.#options.onNews(false);
    this.#follow();
  }

  stats(): LaneStats {
    return this.#within.stats();
  }

  /** Its burst and spread count; the limit is learnt. Where another gateway learns it, the burst is that gateway's to say. */
  retune(tuning: LaneTuning): void {
    this.#tuning = tuning;
    if (this.#followsOthers) this.#within.retune({ ...tuning, limit: this.#within.stats().limit, burst: 1 });
    else this.#retuneWithin();
  }

  close(): Promise<void> {
    this[Symbol.dispose]();
    return this.#within.close();
  }

  /** For people. */
  view(): Learning {
    const { clock } = this.#options;
    const known = this.#options.fleet?.learning.known;
    if (known !== undefined) return describeKnown(known, clock.now(), clock.epochMs());
    return this.#learner.view(clock.now(), clock.epochMs());
  }

  /** Leaves the lane within as it is, to be tuned by somebody else; who waits keeps the place. */
  [Symbol.dispose](): void {
    this.#cancel();
    if (!this.#isLet) this.#options.fleet?.learning.end();
    this.#isLet = true;
  }

  get #followsOthers(): boolean {
    return this.#options.fleet?.learning.known !== undefined;
  }

  async #turn(place: Place, signal: LeaveSignal): Promise<Turn> {
    this.#asking++;
    try {
      const turn = await place.turn(signal);
      return {
        giveBack: () => turn.giveBack(),
        sent: () => {
          turn.sent();
          this.#sent();
        },
      };
    } finally {
      this.#asking--;
    }
  }

  #sent(): void {
    const now = this.#options.clock.now();
    const { fleet } = this.#options;
    if (fleet === undefined) {
      this.#learner.sent(now, this.#asking > 0);
      this.taught(true);
    } else {
      fleet.learning.sent(now, this.#asking > 0);
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
