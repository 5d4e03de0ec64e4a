import { z } from 'zod';
import type { Administrator } from '../domain/authority.ts';
import { type Budget, formatRateLimit, type RateLimit } from '../domain/budget.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Learning, LearningMode } from '../domain/learning.ts';
import { learningFrom } from '../lane/learning/kept-learning.ts';
import { givenSpread } from '../lane/spread.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';
import { ensureOwnBudget, type Sharing, sharingOf } from './budget-sharing.ts';
import { slug } from './fields.ts';
import type { UnlimitedBudgets } from './key-view.ts';
import type { Reach } from './reach.ts';

/** Where a limit is known from. */
type Known = 'given' | 'stated' | 'learnt' | 'assumed';

export interface LimitView {
  readonly budget: string;
  /** `100/1s`: the limit in force. */
  readonly limit: string;
  readonly known: Known;
  /** Null: it is given, or not learnt. */
  readonly mode: LearningMode | null;
  /** All limits that are kept, the tightest first; the one in force is the first of them. */
  readonly levels: readonly { readonly limit: string; readonly known: Known; readonly takenBefore: number | null }[];
  /** Newest first, at most eight. */
  readonly refusals: readonly {
    readonly at: string;
    readonly askedMs: number | null;
    /** The window that the refusal was put down to, such as `60s`. */
    readonly window: string;
    readonly taken: number;
  }[];
  readonly refusalsSeen: number;
  /** ISO times. */
  readonly probesAt: string | null;
  readonly waitsUntil: string | null;
  /** Spread of the way to Mason; null: it is measured, and no lane runs here. */
  readonly spreadMs: number | null;
  /** Where it is known from. */
  readonly spreadKnown: 'given' | 'measured';
}

/** What a budget's lane in this process tells. */
export interface Pace {
  readonly limit: RateLimit;
  readonly spreadMs: number;
  /** Undefined: its limit is not learnt. */
  readonly learning: Learning | undefined;
}

/** Undefined: the budget has no lane here. */
export type PaceOf = (budgetId: string) => Pace | undefined;

export interface LimitActDeps extends ActDeps, UnlimitedBudgets {
  readonly paceOf: PaceOf;
}

export interface LimitActs {
  /** `{budget?}`: limits in force, and what each is known from. */
  'limit.show': Act<{ data: readonly LimitView[] }>;
  /** `{budget}`: what was learnt of its limit; it is learnt anew. */
  'limit.forget': Act<{ forgotten: string }>;
}

export function limitActs(deps: LimitActDeps): LimitActs {
  const { store, clock } = deps;
  return {
    'limit.show': looking(
      deps,
      { name: 'limit.show', need: 'team', input: z.strictObject({ budget: slug.optional() }) },
      async (input, { by, reach }) => {
        const data: LimitView[] = [];
        for (const budget of await store.budgets.list()) {
          if (input.budget !== undefined && budget.name !== input.budget) continue;
          if (isThere(by, await sharedBy(reach, budget))) data.push(await limitView(deps, budget));
        }
        if (input.budget !== undefined && data.length === 0) throw noBudget(input.budget);
        return { answer: { data } };
      },
    ),

    'limit.forget': changing(
      deps,
      { name: 'limit.forget', need: 'team', input: z.strictObject({ budget: slug }) },
      async (input, { by, reach }) => {
        const budget = await store.budgets.findByName(input.budget);
        if (budget === undefined || !isThere(by, await sharedBy(reach, budget))) throw noBudget(input.budget);
        await ensureOwnBudget(reach, budget);
        return {
          async carryOut() {
            await store.learnedLimits.forget(budget.id, clock.epochMs());
            return { forgotten: budget.name };
          },
        };
      },
    ),
  };
}

function sharedBy(reach: Reach, budget: Budget): Promise<Sharing> {
  return sharingOf(reach, (key) => key.budgetId === budget.id);
}

/** Budgets are there for operators, and for whoever manages a key on them. */
function isThere({ authority }: Administrator, { keys }: Sharing): boolean {
  return authority.operates || keys.length > 0;
}

function noBudget(name: string): GatewayError {
  return new GatewayError('not_found', `there is no budget ${name}`);
}

async function limitView(deps: LimitActDeps, budget: Budget): Promise<LimitView> {
  const pace = deps.paceOf(budget.id);
  const spread = spreadOf(budget, pace);
  const none = { mode: null, levels: [], refusals: [], refusalsSeen: 0, probesAt: null, waitsUntil: null };
  if (budget.limit !== undefined) {
    return { budget: budget.name, limit: formatRateLimit(budget.limit), known: 'given', ...none, ...spread };
  }
  const learning = await learningOf(deps, budget, pace);
  if (learning === undefined) {
    const limit = formatRateLimit(pace?.limit ?? deps.assumedLimit);
    return { budget: budget.name, limit, known: 'assumed', ...none, ...spread };
  }
  const levels = learning.levels.map(({ from, takenBefore, ...limit }) => ({
    limit: formatRateLimit(limit),
    known: from,
    takenBefore: takenBefore ?? null,
  }));
  return {
    budget: budget.name,
    limit: levels[0]?.limit ?? formatRateLimit(deps.assumedLimit),
    known: levels[0]?.known ?? 'assumed',
    mode: learning.mode,
    levels,
    refusals: learning.refusals.map(({ at, askedMs, windowMs, taken }) => ({
      at: new Date(at).toISOString(),
      askedMs: askedMs ?? null,
      window: formatRateLimit({ calls: 1, windowMs }).slice(2),
      taken,
    })),
    refusalsSeen: learning.refusalsSeen,
    probesAt: isoOrNull(learning.probesAt),
    waitsUntil: isoOrNull(learning.waitsUntil),
    ...spread,
  };
}

/** A spread that was given counts at once; the lane may not have heard of it yet. */
function spreadOf(budget: Budget, pace: Pace | undefined): Pick<LimitView, 'spreadMs' | 'spreadKnown'> {
  if (budget.spreadMs === undefined) return { spreadMs: pace?.spreadMs ?? null, spreadKnown: 'measured' };
  const limit = budget.limit ?? pace?.limit;
  const spreadMs = limit === undefined ? budget.spreadMs : givenSpread(budget.spreadMs, limit.windowMs);
  return { spreadMs, spreadKnown: 'given' };
}

/** What the lane here knows; else what was kept. */
async function learningOf(deps: LimitActDeps, budget: Budget, pace: Pace | undefined): Promise<Learning | undefined> {
  if (pace !== undefined || !deps.learnsLimits) return pace?.learning;
  const kept = await deps.store.learnedLimits.find(budget.id);
  return kept && learningFrom(kept, deps.clock.epochMs());
}

function isoOrNull(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : new Date(epochMs).toISOString();
}
