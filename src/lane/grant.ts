import { AHEAD_MS_MAX, type BudgetAnswer, type BudgetAsk, LEASE_MS } from './budget-act.ts';
import { paceAt, spend } from './ledger.ts';
import type { Pace } from './pace.ts';
import type { Member, SharedState } from './shared-state.ts';

/** A round gives each waiting gateway about so many slots, so that asking costs little; */
const SLOTS_PER_ROUND = 14;
/**
 * fewer, down to so many, where an app has few calls waiting for its turns of a round: these are soon at other gateways than
 * the parts say. Some come back within the round;
 */
const SLOTS_PER_ROUND_MIN = 8;
const QUIETEST_TIMES = 1.5;
const FEW_APPS_MAX = 4;
/** but lasts no longer than this, so that a gateway that comes new does not wait long; */
const ROUND_MS_MAX = 600;
/** and not less than four round trips and this, or the gateways would wait for Redis. */
const ROUND_MS_MIN = 20;
const LOOK_AGAIN_MS = 100;
/** So long after another limit came, gateways give back what they held of the one before. */
const GIVING_BACK_MS = 60;
const GIVEN_BACK_SOON_MS = 5;

/** Parts of the gateways in the order of the members, their sum, and how many calls of each app wait anywhere. */
export interface Shares {
  readonly of: readonly number[];
  readonly weights: number;
  readonly everywhere: ReadonlyMap<string, number>;
}

type Granted = Pick<BudgetAnswer, 'slots' | 'againAt' | 'spacingMs'>;

/**
 * Hands out slots: in rounds, to each gateway by its part of what waits, fractions carried over. A gateway that has had
 * more than its part gets nothing until the others have had theirs, unless nobody holds a slot that is still to come.
 */
export function grant(state: SharedState, me: Member, shares: Shares, now: number, ask: BudgetAsk): Granted {
  const pace = paceNow(state, now);
  if (pace === undefined) return { slots: [], againAt: now + ROUND_MS_MAX, spacingMs: state.pace.spacingMs };
  const { spacingMs } = pace;
  const { part, behind } = reckon(state, me, shares);
  if (!(ask.wants > 0)) return { slots: [], againAt: now, spacingMs };
  // It may begin earlier: as soon as the last gateway has said what it sent.
  if (state.startsAt > now) return { slots: [], againAt: Math.min(state.startsAt, now + LOOK_AGAIN_MS), spacingMs };

  const waiting = countWaiting(state);
  const round = Math.max(
    waiting,
    Math.min(
      Math.max(slotsPerRound(shares, waiting) * waiting, (4 * ask.rttMs + ROUND_MS_MIN) / spacingMs),
      Math.floor(ROUND_MS_MAX / spacingMs),
    ),
  );
  const from = now + Math.max(0, ask.rttMs - pace.lateMsMax / 2);
  const until = from + Math.max(AHEAD_MS_MAX, (waiting + 1) * spacingMs);
  const evenAt = () => Math.max(paceAt(state.ledger, pace), state.pausedUntil, from);
  const freeAt = () => Math.max(evenAt(), state.window.roomAt(pace.horizonCallsMax, pace.horizonMs));
  // Whoever took slots behind those that nobody will use would leave a hole in the pace.
  if (now - state.tunedAt < GIVING_BACK_MS && freeAt() > evenAt()) {
    return { slots: [], againAt: now + GIVEN_BACK_SOON_MS, spacingMs };
  }
  let most = Math.floor(round * part + behind + 1e-9);
  if (most < 1 && (behind >= 0 || freeAt() <= from)) most = 1;
  most = Math.min(most, ask.wants);

  const slots: number[] = [];
  let againAt = freeAt();
  while (slots.length < most) {
    const at = freeAt();
    if (at > until) {
      againAt = at - AHEAD_MS_MAX / 2;
      break;
    }
    spend(state.ledger, pace, at, at);
    state.window.add(at, pace.bucketMs);
    state.tail = at;
    slots.push(at);
  }
  state.turns += slots.length;
  me.credit -= slots.length;
  return { slots, againAt, spacingMs };
}

function slotsPerRound({ everywhere }: Shares, waiting: number): number {
  if (everywhere.size <= FEW_APPS_MAX) return SLOTS_PER_ROUND;
  let quietest = Number.MAX_VALUE;
  for (const ready of everywhere.values()) quietest = Math.min(quietest, ready);
  const most = Math.floor((QUIETEST_TIMES * quietest * everywhere.size) / waiting);
  return Math.max(SLOTS_PER_ROUND_MIN, Math.min(SLOTS_PER_ROUND, most));
}

/**
 * The gateway's part, and how many slots it is behind it; below 0: ahead. Of those who wait, whoever is behind most (or
 * ahead least) is never ahead.
 */
function reckon(state: SharedState, me: Member, { of, weights }: Shares): { part: number; behind: number } {
  const credit = (member: Member, i: number) =>
    Math.min(1, member.credit + partOf(of[i] as number, weights) * (state.turns - member.turns));
  const mine = state.members.indexOf(me);
  me.credit = credit(me, mine);
  me.turns = state.turns;
  let best = me.credit;
  for (const [i, member] of state.members.entries()) {
    if (member !== me && waits(member, state.at)) best = Math.max(best, credit(member, i));
  }
  return { part: partOf(of[mine] as number, weights), behind: me.credit - Math.min(0, best) };
}

/** The pace, less what is held back for gateways that vanished. Undefined: nothing is left. */
function paceNow({ members, pace, tuning, ghostCalls }: SharedState, now: number): Pace | undefined {
  let held = ghostCalls;
  for (const { renewedAt, leaseMs, idle, calls } of members) if (!idle && now - renewedAt > leaseMs) held += calls;
  if (held <= 0) return pace;
  const left = tuning.calls - held;
  if (left < 1) return undefined;
  const slower = tuning.calls / left;
  return {
    ...pace,
    spacingMs: pace.spacingMs * slower,
    burstSpacingMs: pace.burstSpacingMs * slower,
    burstDebtMsMax: pace.burstDebtMsMax * slower,
    horizonCallsMax: Math.max(1, Math.floor(pace.horizonCallsMax - held)),
  };
}

function countWaiting({ members, at }: SharedState): number {
  let waiting = 0;
  for (const member of members) if (waits(member, at)) waiting++;
  return Math.max(1, waiting);
}

function waits({ renewedAt, apps }: Member, now: number): boolean {
  return apps.length > 0 && now - renewedAt <= LEASE_MS;
}

/** Who has no call ready has the whole budget to itself, as far as it matters to others. */
function partOf(mine: number, weights: number): number {
  return mine > 0 ? mine / weights : 1;
}

/**
 * Parts by apps, not by gateways: an app's weight is spread over the gateways at which it waits, by how many of its calls
 * wait at each.
 */
export function weigh({ members, at }: SharedState): Shares {
  const everywhere = new Map<string, number>();
  for (const member of members) {
    if (!waits(member, at)) continue;
    for (const [appId, ready] of member.apps) everywhere.set(appId, (everywhere.get(appId) ?? 0) + ready);
  }
  let weights = 0;
  const of = members.map((member) => {
    if (!waits(member, at)) return 0;
    let own = 0;
    for (const [appId, ready, weight] of member.apps) own += weight * (ready / (everywhere.get(appId) as number));
    weights += own;
    return own;
  });
  return { of, weights, everywhere };
}

/** What a gateway is told of parts. */
export function sharesOf(
  state: SharedState,
  me: Member | undefined,
  { of, weights, everywhere }: Shares,
): Pick<BudgetAnswer, 'part' | 'weights' | 'parts'> {
  if (me === undefined) return { part: 1, weights, parts: [] };
  const mine = of[state.members.indexOf(me)] as number;
  return {
    part: partOf(mine, weights),
    weights,
    parts: me.apps.map(([app, ready]) => ready / (everywhere.get(app) ?? ready)),
  };
}
