import { type BudgetAnswer, type BudgetAsk, type BudgetNews, IDLE_KEPT_MS, VANISHED_SHARE_MS } from './budget-act.ts';
import { grant } from './grant.ts';
import { pauseLedger, retuneLedger } from './ledger.ts';
import { callsAlone, renew } from './members.ts';
import { learn } from './shared-learning.ts';
import { LONG_AGO, type Member, type SharedState } from './shared-state.ts';
import { type Shares, sharesOf, weigh } from './shares.ts';
import { WindowCount } from './window-count.ts';

/** A step of a shared budget: the answer, the state from now on, and what every gateway must hear at once. */
interface BudgetStep {
  readonly state: SharedState | undefined;
  readonly answer: BudgetAnswer;
  readonly news: BudgetNews | undefined;
}

/**
 * The arithmetic of a budget that several gateways share: the same as `redis/scripts/budgetSlots-2.lua`, instant for
 * instant, so that it can be tried, and simulated, without Redis.
 *
 * @param timeMs the one clock that all of them share; it may step.
 */
export function budgetStep(known: SharedState | undefined, timeMs: number, ask: BudgetAsk): BudgetStep {
  const state = known ?? begin(timeMs, ask);
  const { origin, now } = timeOf(state, timeMs, ask);
  if (known !== undefined && ask.epoch === state.epoch && ask.sentAt >= 0 && now - ask.sentAt > ask.staleMs) {
    return { state, answer: { ...answerOf(state, undefined, weigh(state), {}), now, stale: true }, news: undefined };
  }
  state.origin = origin;
  state.at = now;
  forgetVanished(state, now);
  state.window.expire(now, state.pace.horizonMs);
  release(state, ask.released);
  if (ask.stays === 'leave') {
    const at = state.members.findIndex(({ id, run }) => id === ask.gateway && run === ask.run);
    if (at >= 0) state.members.splice(at, 1);
    return { state: known, answer: answerOf(state, undefined, weigh(state), {}), news: undefined };
  }
  const me = renew(state, now, ask);
  const learning = learn(state, me, now, ask);
  const tuned = retune(state, now, ask);
  const paused = pause(state, now, ask);
  const shares = weigh(state);
  const granted = grant(state, me, shares, now, ask);
  me.calls = callsAlone(state, me);
  const news = tuned || paused ? { epoch: state.epoch, pausedUntil: state.pausedUntil, tuned } : undefined;
  return { state, answer: { ...answerOf(state, me, shares, granted), learning }, news };
}

function begin(timeMs: number, { newEpoch, tuning, pace }: BudgetAsk): SharedState {
  return {
    epoch: newEpoch,
    origin: timeMs,
    at: 0,
    tuning,
    pace,
    ledger: { nextFreeAt: LONG_AGO, burstDueAt: LONG_AGO, evenFromAt: LONG_AGO },
    pausedUntil: LONG_AGO,
    startsAt: LONG_AGO,
    tunedAt: LONG_AGO,
    remembered: false,
    ghosts: 0,
    ghostCalls: 0,
    ghostsUntil: 0,
    turns: 0,
    tail: LONG_AGO,
    members: [],
    window: new WindowCount(),
    learner: '',
    seen: [],
    seenTo: 0,
    learnt: '',
    learntNo: 0,
    learntAt: 0,
  };
}

/**
 * The budget's own time never goes back: where the clock does, it goes on with what the gateway knows of it. A step forward
 * it leaves out once a gateway says that it was one.
 */
function timeOf({ epoch, origin, at }: SharedState, timeMs: number, ask: BudgetAsk): { origin: number; now: number } {
  if (timeMs - origin < at) {
    const now = ask.epoch === epoch ? Math.max(at, ask.sentAt) : at;
    return { origin: timeMs - now, now };
  }
  const leftOut = ask.stepOrigin === origin ? Math.max(0, Math.min(ask.stepMs, timeMs - origin - at)) : 0;
  return { origin: origin + leftOut, now: Math.max(at, timeMs - (origin + leftOut)) };
}

function forgetVanished(state: SharedState, now: number): void {
  const { members } = state;
  for (let i = members.length - 1; i >= 0; i--) {
    const { idle, renewedAt, leaseMs } = members[i] as Member;
    if (now - renewedAt > (idle ? IDLE_KEPT_MS : leaseMs + VANISHED_SHARE_MS)) members.splice(i, 1);
  }
  if (state.ghosts > 0 && now >= state.ghostsUntil) {
    state.ghosts = 0;
    state.ghostCalls = 0;
  }
}

/** Slots given back count no more; the end of the pace moves back where nobody holds a later slot. */
function release(state: SharedState, released: readonly number[]): void {
  for (let i = released.length - 1; i >= 0; i--) {
    const at = released[i] as number;
    state.window.remove(at);
    if (at !== state.tail) continue;
    state.ledger.nextFreeAt = at;
    const before = released[i - 1];
    const follows = before !== undefined && Math.abs(before + state.pace.spacingMs - at) < 0.001;
    state.tail = follows ? before : LONG_AGO;
  }
}

function retune(state: SharedState, now: number, { gateway, learning, tune, tuning, pace }: BudgetAsk): boolean {
  const { calls, windowMs, burst, spreadMs } = state.tuning;
  const sameLimit = tuning.calls === calls && tuning.windowMs === windowMs && tuning.burst === burst;
  if (!tune || (sameLimit && tuning.spreadMs === spreadMs)) return false;
  // Of a limit that is learnt, what the others know may be old.
  if (!sameLimit && learning !== undefined && state.learner !== gateway) return false;
  scaleParts(state, tuning.calls / calls);
  state.tuning = tuning;
  state.pace = pace;
  if (!sameLimit) {
    state.tunedAt = now;
    // Given back from now on, it is behind the new pace, not its end.
    state.tail = LONG_AGO;
  }
  // Who hears of another limit gives held slots back. Of another spread nobody hears: those slots will be used.
  const held = sameLimit ? state.window.newestAt : LONG_AGO;
  retuneLedger(state.ledger, pace, now, Math.max(state.pausedUntil, held));
  return !sameLimit;
}

/** What is kept for gateways that vanished is a part of the limit, and so is what they would send alone. */
function scaleParts(state: SharedState, by: number): void {
  state.ghostCalls *= by;
  for (const member of state.members) member.calls *= by;
}

function pause(state: SharedState, now: number, { pauseMs, pauseMsMax }: BudgetAsk): boolean {
  state.pausedUntil = Math.min(state.pausedUntil, now + pauseMsMax);
  if (!(pauseMs > 0)) return false;
  state.pausedUntil = Math.max(state.pausedUntil, now + Math.min(pauseMs, pauseMsMax));
  pauseLedger(state.ledger, state.pace, state.pausedUntil);
  return true;
}

function answerOf(
  state: SharedState,
  me: Member | undefined,
  shares: Shares,
  granted: Partial<Pick<BudgetAnswer, 'slots' | 'againAt' | 'spacingMs'>>,
): BudgetAnswer {
  const { pace, members } = state;
  return {
    epoch: state.epoch,
    origin: state.origin,
    now: state.at,
    stale: false,
    slots: [],
    againAt: state.at,
    nextFreeAt: state.ledger.nextFreeAt,
    pausedUntil: state.pausedUntil,
    spacingMs: pace.spacingMs,
    ...granted,
    tuning: state.tuning,
    seenSpreadMs: seenSpread(members),
    gateways: members.length + state.ghosts,
    calls: me?.calls ?? 0,
    ...sharesOf(state, me, shares),
    used: state.window.total,
    learning: undefined,
  };
}

/** Longest less shortest time to a first byte, over all gateways: some may be farther from Mason than others. */
function seenSpread(members: readonly Member[]): number {
  let fastest = Number.MAX_VALUE;
  let slowest = -1;
  for (const { fastestMs, slowestMs } of members) {
    if (fastestMs < 0) continue;
    fastest = Math.min(fastest, fastestMs);
    slowest = Math.max(slowest, slowestMs);
  }
  return slowest < 0 ? -1 : slowest - fastest;
}
