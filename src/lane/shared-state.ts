import type { SharedTuning } from './budget-act.ts';
import type { Ledger } from './ledger.ts';
import type { Pace } from './pace.ts';
import type { ReadyApp } from './shared-line.ts';
import type { WindowCount } from './window-count.ts';

/** Before everything; finite, so that it can be written down. */
export const LONG_AGO = -1e15;

/** A gateway that sends from the budget. */
export interface Member {
  readonly id: string;
  run: string;
  renewedAt: number;
  leaseMs: number;
  learns: boolean;
  idle: boolean;
  /** Calls a window that it may send without Redis: as last told, so nobody else is told of them. */
  calls: number;
  /** Slots that it is behind (or ahead of, below 0) its part. */
  credit: number;
  /** {@link SharedState.turns} when that was last reckoned. */
  turns: number;
  apps: readonly ReadyApp[];
  fastestMs: number;
  slowestMs: number;
}

/** All there is to know of a budget. */
export interface SharedState {
  readonly epoch: string;
  /** Redis' time, in milliseconds, at the budget's instant 0; moved when that clock is stepped. */
  origin: number;
  at: number;
  tuning: SharedTuning;
  pace: Pace;
  readonly ledger: Ledger;
  pausedUntil: number;
  /** Slots begin here, because some gateways have not said yet what they sent before the key was lost. */
  startsAt: number;
  /** When the limit in force came. */
  tunedAt: number;
  /** Whether somebody brought what was known before the key was lost. */
  remembered: boolean;
  /** Gateways known from before that have not come back, and the calls that are held back for them. */
  ghosts: number;
  ghostCalls: number;
  ghostsUntil: number;
  turns: number;
  /** The end of the pace: the slot that was handed out last. */
  tail: number;
  readonly members: Member[];
  readonly window: WindowCount;
  /** Id of the gateway that learns the limit; empty: none does. */
  learner: string;
  /** What others saw, for it; the last is numbered {@link SharedState.seenTo}. */
  seen: string[];
  seenTo: number;
  /** All that it knows, in Redis a key of its own; numbered, so that it is told once. */
  learnt: string;
  learntNo: number;
  learntAt: number;
}
