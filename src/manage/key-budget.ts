import { type Budget, formatRateLimit, type RateLimit, sameLimit } from '../domain/budget.ts';
import { GatewayError } from '../domain/errors.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import { givenSpread } from '../lane/spread.ts';
import type { Store } from '../store/open-store.ts';
import { newId } from './new-id.ts';

/** What was said of a budget. Undefined: nothing; null: the limit is learnt, the burst by the lane's rule, the spread measured. */
export interface BudgetWish {
  readonly budget?: string | undefined;
  readonly limit?: RateLimit | null | undefined;
  readonly burst?: number | null | undefined;
  readonly spreadMs?: number | null | undefined;
}

/** The budget that a key is to have, and what must be done for it, in this order. */
export interface BudgetChoice {
  readonly budget: Budget;
  readonly isNew: boolean;
  /** Whether the budget exists and is to get the limit, burst and spread that `budget` says. */
  readonly tuningChanges: boolean;
}

const NAME_CHARACTERS_MAX = 63;

/**
 * The budget for a new key: that of the same key elsewhere, because Mason counts it once; else the one named; else one of its own.
 *
 * @param twin a key of the same fingerprint
 * @param mayJoin throws where whoever asks must not put keys on that budget
 * @throws GatewayError `conflict` when that budget is another than the one named, or has another limit than the one given.
 */
export async function budgetForNewKey(
  store: Store,
  ownName: string,
  twin: MasonKey | undefined,
  wish: BudgetWish,
  nowEpochMs: number,
  mayJoin: (budget: Budget) => Promise<void>,
): Promise<BudgetChoice> {
  const shared = twin === undefined ? undefined : await store.budgets.findById(twin.budgetId);
  if (shared !== undefined && wish.budget !== undefined && wish.budget !== shared.name) {
    throw new GatewayError(
      'conflict',
      `this key is in use already, on the budget ${shared.name}, and one key has one budget: expected ${shared.name} or none, ` +
        `got ${wish.budget}`,
    );
  }
  const existing = shared ?? (wish.budget === undefined ? undefined : await store.budgets.findByName(wish.budget));
  if (existing === undefined) {
    const taken = new Set((await store.budgets.list()).map((budget) => budget.name));
    return newBudget(wish.budget ?? freeBudgetName(ownName, taken), wish, nowEpochMs);
  }
  // Before anything is told of it.
  await mayJoin(existing);
  const joined = withWish(existing, wish);
  if (existing.limit !== undefined && !sameTuning(existing, joined)) {
    throw new GatewayError(
      'conflict',
      `the budget ${existing.name} has the limit ${describeLimit(existing)} already, got ${describeLimit(joined)}: add the key ` +
        'without a limit, and change the limit with "key set" if it is wrong',
    );
  }
  return { budget: joined, isNew: false, tuningChanges: !sameTuning(existing, joined) };
}

/** The budget that a key moves to, or stays on, and its limit there. */
export async function budgetForKnownKey(
  store: Store,
  key: MasonKey,
  wish: BudgetWish,
  nowEpochMs: number,
): Promise<BudgetChoice> {
  const existing =
    wish.budget === undefined
      ? await store.budgets.findById(key.budgetId)
      : await store.budgets.findByName(wish.budget);
  if (existing === undefined) return newBudget(wish.budget ?? key.name, wish, nowEpochMs);
  const wanted = withWish(existing, wish);
  return { budget: wanted, isNew: false, tuningChanges: !sameTuning(existing, wanted) };
}

/** Makes what the choice needs, before a key points at it. */
export async function prepareBudget(store: Store, { budget, isNew, tuningChanges }: BudgetChoice): Promise<void> {
  if (isNew) await store.budgets.add(budget);
  else if (tuningChanges) await store.budgets.tune(budget.id, budget);
}

function newBudget(name: string, wish: BudgetWish, nowEpochMs: number): BudgetChoice {
  const id = newId('budget');
  const blank: Budget = { id, name, limit: undefined, burst: undefined, spreadMs: undefined, createdAt: nowEpochMs };
  return { budget: withWish(blank, wish), isNew: true, tuningChanges: false };
}

/** The budget with what was said of it. */
export function withWish(budget: Budget, wish: BudgetWish): Budget {
  return {
    ...budget,
    limit: wish.limit === undefined ? budget.limit : (wish.limit ?? undefined),
    burst: wish.burst === undefined ? budget.burst : (wish.burst ?? undefined),
    spreadMs: wish.spreadMs === undefined ? budget.spreadMs : (wish.spreadMs ?? undefined),
  };
}

/**
 * @param budget with what was said of it; whoever said it may hear of the budget's limit
 * @throws GatewayError `invalid_request` when its spread is more than a tenth of its limit's window
 */
export function ensureSpreadFits(budget: Budget, { spreadMs }: BudgetWish): void {
  const problem = spreadProblem(budget, spreadMs !== undefined);
  if (problem === undefined) return;
  throw new GatewayError('invalid_request', `spreadMs: ${problem}`);
}

/**
 * What is wrong with a spread beside a limit. Of a limit that is learnt the lane takes a tenth of its window at most, whatever
 * was given.
 *
 * @param isNew whether the spread was said now
 */
export function spreadProblem(
  { limit, spreadMs }: Pick<Budget, 'limit' | 'spreadMs'>,
  isNew: boolean,
): string | undefined {
  if (limit === undefined || spreadMs === undefined) return undefined;
  const mostMs = givenSpread(spreadMs, limit.windowMs);
  if (spreadMs <= mostMs) return undefined;
  const bounds = `0 to ${Math.floor(mostMs)} milliseconds (a tenth of the window of ${formatRateLimit(limit)})`;
  return `expected ${bounds}, or "measured", got ${spreadMs}${isNew ? '' : ', which was set before'}`;
}

/** The name of a new budget that nobody named. */
export function freeBudgetName(wanted: string, taken: { has(name: string): boolean }): string {
  let name = wanted.slice(0, NAME_CHARACTERS_MAX);
  for (let n = 2; taken.has(name); n += 1) name = `${wanted.slice(0, NAME_CHARACTERS_MAX - 8)}-${n}`;
  return name;
}

function sameTuning(a: Budget, b: Budget): boolean {
  return sameLimit(a.limit, b.limit) && a.burst === b.burst && a.spreadMs === b.spreadMs;
}

function describeLimit(budget: Budget): string {
  const limit = budget.limit === undefined ? 'auto' : formatRateLimit(budget.limit);
  const burst = budget.burst === undefined ? '' : ` with bursts of ${budget.burst}`;
  return budget.spreadMs === undefined ? limit + burst : `${limit}${burst}, a spread of ${budget.spreadMs} ms`;
}
