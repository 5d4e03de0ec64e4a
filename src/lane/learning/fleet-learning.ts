import type { RateAnswer } from '../../domain/learning.ts';
import type { LearningAnswer, LearningAsk } from '../budget-act.ts';
import { type KnownLearning, knownText, parseKnown } from './known-learning.ts';
import type { LimitLearner } from './limit-learner.ts';
import { parseSeen, type Seen, SeenLog, seenText } from './seen-log.ts';

/** The budget's clock, as the conversation with it knows it. */
interface FleetClock {
  readonly rttMs: number;
  toGateway(budgetAt: number): number;
  /** Undefined: not known yet. */
  toBudget(at: number): number | undefined;
}

/** What learns at this gateway when it is its turn. */
export interface Pupil {
  readonly learner: LimitLearner;
  /** {@link KnownLearning.generation}. */
  readonly generation: number;
  /** It is the one that learns from now on, and goes on from what was known. */
  takeOver(known: KnownLearning | undefined): void;
  /** It is another's turn. */
  letGo(): void;
  /** The learner may know another limit now; `counted`: calls were sent, or answered. */
  taught(counted: boolean): void;
}

const TOLD_EVERY_MS = 100;
const LEARNT_EVERY_MS = 10_000;
/** So long, and two round trips, a refusal waits for what others sent before it, which they tell when they hear of the pause. */
const SETTLE_MS = 30;
/** For so long, and four calls of each, a gateway counts as one where calls wait. */
const WAITS_MS = 2_000;
const GATEWAYS_MAX = 1_024;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * Several gateways that learn one limit: each writes down what it sees and tells it with its asks for slots; the one whose turn
 * it is learns from all of it, and tells what it knows. Without Redis nobody learns.
 */
export class FleetLearning {
  readonly #log: SeenLog;
  #pupil: Pupil | undefined;
  #isLearner = false;
  #isLost = false;
  #dueAt = NEVER;
  #toldAt = Number.NEGATIVE_INFINITY;
  #heardTo = 0;
  #known: KnownLearning | undefined;
  #knownNo = -1;
  /** Whether the pupil here knows that and more. */
  #isOwn = false;
  /** What was told of the learner's state. */
  #tellsVersion = -1;
  #tellsAt = Number.NEGATIVE_INFINITY;
  #heard: RateAnswer[] = [];
  #settlesAt = NEVER;
  readonly #waiting = new Map<string, number>();

  constructor(gatewayId: string) {
    this.#log = new SeenLog(gatewayId);
  }

  get isLearner(): boolean {
    return this.#isLearner;
  }

  /** What the one that learns told; undefined: this is the one, or none has said anything. */
  get known(): KnownLearning | undefined {
    return this.#isLearner ? undefined : this.#known;
  }

  /** When there is something to say or to hear that cannot wait. */
  get dueAt(): number {
    return this.#dueAt;
  }

  begin(pupil: Pupil): void {
    this.#pupil = pupil;
    this.#tellsVersion = -1;
    this.#isOwn = false;
    if (this.#known !== undefined && this.#known.generation < pupil.generation) this.#known = undefined;
  }

  /** The limit is not learnt any more; or another pupil begins. */
  end(): void {
    this.#pupil = undefined;
    this.#log.take();
    this.#dueAt = NEVER;
    this.#forgetHeard();
  }

  sent(now: number, waiting: boolean): void {
    this.#log.sent(now, waiting);
  }

  heard(answer: RateAnswer, now: number): void {
    // Alone it has a part of the limit only: what is refused then says little of the whole.
    if (this.#isLost) return;
    this.#log.heard(answer);
    if (answer.refused) this.#dueAt = Math.min(this.#dueAt, now);
  }

  /** Nobody sends for a while: a gateway was refused. */
  heardOfPause(now: number): void {
    if (this.#pupil === undefined) return;
    if (this.#isLearner) this.#dueAt = Math.min(this.#dueAt, now + SETTLE_MS);
    else if (!this.#log.isEmpty) this.#dueAt = now;
  }

  toTell(now: number, clock: FleetClock): LearningAsk | undefined {
    if (this.#pupil === undefined) return undefined;
    const isDue = now >= this.#dueAt;
    if (isDue) this.#dueAt = NEVER;
    return {
      seen: this.#isLearner || this.#isLost ? '' : this.#tellSeen(now, isDue, clock),
      heardTo: this.#heardTo,
      learnt: this.#isLearner ? this.#tellKnown(this.#pupil, now) : '',
      learntNo: this.#knownNo,
    };
  }

  /** @param isNew whether the budget is another than before: nothing of it is known. */
  answered(answer: LearningAnswer | undefined, isNew: boolean, sentAt: number, clock: FleetClock, now: number): void {
    this.#isLost = false;
    if (isNew) {
      this.#heardTo = 0;
      this.#tellsVersion = -1;
    }
    const pupil = this.#pupil;
    if (answer === undefined || pupil === undefined) {
      this.#isLearner = false;
      return;
    }
    this.#knownNo = isNew ? -1 : answer.learntNo;
    if (answer.learnt !== '') this.#know(parseKnown(answer.learnt, clock.toGateway(answer.learntAt)), pupil);
    const was = this.#isLearner;
    this.#isLearner = answer.isLearner;
    if (was && !answer.isLearner) {
      this.#forgetHeard();
      pupil.letGo();
    }
    if (!answer.isLearner) return;
    if (!was) pupil.takeOver(this.#isOwn ? undefined : this.#known);
    const counted = this.#hear(answer, clock);
    this.#learn(pupil, answer, sentAt, clock, now);
    pupil.taught(counted);
  }

  failed(): void {
    this.#isLost = true;
    this.#isLearner = false;
    this.#tellsVersion = -1;
    this.#forgetHeard();
  }

  #tellSeen(now: number, isDue: boolean, clock: FleetClock): string {
    if (this.#log.isEmpty || clock.toBudget(now) === undefined) return '';
    if (!isDue && now - this.#toldAt < TOLD_EVERY_MS) return '';
    this.#toldAt = now;
    return seenText(this.#log.take(), (at) => clock.toBudget(at) as number);
  }

  #tellKnown({ learner, generation }: Pupil, now: number): string {
    if (learner.version === this.#tellsVersion && now - this.#tellsAt < LEARNT_EVERY_MS) return '';
    this.#tellsVersion = learner.version;
    this.#tellsAt = now;
    const text = knownText(learner, generation, now);
    this.#known = parseKnown(text, now);
    this.#isOwn = true;
    return text;
  }

  #know(known: KnownLearning | undefined, { generation }: Pupil): void {
    if (known === undefined || known.generation < generation) return;
    this.#known = known;
    this.#isOwn = false;
  }

  /** What others saw, and this gateway itself. False: nothing. */
  #hear({ seen, seenTo }: LearningAnswer, clock: FleetClock): boolean {
    const firstNo = seenTo - seen.length + 1;
    const news = seen
      .filter((_, i) => firstNo + i > this.#heardTo)
      .flatMap((text) => parseSeen(text, (at) => clock.toGateway(at)) ?? []);
    this.#heardTo = seenTo;
    if (!this.#log.isEmpty) news.push(this.#log.take());
    this.#counted(news);
    return news.length > 0;
  }

  #counted(news: readonly Seen[]): void {
    const learner = this.#pupil?.learner;
    const sent = news.flatMap((one) => one.sent).sort(([a], [b]) => a - b);
    for (const [at, calls] of sent) learner?.count(at, calls);
    for (const { gateway, sent, waits, heard } of news) {
      this.#heard.push(...heard);
      const last = sent.at(-1)?.[0];
      if (last === undefined) continue;
      if (!waits) this.#waiting.delete(gateway);
      else if (this.#waiting.size < GATEWAYS_MAX) this.#waiting.set(gateway, last);
    }
  }

  #learn({ learner }: Pupil, { toldTo }: LearningAnswer, sentAt: number, clock: FleetClock, now: number): void {
    const isRefused = this.#heard.some(({ refused }) => refused);
    if (isRefused && this.#settlesAt === NEVER) {
      this.#settlesAt = now + SETTLE_MS + 2 * clock.rttMs;
      this.#dueAt = Math.min(this.#dueAt, this.#settlesAt);
    }
    if (!isRefused || sentAt >= this.#settlesAt) {
      for (const answer of this.#heard.sort((a, b) => a.sentAt - b.sentAt)) learner.heard(answer, now);
      this.#forgetHeard();
    }
    learner.rise(Math.min(now, clock.toGateway(toldTo) - TOLD_EVERY_MS), this.#waits(learner, now));
  }

  /** Whether calls wait at one gateway at least: then they would at all. */
  #waits(learner: LimitLearner, now: number): boolean {
    const { calls, windowMs } = learner.tuning(undefined).limit;
    const forMs = Math.max(WAITS_MS, (4 * (this.#waiting.size + 1) * windowMs) / calls);
    for (const [gateway, at] of this.#waiting) if (now - at > forMs) this.#waiting.delete(gateway);
    return this.#waiting.size > 0;
  }

  #forgetHeard(): void {
    this.#heard = [];
    this.#settlesAt = NEVER;
  }
}
