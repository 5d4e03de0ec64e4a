import { type BudgetAsk, LEASE_MS, type LearningAnswer, SEEN_KEPT_MAX } from './budget-act.ts';
import type { Member, SharedState } from './shared-state.ts';

/**
 * Which gateway learns the limit, and what the others tell it: of those that hold a lease, whoever did so far, else the one
 * with the smallest id.
 */
export function learn(
  state: SharedState,
  me: Member,
  now: number,
  { learning }: BudgetAsk,
): LearningAnswer | undefined {
  if (learning === undefined) return undefined;
  const tells = learning.learnt !== '' && state.learner === me.id;
  if (tells) {
    state.learnt = learning.learnt;
    state.learntNo++;
    state.learntAt = now;
  }
  const { learner, toldTo } = learnerOf(state, me, now);
  state.learner = learner;
  const isLearner = learner === me.id;
  const { seen } = state;
  if (isLearner) seen.splice(0, seen.length - Math.min(seen.length, Math.max(0, state.seenTo - learning.heardTo)));
  if (learning.seen !== '') {
    state.seenTo++;
    seen.push(learning.seen);
    if (seen.length > SEEN_KEPT_MAX) seen.shift();
  }
  return {
    isLearner,
    seen: isLearner ? [...seen] : [],
    seenTo: state.seenTo,
    toldTo,
    learnt: tells || learning.learntNo === state.learntNo ? '' : state.learnt,
    learntNo: state.learntNo,
    learntAt: state.learntAt,
  };
}

function learnerOf({ members, learner }: SharedState, me: Member, now: number): { learner: string; toldTo: number } {
  let [chosen, toldTo] = ['', now];
  for (const { id, learns, idle, renewedAt, leaseMs } of members) {
    if (!learns || idle || now - renewedAt > leaseMs) continue;
    // One that is quiet sends nothing, and tells as soon as it does.
    if (id !== me.id && leaseMs <= LEASE_MS) toldTo = Math.min(toldTo, renewedAt);
    if (chosen === '' || id === learner || (chosen !== learner && id < chosen)) chosen = id;
  }
  return { learner: chosen, toldTo };
}
