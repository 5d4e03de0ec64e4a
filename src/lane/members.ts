import { AGES, type BudgetAsk, LEASE_MS, VANISHED_SHARE_MS } from './budget-act.ts';
import { pauseLedger } from './ledger.ts';
import { LONG_AGO, type Member, type SharedState } from './shared-state.ts';

/** Renews the lease; a gateway that was not known brings what it remembers. */
export function renew(state: SharedState, now: number, ask: BudgetAsk): Member {
  const remembers = ask.epoch !== '' && ask.epoch !== state.epoch;
  let me = state.members.find(({ id }) => id === ask.gateway);
  const isNew = me === undefined;
  if (me === undefined) {
    me = {
      id: ask.gateway,
      run: ask.run,
      renewedAt: now,
      leaseMs: ask.leaseMs,
      learns: false,
      idle: false,
      calls: 0,
      credit: 0,
      turns: state.turns,
      apps: [],
      fastestMs: -1,
      slowestMs: -1,
    };
    state.members.push(me);
    if (remembers) remember(state, now, ask);
  }
  const spent = isNew && remembers ? ask.memory.spent : ask.spentAlone;
  for (const [age, calls] of spent.entries()) {
    if (calls > 0) state.window.add(now - (age * state.pace.horizonMs) / AGES, state.pace.bucketMs, calls);
  }
  me.run = ask.run;
  me.renewedAt = now;
  me.leaseMs = ask.leaseMs;
  me.learns = ask.learning !== undefined;
  me.idle = ask.stays === 'idle';
  me.apps = ask.apps;
  me.fastestMs = ask.fastestMs;
  me.slowestMs = ask.slowestMs;
  return me;
}

/** The first who knew the lost key brings how many they were: all others count as vanished until they come. */
function remember(state: SharedState, now: number, { memory }: BudgetAsk): void {
  if (!state.remembered) {
    state.remembered = true;
    const others = memory.gateways - 1;
    if (others > 0) {
      state.ghosts = others;
      state.ghostCalls = Math.max(0, state.tuning.calls - memory.calls);
      state.ghostsUntil = now + LEASE_MS + VANISHED_SHARE_MS;
      state.startsAt = now + state.pace.horizonMs;
    }
  } else if (state.ghosts > 0) {
    state.ghostCalls -= state.ghostCalls / state.ghosts;
    state.ghosts--;
    if (state.ghosts === 0) {
      state.ghostCalls = 0;
      state.startsAt = LONG_AGO;
    }
  }
  if (memory.pauseMs > 0) {
    state.pausedUntil = Math.max(state.pausedUntil, now + memory.pauseMs);
    pauseLedger(state.ledger, state.pace, state.pausedUntil);
  }
}

/** An even part, as far as it is not promised to others: all parts together are never more than the limit. */
export function callsAlone(state: SharedState, me: Member): number {
  let promised = Math.ceil(state.ghostCalls);
  for (const member of state.members) if (member !== me) promised += member.calls;
  const even = Math.ceil(state.tuning.calls / (state.members.length + state.ghosts));
  return Math.max(0, Math.floor(Math.min(even, state.tuning.calls - promised) + 1e-9));
}
