import type { RateLimit } from './budget.ts';
import type { RateAnswer } from './learning.ts';

/** A call that wants to go to Mason. */
export interface LaneCall {
  /** Shares are by app. */
  readonly appId: string;
  /** Weight of the app, 1 to 100. */
  readonly weight: number;
  /** RFC 9218 urgency, 0 (first) to 7. */
  readonly urgency: number;
  /** Monotonic instant ({@link Clock.now}) by which it must have been *sent*; it is refused as soon as that cannot be. */
  readonly deadlineAt: number;
  /** Bytes of memory that the waiting call holds (body and headers), for the bound on memory. */
  readonly heldBytes: number;
}

/**
 * A call's place in the line. It keeps its seniority until it is disposed of: a call that Mason refused for its rate
 * asks for another turn and comes before all of its app that have not had one. (Between apps the share decides, or an
 * app whose calls Mason always refuses would be first for ever.)
 */
export interface Place extends Disposable {
  /**
   * Waits for the next turn. Calling it says that the call is ready: a slot never waits for a call that is not.
   * At most one turn is asked for at a time. The turn's slot is spent once the promise settles, unless it is returned.
   *
   * @throws GatewayError `deadline_unreachable` as soon as no slot can come in time, `queue_full` when the line is full
   * and an app that waits with less takes the place, both with `retryAfterMs`; `caller_gone` with the signal's reason as
   * cause when the signal aborts or the place is disposed of, `shutting_down` when the lane closes.
   */
  turn(signal: LeaveSignal): Promise<Turn>;
  /** Whether a turn is asked for and has not come yet. */
  readonly asksForTurn: boolean;
}

export interface Turn {
  /** Gives an unused slot to whoever waits next; nothing happens when it is called twice, or after `sent`. */
  giveBack(): void;
  /** The call is on its way: the slot is spent. */
  sent(): void;
}

/** What a budget looks like to one app, for `RateLimit` (IETF draft) and `Retry-After`. */
export interface LaneShare {
  /** The app's share of calls in a window as things are now; at least 1. */
  readonly calls: number;
  readonly windowMs: number;
  /** Calls that the app could send now without waiting. */
  readonly remaining: number;
  /** Milliseconds until the window's count is fresh. */
  readonly resetMs: number;
}

export interface LaneStats {
  readonly limit: RateLimit;
  /** Calls waiting, ready or not. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Slots spent since the lane began. */
  readonly sent: number;
  /** Part of the limit spent in the window that ends now, 0 to 1 (and a little over where Mason's limit changed). */
  readonly used: number;
  /** Spread of the one-way delay to Mason, milliseconds. */
  readonly spreadMs: number;
  /** Monotonic instant until which nobody sends, 0 when there is no pause. */
  readonly pausedUntil: number;
  /**
   * `local`: this process alone sends from the budget. `shared`: with other gateways, through Redis. `silent`: Redis is
   * away; only slots held already are used. `alone`: Redis is away for longer, and a part of the limit is used.
   */
  readonly mode: 'local' | 'shared' | 'silent' | 'alone';
  /** Gateways that send from the budget, as last known. */
  readonly gateways: number;
  /** Recent round trip to Redis, milliseconds; 0: none yet. */
  readonly roundTripMs: number;
  /** How often Redis was asked since the lane began. */
  readonly asked: number;
}

/** Says that a caller left, and why. Every `AbortSignal` is one. */
export interface LeaveSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: LeaveListener, options?: { once: boolean }): void;
  removeEventListener(type: 'abort', listener: LeaveListener): void;
}

/** A function, or what waits anyway: a function more for each call that waits is memory. */
export type LeaveListener = (() => void) | { handleEvent(): void };

/** The line of one budget. */
export interface Lane {
  /**
   * Joins the line.
   *
   * @throws GatewayError `queue_full` when the bound on waiting calls or memory is reached, `deadline_unreachable` when
   * the predicted wait exceeds the deadline; both with `retryAfterMs`, the earliest time at which this call would go if
   * nothing new came. `shutting_down` when the lane is closed.
   */
  join(call: LaneCall): Place;
  share(appId: string, weight: number): LaneShare;
  /** Mason refused for rate: nobody sends for so long; the line keeps its order. Bounded by the lane's `pauseMsMax`. */
  pause(durationMs: number): void;
  /** Milliseconds from sending to the first byte of an answer, for the measured spread; like calls by operation. */
  observe(operation: string, firstByteMs: number): void;
  /** What Mason's answer tells of its limit: for a lane that learns it. */
  heard?(answer: RateAnswer): void;
  stats(): LaneStats;
  /** Another limit, burst or spread from now on. Whoever waits keeps the place, or is refused if it cannot go in time now. */
  retune(tuning: LaneTuning): void;
  /** Refuses all who wait, with `shutting_down`. */
  close(): Promise<void>;
}

/** What may change while a lane lives. */
export interface LaneTuning {
  readonly limit: RateLimit;
  /** Calls that may leave at once after idleness. Undefined: by the rule of the pace. */
  readonly burst: number | undefined;
  /** Spread of the one-way delay to Mason, milliseconds, 0 or more: at most a tenth of the window counts. Undefined: measured. */
  readonly spreadMs: number | undefined;
}

/** How a lane is made; the same for each engine. */
export interface LaneSettings extends LaneTuning {
  readonly budgetId: string;
  readonly waitingCallsMax: number;
  readonly waitingBytesMax: number;
  readonly pauseMsMax: number;
}
