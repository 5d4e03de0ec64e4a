import { type Budget, formatRateLimit, type RateLimit } from '../domain/budget.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import type { Scope } from '../domain/scope.ts';
import { describeSharing, sharingOf } from './budget-sharing.ts';
import type { Reach } from './reach.ts';

/** What anybody ever sees of a key. */
export interface KeyView {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  readonly origin: string;
  readonly scopes: readonly Scope[];
  readonly budget: string;
  /** `100/1s`; null: nobody gave one. */
  readonly limit: string | null;
  readonly burst: number | null;
  /** Null: measured. */
  readonly spreadMs: number | null;
  readonly fingerprint: string;
  /** The key's last four characters; empty for short keys. */
  readonly last4: string;
  /** The key before the last rotation; null where there is none, or it is forgotten. */
  readonly previous: { readonly last4: string; readonly fingerprint: string; readonly replacedAt: string } | null;
  /** ISO times. */
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

export type NotedKey = KeyView & { readonly notes: readonly string[] };

export function keyView(key: MasonKey, team: string, budget: Budget | undefined): KeyView {
  return {
    id: key.id,
    team,
    name: key.name,
    origin: key.origin,
    scopes: key.scopes,
    budget: budget?.name ?? '?',
    limit: budget?.limit === undefined ? null : formatRateLimit(budget.limit),
    burst: budget?.burst ?? null,
    spreadMs: budget?.spreadMs ?? null,
    fingerprint: key.fingerprint,
    last4: key.last4,
    previous:
      key.previous === undefined
        ? null
        : {
            last4: key.previous.last4,
            fingerprint: key.previous.fingerprint,
            replacedAt: new Date(key.previous.replacedAt).toISOString(),
          },
    createdAt: new Date(key.createdAt).toISOString(),
    lastUsedAt: key.lastUsedAt === undefined ? null : new Date(key.lastUsedAt).toISOString(),
  };
}

/** What becomes of budgets whose limit nobody gave. */
export interface UnlimitedBudgets {
  /** What the lane takes, or begins with where it learns. */
  readonly assumedLimit: RateLimit;
  readonly learnsLimits: boolean;
}

/** A key with what whoever manages it should hear about its budget. */
export async function notedKey(
  reach: Reach,
  key: MasonKey,
  team: string,
  unlimited: UnlimitedBudgets,
  more: readonly string[] = [],
): Promise<NotedKey> {
  const budget = await reach.store.budgets.findById(key.budgetId);
  const notes = [...more];
  const sharing = describeSharing(
    await sharingOf(reach, (other) => other.budgetId === key.budgetId && other.id !== key.id),
  );
  if (budget !== undefined && sharing !== undefined) {
    notes.push(`the budget ${budget.name} is shared with ${sharing}: one line, one limit`);
  }
  if (budget !== undefined && budget.limit === undefined) {
    notes.push(noLimit(budget.name, unlimited));
  }
  return { ...keyView(key, team, budget), notes };
}

function noLimit(budget: string, { assumedLimit, learnsLimits }: UnlimitedBudgets): string {
  const limit = formatRateLimit(assumedLimit);
  const said = learnsLimits
    ? `no limit was given for the budget ${budget}: it is learnt, from ${limit} on (see "limit show"); where it is known, give it`
    : `no limit was given for the budget ${budget}: ${limit} applies until one is given`;
  return `${said} with "key set --limit", for example --limit 100/1s`;
}
