import { z } from 'zod';
import type { Administrator } from '../domain/authority.ts';
import { type Budget, formatRateLimit } from '../domain/budget.ts';
import { GatewayError } from '../domain/errors.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';
import { ensureOwnBudget, type Sharing, sharingOf } from './budget-sharing.ts';
import { burst, rateLimit, slug, spreadMs } from './fields.ts';
import { ensureSpreadFits, withWish } from './key-budget.ts';
import { ensureStillThere } from './look-up.ts';

export interface BudgetView extends Sharing {
  readonly id: string;
  readonly name: string;
  /** `100/1s`; null: nobody gave one. */
  readonly limit: string | null;
  /** Calls that may leave at once after idleness; null: by the lane's rule. */
  readonly burst: number | null;
  /** Spread of the way to Mason; null: measured (`limit.show` says what was). */
  readonly spreadMs: number | null;
  /** ISO time. */
  readonly createdAt: string;
}

export interface BudgetActs {
  'budget.list': Act<{ data: readonly BudgetView[] }>;
  /** `{name, limit?, burst?, spreadMs?}`: for all keys on it; `auto`, and `measured` for the spread, takes them back. */
  'budget.set': Act<BudgetView>;
}

export function budgetActs(deps: ActDeps): BudgetActs {
  const { store } = deps;
  return {
    'budget.list': looking(
      deps,
      { name: 'budget.list', need: 'team', input: z.strictObject({}) },
      async (_input, { by, reach }) => {
        const data: BudgetView[] = [];
        for (const budget of await store.budgets.list()) {
          const sharing = await sharingOf(reach, (key) => key.budgetId === budget.id);
          if (isThere(by, sharing)) data.push(viewOf(budget, sharing));
        }
        return { answer: { data } };
      },
    ),

    'budget.set': changing(
      deps,
      {
        name: 'budget.set',
        need: 'team',
        input: z
          .strictObject({
            name: slug,
            limit: rateLimit.optional(),
            burst: burst.optional(),
            spreadMs: spreadMs.optional(),
          })
          .refine(({ limit, burst, spreadMs }) => [limit, burst, spreadMs].some((each) => each !== undefined), {
            error: 'at least one of limit, burst, spreadMs',
          }),
      },
      async (input, { by, reach }) => {
        const budget = await store.budgets.findByName(input.name);
        const sharing = await sharingOf(reach, (key) => key.budgetId === budget?.id);
        if (budget === undefined || !isThere(by, sharing)) {
          throw new GatewayError('not_found', `there is no budget ${input.name}`);
        }
        await ensureOwnBudget(reach, budget);
        const wanted = withWish(budget, input);
        ensureSpreadFits(wanted, input);
        return {
          details: { limitBefore: limitOf(budget) ?? 'auto' },
          async carryOut() {
            const found = await store.budgets.tune(budget.id, wanted);
            ensureStillThere(found, `the budget ${budget.name}`);
            return viewOf(wanted, sharing);
          },
        };
      },
    ),
  };
}

/** Budgets are there for operators, and for whoever manages a key on them. */
function isThere({ authority }: Administrator, { keys }: Sharing): boolean {
  return authority.operates || keys.length > 0;
}

function limitOf({ limit }: Budget): string | null {
  return limit === undefined ? null : formatRateLimit(limit);
}

function viewOf(budget: Budget, sharing: Sharing): BudgetView {
  return {
    id: budget.id,
    name: budget.name,
    limit: limitOf(budget),
    burst: budget.burst ?? null,
    spreadMs: budget.spreadMs ?? null,
    ...sharing,
    createdAt: new Date(budget.createdAt).toISOString(),
  };
}
