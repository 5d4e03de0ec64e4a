import { type Budget, formatRateLimit, type RateLimit } from '../domain/budget.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import type { Scope } from '../domain/scope.ts';

/** What anybody ever sees of a key. */
export interface KeyView {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  readonly origin: string;
  readonly scopes: readonly Scope[];
  readonly budget: string;
  /** `100/1s`; null while nobody said. */
  readonly limit: string | null;
  readonly burst: number | null;
  readonly fingerprint: string;
  /** The key's last four characters; empty for short keys. */
  readonly last4: string;
  /** ISO times. */
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

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
    fingerprint: key.fingerprint,
    last4: key.last4,
    createdAt: new Date(key.createdAt).toISOString(),
    lastUsedAt: key.lastUsedAt === undefined ? null : new Date(key.lastUsedAt).toISOString(),
  };
}

/** What an operator should hear about a key's budget. */
export function budgetNotes(budget: Budget, others: readonly string[], assumed: RateLimit): readonly string[] {
  const notes: string[] = [];
  if (others.length > 0)
    notes.push(`the budget ${budget.name} is shared with ${others.join(', ')}: one line, one limit`);
  if (budget.limit === undefined) {
    notes.push(
      `no limit is known for the budget ${budget.name}: ${formatRateLimit(assumed)} applies until one is given with ` +
        '"key set --limit", for example --limit 100/1s',
    );
  }
  return notes;
}
