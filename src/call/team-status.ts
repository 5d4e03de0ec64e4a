import { type Budgets, formatRateLimit } from '../domain/budget.ts';
import type { Lane } from '../domain/lane.ts';
import type { MasonKeys } from '../domain/mason-key.ts';
import type { Scope } from '../domain/scope.ts';
import type { KeyHealth, KeyVerdict } from './key-health.ts';

/** How a team's keys and their budgets are, for those who call with them. Holds no secrets. */
export interface TeamStatus {
  readonly teamId: string;
  readonly keys: readonly { name: string; scopes: readonly Scope[]; budget: string; health: KeyVerdict }[];
  readonly budgets: readonly BudgetStatus[];
}

export interface BudgetStatus {
  readonly name: string;
  /** `100/1s`; null where nobody said. */
  readonly limit: string | null;
  readonly windowMs: number;
  /** Calls a window that are the asker's now, and how many of them could go without waiting. */
  readonly callsMax: number;
  readonly callsLeft: number;
  /** Calls of everybody that wait here now. */
  readonly waiting: number;
}

export interface StatusRooms {
  readonly keys: Pick<MasonKeys, 'listByTeam'>;
  readonly budgets: Pick<Budgets, 'findById'>;
  readonly keyHealth: KeyHealth;
  readonly laneOf: (key: { budgetId: string }) => Lane | Promise<Lane>;
}

/**
 * The status of a team, with the share of its budgets that somebody has now.
 *
 * @param share whose: an app, or a person
 * @throws GatewayError `store_unavailable`
 */
export async function teamStatus(
  rooms: StatusRooms,
  teamId: string,
  share: { readonly id: string; readonly weight: number },
): Promise<TeamStatus> {
  const keys = await rooms.keys.listByTeam(teamId);
  const names = new Map<string, string>();
  const budgets: BudgetStatus[] = [];
  for (const budgetId of new Set(keys.map((key) => key.budgetId))) {
    const budget = await rooms.budgets.findById(budgetId);
    // Removed a moment ago, with its last key.
    if (budget === undefined) continue;
    names.set(budgetId, budget.name);
    const lane = await rooms.laneOf({ budgetId });
    const { calls, windowMs, remaining } = lane.share(share.id, share.weight);
    budgets.push({
      name: budget.name,
      limit: budget.limit === undefined ? null : formatRateLimit(budget.limit),
      windowMs,
      callsMax: Math.max(1, Math.floor(calls)),
      callsLeft: Math.max(0, Math.floor(remaining)),
      waiting: lane.stats().waiting,
    });
  }
  return {
    teamId,
    keys: keys.map(({ name, scopes, budgetId, fingerprint }) => ({
      name,
      scopes,
      budget: names.get(budgetId) ?? '?',
      health: rooms.keyHealth.verdict(fingerprint),
    })),
    budgets,
  };
}
