import { GatewayError } from '../domain/errors.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import type { Reach } from './reach.ts';

/** Who else is on a budget, as far as somebody may know. */
export interface Sharing {
  /** `team/key` of each key within reach, sorted. */
  readonly keys: readonly string[];
  /** How many keys of teams outside it. */
  readonly otherKeys: number;
}

/** Which of the keys given are on a budget. */
export async function sharingOf(reach: Reach, on: (key: MasonKey) => boolean): Promise<Sharing> {
  const [keys, teams] = await Promise.all([reach.store.keys.list(), reach.store.teams.list()]);
  const slugs = new Map(teams.map((team) => [team.id, team.slug]));
  const found = keys.filter(on);
  const within = found.filter((key) => reach.includes(key.teamId));
  return {
    keys: within.map((key) => `${slugs.get(key.teamId) ?? '?'}/${key.name}`).sort(),
    otherKeys: found.length - within.length,
  };
}

/** `acme/main, acme/spare and 2 keys of other teams`; undefined for nobody. */
export function describeSharing({ keys, otherKeys }: Sharing): string | undefined {
  const others = otherKeys === 1 ? '1 key of another team' : `${otherKeys} keys of other teams`;
  const parts = [...(keys.length === 0 ? [] : [keys.join(', ')]), ...(otherKeys === 0 ? [] : [others])];
  return parts.length === 0 ? undefined : parts.join(' and ');
}

/**
 * An app's weight counts in every line that the team's keys stand in: a larger one takes from the other teams there.
 *
 * @throws GatewayError `conflict`
 */
export async function ensureOwnLines(reach: Reach, team: { id: string; slug: string }): Promise<void> {
  const lines = new Set((await reach.store.keys.listByTeam(team.id)).map((key) => key.budgetId));
  const { otherKeys } = await sharingOf(reach, (key) => lines.has(key.budgetId));
  if (otherKeys === 0) return;
  throw new GatewayError(
    'conflict',
    `keys of the team ${team.slug} are on a budget that is shared with other teams: only an operator gives its apps more weight`,
  );
}

/**
 * A budget is one line: its limit, and who joins it, is felt by all who are on it. Whoever manages some of them only must not
 * decide for the others.
 *
 * @throws GatewayError `conflict`
 */
export async function ensureOwnBudget(reach: Reach, budget: { id: string; name: string }): Promise<void> {
  const { otherKeys } = await sharingOf(reach, (key) => key.budgetId === budget.id);
  if (otherKeys === 0) return;
  throw new GatewayError(
    'conflict',
    `the budget ${budget.name} is shared with other teams: only an operator changes its limit, or puts keys on it`,
  );
}
