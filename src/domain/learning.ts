import type { RateLimit } from './budget.ts';

/** A limit as an answer of Mason's states it. */
export interface StatedLimit {
  /** 1 to 1,000,000. */
  readonly calls: number;
  /** Milliseconds, 100 to 86,400,000. Undefined: only the calls were stated. */
  readonly windowMs: number | undefined;
  /** Calls left in the window. */
  readonly remaining: number | undefined;
  /** Milliseconds to the window's end, 0 to an hour. */
  readonly resetMs: number | undefined;
}

/** What one answer of Mason's tells of its limit. */
export interface RateAnswer {
  /** When the call was sent, on the lane's monotonic clock. */
  readonly sentAt: number;
  /** Whether Mason refused it for its rate. */
  readonly refused: boolean;
  /** The wait that was asked for, milliseconds; undefined: none was. */
  readonly askedMs: number | undefined;
  readonly stated: readonly StatedLimit[];
}

/**
 * `searching`: never refused, so the pace rises as long as calls wait; `holding`: kept below what was refused; `probing`: a
 * little above that, to see whether it still is; `waiting`: refused, and not a call was taken since; `stated`: Mason says it.
 */
export type LearningMode = 'searching' | 'holding' | 'probing' | 'waiting' | 'stated';

/** A limit in force, and what it is known from. */
export interface LearntLevel extends RateLimit {
  /** `assumed`: nothing is known that speaks against it; `learnt`: from a refusal; `stated`: by Mason. */
  readonly from: 'assumed' | 'learnt' | 'stated';
  /** Calls that Mason had taken in the window before it refused one. */
  readonly takenBefore: number | undefined;
}

/** A refusal as it is remembered. */
export interface NotedRefusal {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly askedMs: number | undefined;
  /** The window that it was put down to, and how many calls Mason had taken in it. */
  readonly windowMs: number;
  readonly taken: number;
}

/** What was learnt of a budget, for people. */
export interface Learning {
  readonly mode: LearningMode;
  /** All limits in force, the tightest first. */
  readonly levels: readonly LearntLevel[];
  /** Newest first, at most eight; refusals that came together are one. */
  readonly refusals: readonly NotedRefusal[];
  /** All answers 429 that were heard of. */
  readonly refusalsSeen: number;
  /** Milliseconds since 1970 from which a little more is tried, if calls wait; undefined: not now. */
  readonly probesAt: number | undefined;
  /** Milliseconds since 1970 until which nobody sends; undefined: nobody waits for that. */
  readonly waitsUntil: number | undefined;
}

/** What is kept of a budget's learning. */
export interface KeptLearning {
  /** JSON of at most {@link LEARNING_CHARACTERS_MAX} characters. */
  readonly state: string;
  /** Grows each time that it is forgotten. */
  readonly generation: number;
  /** Which gateway wrote it. */
  readonly writer: string;
  /** Milliseconds since 1970. */
  readonly writtenAt: number;
}

export const LEARNING_CHARACTERS_MAX = 32_768;

/** What was learnt of budgets, over restarts and for other gateways. Every method may throw GatewayError `store_unavailable`. */
export interface LearnedLimits {
  /** Also when it was forgotten: then its state is empty. Undefined: nothing was ever kept. */
  find(budgetId: string): Promise<KeptLearning | undefined>;
  /**
   * Keeps it, unless it was forgotten since that generation.
   *
   * @param tellOthers whether other gateways shall hear of it at once: it moves the revision
   * @returns whether it was kept; false also where the budget is gone
   * @throws RangeError when the state is longer than it may be
   */
  keep(budgetId: string, learning: KeptLearning, tellOthers: boolean): Promise<boolean>;
  /**
   * Forgets it, also what a gateway has not written yet.
   *
   * @throws GatewayError `not_found` when the budget is gone
   */
  forget(budgetId: string, nowEpochMs: number): Promise<void>;
}
