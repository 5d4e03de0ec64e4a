import type { Clock } from '../../domain/clock.ts';
import type { KeptLearning, LearnedLimits } from '../../domain/learning.ts';
import { parseKeptState } from './kept-state.ts';
import type { KnownLearning } from './known-learning.ts';
import { LimitLearner } from './limit-learner.ts';

/** What was learnt is written so soon; that calls were counted, later. */
const LEARNT_WITHIN_MS = 5_000;
const COUNTED_WITHIN_MS = 30_000;

interface Kept {
  learner: LimitLearner;
  /** {@link KeptLearning.generation} that it goes on from. */
  generation: number;
  isDirty: boolean;
  /** Refusals that others were told of. */
  told: number;
}

/**
 * The learners of this gateway, one a budget, and what is kept of them: written every few seconds while something is learnt,
 * and at the end. What other gateways must know at once, a refusal, moves the revision of the store.
 */
export class LimitKeeper implements AsyncDisposable {
  readonly #limits: LearnedLimits;
  readonly #clock: Clock;
  readonly #gatewayId: string;
  readonly #pauseMsMax: number;
  readonly #onProblem: (error: unknown) => void;
  readonly #kept = new Map<string, Kept>();
  #dueAt = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};
  #writing: Promise<void> = Promise.resolve();

  /** @param onProblem told when something could not be written; it is tried again with what is learnt next */
  constructor(
    limits: LearnedLimits,
    clock: Clock,
    options: {
      readonly gatewayId: string;
      readonly pauseMsMax: number;
      readonly onProblem: (error: unknown) => void;
    },
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#gatewayId = options.gatewayId;
    this.#pauseMsMax = options.pauseMsMax;
    this.#onProblem = options.onProblem;
  }

  /**
   * Looks at what is kept of a budget, and goes on from it where another gateway, or nobody, knows it better: when it was
   * forgotten, or another has written since. To be asked before {@link learnerOf}, and whenever the store's revision moved.
   *
   * @returns whether the learner is another than before
   * @throws GatewayError `store_unavailable`
   */
  async look(budgetId: string): Promise<boolean> {
    const found = await this.#limits.find(budgetId);
    const known = this.#kept.get(budgetId);
    if (known !== undefined && (found === undefined || !this.#isNews(known, found))) return false;
    this.#kept.set(budgetId, this.#wake(found));
    return known !== undefined;
  }

  /** The learner of a budget. */
  learnerOf(budgetId: string): LimitLearner {
    const known = this.#kept.get(budgetId) ?? this.#wake(undefined);
    this.#kept.set(budgetId, known);
    return known.learner;
  }

  /** {@link KeptLearning.generation} that the learner goes on from. */
  generationOf(budgetId: string): number {
    return this.#kept.get(budgetId)?.generation ?? 0;
  }

  /** The learner that goes on from what another gateway learnt, unless that was forgotten since or is less than is known here. */
  adopt(budgetId: string, { generation, state, at }: KnownLearning): LimitLearner {
    const known = this.#kept.get(budgetId);
    const isOld = known !== undefined && generation < known.generation;
    const isLess = generation === known?.generation && state.refusalsSeen < known.learner.refusalsSeen;
    if (!isOld && !isLess) {
      const now = this.#clock.now();
      const learner = new LimitLearner({ pauseMsMax: this.#pauseMsMax }, now, { state, ageMs: now - at });
      this.#kept.set(budgetId, { learner, generation, isDirty: false, told: learner.refusalsSeen });
    }
    return this.learnerOf(budgetId);
  }

  /** Another gateway learns now, and will write what it knows. */
  letGo(budgetId: string): void {
    const known = this.#kept.get(budgetId);
    if (known !== undefined) known.isDirty = false;
  }

  /** Undefined: nothing is learnt of it here. */
  find(budgetId: string): LimitLearner | undefined {
    return this.#kept.get(budgetId)?.learner;
  }

  /** Calls were counted, or something was learnt from them: it will be written. */
  note(budgetId: string, isLearnt: boolean): void {
    const known = this.#kept.get(budgetId);
    if (known === undefined) return;
    known.isDirty = true;
    const now = this.#clock.now();
    const dueAt = now + (isLearnt ? LEARNT_WITHIN_MS : COUNTED_WITHIN_MS);
    if (dueAt >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = dueAt;
    this.#cancel = this.#clock.after(dueAt - now, () => void this.#write());
  }

  /** The budget is gone, or its limit is given. */
  drop(budgetId: string): void {
    this.#kept.delete(budgetId);
  }

  /** Writes what is not written yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel();
    await this.#write();
  }

  #write(): Promise<void> {
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#writing = this.#writing.then(async () => {
      for (const [budgetId, kept] of this.#kept) if (kept.isDirty) await this.#writeOne(budgetId, kept);
    });
    return this.#writing;
  }

  async #writeOne(budgetId: string, kept: Kept): Promise<void> {
    kept.isDirty = false;
    const { learner, generation, told } = kept;
    const { refusalsSeen } = learner;
    try {
      const learning = {
        state: JSON.stringify(learner.state(this.#clock.now())),
        generation,
        writer: this.#gatewayId,
        writtenAt: this.#clock.epochMs(),
      };
      await this.#limits.keep(budgetId, learning, refusalsSeen > told);
      kept.told = refusalsSeen;
    } catch (error) {
      this.#onProblem(error);
    }
  }

  #isNews(known: Kept, found: KeptLearning): boolean {
    if (found.generation !== known.generation) return true;
    if (found.writer === this.#gatewayId) return false;
    const state = parseKeptState(found.state);
    return state !== undefined && state.refusalsSeen > known.learner.refusalsSeen;
  }

  #wake(found: KeptLearning | undefined): Kept {
    const state = found === undefined ? undefined : parseKeptState(found.state);
    const ageMs = found === undefined ? 0 : Math.max(0, this.#clock.epochMs() - found.writtenAt);
    const kept = state === undefined ? undefined : { state, ageMs };
    const learner = new LimitLearner({ pauseMsMax: this.#pauseMsMax }, this.#clock.now(), kept);
    return { learner, generation: found?.generation ?? 0, isDirty: false, told: learner.refusalsSeen };
  }
}
