import type { DesiredTeams } from './apply-input.ts';
import { keyDifferences, keyRemove } from './apply-key-steps.ts';
import type { Difference, PlannedStep } from './apply-step.ts';
import type { World } from './world.ts';

/** What is said of teams, and how it is meant. */
export interface Desired {
  readonly teams: DesiredTeams;
  /** Of the keys that are given, by `team/key`. */
  readonly fingerprints: ReadonlyMap<string, string>;
  /** Whether what is not named goes. */
  readonly prune: boolean;
  /** Mason's origin that new keys belong to. */
  readonly masonOrigin: string;
}

/** What is not as it shall be: first what is added and changed, then, with `prune`, what goes. An order in which
 * it can be done is yet to be found. */
export function differences(world: World, { teams, fingerprints, prune, masonOrigin }: Desired): Difference[] {
  const found: Difference[] = [];
  for (const [slug, { name, apps, keys }] of Object.entries(teams)) {
    const there = world.teams.get(slug);
    if (there === undefined) found.push(teamAdd(slug, name));
    else if (name !== undefined && name !== there.name) found.push(teamSet(slug, there.name, name));
    for (const [app, { weight }] of Object.entries(apps ?? {})) {
      const before = there?.apps.get(app);
      if (before === undefined) found.push(appAdd(slug, app, weight ?? 1));
      else if (weight !== undefined && weight !== before) found.push(appSet(slug, app, before, weight));
    }
    for (const [key, given] of Object.entries(keys ?? {})) {
      const fingerprint = fingerprints.get(`${slug}/${key}`);
      found.push(...keyDifferences(world, slug, key, given, fingerprint, masonOrigin));
    }
  }
  if (prune) found.push(...removals(world, teams));
  return found;
}

function removals(world: World, desired: DesiredTeams): Difference[] {
  const found: Difference[] = [];
  for (const [slug, team] of world.teams) {
    const wanted = desired[slug];
    if (wanted === undefined) {
      found.push(teamRemove(slug));
      continue;
    }
    const isUnwanted = (names: object | null | undefined) => (name: string) =>
      names !== null && names !== undefined && !Object.hasOwn(names, name);
    for (const app of [...team.apps.keys()].filter(isUnwanted(wanted.apps))) found.push(appRemove(slug, app));
    for (const key of [...team.keys.keys()].filter(isUnwanted(wanted.keys))) found.push(keyRemove(slug, key));
  }
  return found;
}

function teamAdd(slug: string, name: string = slug): Difference {
  return {
    where: `teams.${slug}`,
    play(world) {
      world.teams.set(slug, { name, apps: new Map(), keys: new Map() });
      return { act: 'team.add', on: slug, says: `add the team ${slug}`, input: { slug, name } };
    },
  };
}

function teamSet(slug: string, before: string, name: string): Difference {
  return {
    where: `teams.${slug}.name`,
    play(world) {
      const team = world.teams.get(slug);
      if (team !== undefined) world.teams.set(slug, { ...team, name });
      const says = `rename the team ${slug} from ${JSON.stringify(before)} to ${JSON.stringify(name)}`;
      return { act: 'team.set', on: slug, says, input: { team: slug, name } };
    },
  };
}

function teamRemove(slug: string): Difference {
  return {
    where: `teams.${slug}`,
    play(world) {
      world.removeTeam(slug);
      const says = `remove the team ${slug}, with all that is its own`;
      return { act: 'team.remove', on: slug, says, input: { team: slug, force: true } };
    },
  };
}

function appAdd(team: string, name: string, weight: number): Difference {
  return appDifference(team, name, (world, on) => {
    world.teams.get(team)?.apps.set(name, weight);
    return { act: 'app.add', on, says: `add the app ${on}, weight ${weight}`, input: { team, name, weight } };
  });
}

function appSet(team: string, name: string, before: number, weight: number): Difference {
  return appDifference(team, name, (world, on) => {
    world.teams.get(team)?.apps.set(name, weight);
    const says = `change the weight of the app ${on} from ${before} to ${weight}`;
    return { act: 'app.set', on, says, input: { team, name, weight } };
  });
}

function appRemove(team: string, name: string): Difference {
  return appDifference(team, name, (world, on) => {
    world.teams.get(team)?.apps.delete(name);
    return { act: 'app.remove', on, says: `remove the app ${on}, with its tokens`, input: { team, name } };
  });
}

function appDifference(team: string, name: string, play: (world: World, on: string) => PlannedStep): Difference {
  return { where: `teams.${team}.apps.${name}`, play: (world) => play(world, `${team}/${name}`) };
}
