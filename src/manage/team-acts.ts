import { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';
import type { Team } from '../domain/team.ts';
import type { Store } from '../store/open-store.ts';
import type { Vault } from '../vault/open-vault.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';
import { slug, title, yesOrNo } from './fields.ts';
import { ensureStillThere, teamNamed, teamsNamed } from './look-up.ts';
import { newId } from './new-id.ts';

export interface TeamView {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  /** ISO time. */
  readonly createdAt: string;
  readonly apps: number;
  readonly keys: number;
  readonly tokens: number;
}

export interface TeamActs {
  /** `{slug, name?}` */
  'team.add': Act<TeamView>;
  /** `{team, name}`: the name for people. */
  'team.set': Act<TeamView>;
  'team.list': Act<{ data: readonly TeamView[] }>;
  /** `{team, force?}`: a team that has apps or keys goes only with `force`; its tokens die at once. */
  'team.remove': Act<{ removed: string }>;
}

export function teamActs(deps: ActDeps & { vault: Vault }): TeamActs {
  const { store, vault, clock } = deps;
  return {
    'team.add': changing(
      deps,
      { name: 'team.add', need: 'operator', input: z.strictObject({ slug, name: title.optional() }) },
      async (input) => {
        if ((await store.teams.findBySlug(input.slug)) !== undefined) {
          throw new GatewayError('conflict', `there is a team ${input.slug} already`);
        }
        const id = newId('team');
        const team: Team = {
          id,
          slug: input.slug,
          name: input.name ?? input.slug,
          createdAt: clock.epochMs(),
          sealedDataKey: vault.newDataKey(id),
        };
        return {
          team,
          async carryOut() {
            await store.teams.add(team);
            return { ...viewOf(team), apps: 0, keys: 0, tokens: 0 };
          },
        };
      },
    ),

    'team.list': looking(
      deps,
      { name: 'team.list', need: 'anyone', input: z.strictObject({}) },
      async (_input, { reach }) => {
        const data: TeamView[] = [];
        for (const team of await teamsNamed(reach, undefined))
          data.push({ ...viewOf(team), ...(await countsOf(store, team)) });
        return { answer: { data } };
      },
    ),

    'team.set': changing(
      deps,
      { name: 'team.set', need: 'operator', input: z.strictObject({ team: slug, name: title }) },
      async (input, { reach }) => {
        const team = await teamNamed(reach, input.team);
        return {
          team,
          details: { nameBefore: team.name },
          async carryOut() {
            ensureStillThere(await store.teams.setName(team.id, input.name), `the team ${team.slug}`);
            return { ...viewOf({ ...team, name: input.name }), ...(await countsOf(store, team)) };
          },
        };
      },
    ),

    'team.remove': changing(
      deps,
      { name: 'team.remove', need: 'operator', input: z.strictObject({ team: slug, force: yesOrNo.default(false) }) },
      async (input, { reach }) => {
        const team = await teamNamed(reach, input.team);
        const counts = await countsOf(store, team);
        if (!input.force && counts.apps + counts.keys > 0) {
          throw new GatewayError(
            'conflict',
            `the team ${team.slug} still has ${counts.apps} apps, ${counts.keys} keys and ${counts.tokens} tokens, which go with ` +
              'it at once: remove them first, or say force',
          );
        }
        const budgetIds = (await store.keys.listByTeam(team.id)).map((key) => key.budgetId);
        return {
          team,
          details: { ...counts },
          async carryOut() {
            ensureStillThere(await store.teams.remove(team.id), `the team ${team.slug}`);
            for (const budgetId of new Set(budgetIds)) await store.budgets.removeUnused(budgetId);
            return { removed: team.slug };
          },
        };
      },
    ),
  };
}

async function countsOf(store: Store, team: Team): Promise<{ apps: number; keys: number; tokens: number }> {
  const [apps, keys, tokens] = await Promise.all([
    store.apps.listByTeam(team.id),
    store.keys.listByTeam(team.id),
    store.tokens.listByTeam(team.id),
  ]);
  return { apps: apps.length, keys: keys.length, tokens: tokens.length };
}

function viewOf(team: Team): { id: string; slug: string; name: string; createdAt: string } {
  return { id: team.id, slug: team.slug, name: team.name, createdAt: new Date(team.createdAt).toISOString() };
}
