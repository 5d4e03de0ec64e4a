import { z } from 'zod';
import type { App } from '../domain/app.ts';
import { GatewayError } from '../domain/errors.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';
import { ensureOwnLines } from './budget-sharing.ts';
import { slug, wholeNumber } from './fields.ts';
import { appNamed, ensureStillThere, teamNamed, teamsNamed } from './look-up.ts';
import { newId } from './new-id.ts';

export interface AppView {
  readonly id: string;
  readonly team: string;
  readonly name: string;
  /** Share of the line beside other waiting apps, 1 to 100. */
  readonly weight: number;
  /** ISO time. */
  readonly createdAt: string;
}

export interface AppActs {
  /** `{team, name, weight?}` */
  'app.add': Act<AppView>;
  /** `{team?}` */
  'app.list': Act<{ data: readonly AppView[] }>;
  /** `{team, name, weight}` */
  'app.set': Act<AppView>;
  /** `{team, name}`: its tokens die at once. */
  'app.remove': Act<{ removed: string; tokens: number }>;
}

const weight = wholeNumber(1, 100);

export function appActs(deps: ActDeps): AppActs {
  const { store, clock } = deps;
  return {
    'app.add': changing(
      deps,
      {
        name: 'app.add',
        need: 'team',
        input: z.strictObject({ team: slug, name: slug, weight: weight.default(1) }),
      },
      async (input, { reach }) => {
        const team = await teamNamed(reach, input.team);
        if ((await store.apps.findByName(team.id, input.name)) !== undefined) {
          throw new GatewayError('conflict', `the team ${team.slug} has an app ${input.name} already`);
        }
        if (input.weight > 1) await ensureOwnLines(reach, team);
        const app: App = {
          id: newId('app'),
          teamId: team.id,
          name: input.name,
          weight: input.weight,
          createdAt: clock.epochMs(),
        };
        return {
          team,
          async carryOut() {
            await store.apps.add(app);
            return viewOf(app, team.slug);
          },
        };
      },
    ),

    'app.list': looking(
      deps,
      { name: 'app.list', need: 'team', input: z.strictObject({ team: slug.optional() }) },
      async (input, { reach }) => {
        const data: AppView[] = [];
        for (const team of await teamsNamed(reach, input.team)) {
          for (const app of await store.apps.listByTeam(team.id)) data.push(viewOf(app, team.slug));
        }
        return { answer: { data } };
      },
    ),

    'app.set': changing(
      deps,
      { name: 'app.set', need: 'team', input: z.strictObject({ team: slug, name: slug, weight }) },
      async (input, { reach }) => {
        const team = await teamNamed(reach, input.team);
        const app = await appNamed(reach, team, input.name);
        if (input.weight > app.weight) await ensureOwnLines(reach, team);
        return {
          team,
          details: { weightBefore: app.weight },
          async carryOut() {
            ensureStillThere(await store.apps.setWeight(app.id, input.weight), `the app ${app.name}`);
            return viewOf({ ...app, weight: input.weight }, team.slug);
          },
        };
      },
    ),

    'app.remove': changing(
      deps,
      { name: 'app.remove', need: 'team', input: z.strictObject({ team: slug, name: slug }) },
      async (input, { reach }) => {
        const team = await teamNamed(reach, input.team);
        const app = await appNamed(reach, team, input.name);
        const tokens = (await store.tokens.listByTeam(team.id)).filter((token) => token.appId === app.id).length;
        return {
          team,
          details: { tokens },
          async carryOut() {
            ensureStillThere(await store.apps.remove(app.id), `the app ${app.name}`);
            return { removed: app.name, tokens };
          },
        };
      },
    ),
  };
}

function viewOf(app: App, team: string): AppView {
  return { id: app.id, team, name: app.name, weight: app.weight, createdAt: new Date(app.createdAt).toISOString() };
}
