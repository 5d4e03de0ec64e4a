import { AHEAD_MS_MAX, type BudgetAnswer, type BudgetAsk } from './budget-act.ts';
import { paceAt, spend } from './ledger.ts';
import type { Pace } from './pace.ts';
import type { Member, SharedState } from './shared-state.ts';
import { ROUND_MS_MAX, type Shares, waits } from './shares.ts';

/** A round is not less than four round trips and this, or the gateways would wait for Redis. */
const ROUND_MS_MIN = 20;
const LOOK_AGAIN_MS = 100;
/** So long after another limit came, gateways give back what they held of the one before. */
const GIVING_BACK_MS = 60;
const GIVEN_BACK_SOON_MS = 5;

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

  const { waiting } = shares;
  const round = Math.max(
    waiting,
    Math.min(Math.max(shares.round, (4 * ask.rttMs + ROUND_MS_MIN) / spacingMs), Math.floor(ROUND_MS_MAX / spacingMs)),
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

/**
 * The gateway's part, and how many slots it is behind it; below 0: ahead. Of those who wait, whoever is behind most (or
 * ahead least) is never ahead.
 */
function reckon(state: SharedState, me: Member, { parts }: Shares): { part: number; behind: number } {
  const credit = (member: Member, i: number) =>
    Math.min(1, member.credit + (parts[i] as number) * (state.turns - member.turns));
  const mine = state.members.indexOf(me);
  me.credit = credit(me, mine);
  me.turns = state.turns;
  let best = me.credit;
  for (const [i, member] of state.members.entries()) {
    if (member !== me && waits(member, state.at)) best = Math.max(best, credit(member, i));
  }
  return { part: parts[mine] as number, behind: me.credit - Math.min(0, best) };
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
