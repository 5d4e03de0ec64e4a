import type { Pace } from './pace.ts';
import type { ReadyApp } from './shared-line.ts';

/**
 * What a gateway asks of a budget that it shares with others, in one step. Instants are the budget's own: milliseconds
 * since its key was made, as far as the gateway knows them from the last answer.
 */
export interface BudgetAsk {
  readonly gateway: string;
  /** Another one after a restart: the last word of the run before must not make the new one leave. */
  readonly run: string;
  /** `idle`: it has nothing to send for long, and keeps its part for a time without a lease. `leave`: for good. */
  readonly stays: 'active' | 'idle' | 'leave';
  /** The key that the gateway knows; empty: none yet. */
  readonly epoch: string;
  /** What the key is called if it must be made now; never used before. */
  readonly newEpoch: string;
  /** When this was asked; an ask that took longer than `staleMs` to arrive is ignored. -1: the gateway does not know the time. */
  readonly sentAt: number;
  readonly staleMs: number;
  /** Redis' clock was seen to step forward by so much, while {@link BudgetAnswer.origin} was `stepOrigin`; else 0. */
  readonly stepMs: number;
  readonly stepOrigin: number;
  /** Recent round trip to Redis, milliseconds. */
  readonly rttMs: number;
  /** Slots that the gateway has calls for. */
  readonly wants: number;
  /** Calls ready at the gateway by app, at least one each. */
  readonly apps: readonly ReadyApp[];
  readonly tuning: SharedTuning;
  /** Numbers for `tuning`; those of the first who brought a tuning hold, so that two releases agree. */
  readonly pace: Pace;
  /** Whether `tuning` is new; otherwise it counts only where the key is. */
  readonly tune: boolean;
  /** Nobody sends for so long from now on; 0: no new pause. At most `pauseMsMax`, which also bounds a pause in the key. */
  readonly pauseMs: number;
  readonly pauseMsMax: number;
  /** Shortest time to the first byte that the gateway sees, and the same plus the widest spread of like calls; -1: none. */
  readonly fastestMs: number;
  readonly slowestMs: number;
  /** Slots given back, ascending. */
  readonly released: readonly number[];
  /** Calls of the last horizon that went without asking, because Redis was away: by {@link AGES} of it, the newest first. */
  readonly spentAlone: readonly number[];
  /** How long this renews the lease: {@link LEASE_MS}, or {@link QUIET_LEASE_MS} while the gateway has nothing to send. */
  readonly leaseMs: number;
  /** Undefined: the limit is not learnt. */
  readonly learning: LearningAsk | undefined;
  /** For a key that was lost: gateways and part of the limit as last told, rest of a pause, all calls of the last horizon. */
  readonly memory: {
    readonly gateways: number;
    readonly calls: number;
    readonly pauseMs: number;
    readonly spent: readonly number[];
  };
}

/** What gateways that learn a limit together say: one of them learns, the others tell it what they see. Texts are theirs alone. */
export interface LearningAsk {
  /** What this gateway saw since it told last, for the one that learns; empty: nothing. */
  readonly seen: string;
  /** The one that learns has heard what others saw up to this number. */
  readonly heardTo: number;
  /** From the one that learns: all that is known, for the others, and for who comes after it; empty: as before. */
  readonly learnt: string;
  /** Which of those this gateway knows. */
  readonly learntNo: number;
}

export interface LearningAnswer {
  /** Whether this gateway is the one that learns. */
  readonly isLearner: boolean;
  /** For the one that learns: what others saw, as told, the last of them numbered `seenTo`. */
  readonly seen: readonly string[];
  readonly seenTo: number;
  /** All other gateways that learn have told what they saw until then. */
  readonly toldTo: number;
  /** Empty: the gateway knows it. */
  readonly learnt: string;
  readonly learntNo: number;
  readonly learntAt: number;
}

/** What the pace is made from: equal inputs are the same tuning. */
export interface SharedTuning {
  readonly calls: number;
  readonly windowMs: number;
  /** 0: by the rule of the pace. */
  readonly burst: number;
  readonly spreadMs: number;
}

export interface BudgetAnswer {
  readonly epoch: string;
  readonly origin: number;
  readonly now: number;
  /** The ask took too long to arrive and was ignored; nothing below says anything new. */
  readonly stale: boolean;
  /** Instants at which the gateway may send. */
  readonly slots: readonly number[];
  /** When to ask again, where slots were wanted and none is near. */
  readonly againAt: number;
  readonly nextFreeAt: number;
  readonly pausedUntil: number;
  /** Distance of slots now, held-back parts of vanished gateways considered. */
  readonly spacingMs: number;
  readonly tuning: SharedTuning;
  /** Spread of the way to Mason over all gateways, milliseconds; -1: nobody measured. */
  readonly seenSpreadMs: number;
  readonly gateways: number;
  /** Calls a window that this gateway may send when it has lost Redis. */
  readonly calls: number;
  /** This gateway's part of the slots while others wait too, 0 to 1. */
  readonly part: number;
  /** Sum of the weights of all apps that wait anywhere. */
  readonly weights: number;
  /** Which part of each app's turns is for calls that wait here, in the order of {@link BudgetAsk.apps}. */
  readonly parts: readonly number[];
  /** Calls that are ready at other gateways. */
  readonly elsewhere: number;
  /** Calls counted over the horizon, slots that are still to come included. */
  readonly used: number;
  /** Undefined: the gateway did not say that it learns. */
  readonly learning: LearningAnswer | undefined;
}

/** What all gateways hear at once. */
export interface BudgetNews {
  readonly epoch: string;
  readonly pausedUntil: number;
  /** The pace is another: slots held so far are to be given back. */
  readonly tuned: boolean;
}

/** Into so many parts the last horizon is divided, to tell when calls were sent. */
export const AGES = 16;
/** A lease lasts so long from the last ask that arrived. */
export const LEASE_MS = 2_000;
/** One of a gateway that sends nothing: it need not say so often that it is there, and is silent for longer without Redis. */
export const QUIET_LEASE_MS = 10_000;
/** So much of what gateways saw is kept for the one that learns; what is older is lost. */
export const SEEN_KEPT_MAX = 128;
/** For so long the part of a gateway that vanished without a word is held back. */
export const VANISHED_SHARE_MS = 60_000;
/** A gateway that said it is idle is known for so long. */
export const IDLE_KEPT_MS = 3_600_000;
/** No slot is handed out farther ahead, but for one a gateway where the spacing is longer. */
export const AHEAD_MS_MAX = 1_000;
