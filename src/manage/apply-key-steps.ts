import type { DesiredKey } from './apply-input.ts';
import type { Difference } from './apply-step.ts';
import { scopeWords, type World } from './world.ts';

/** What is to be done about one key; without a fingerprint its secret stays as it is. */
export function keyDifferences(
  world: World,
  team: string,
  name: string,
  given: DesiredKey,
  fingerprint: string | undefined,
  masonOrigin: string,
): Difference[] {
  const there = world.key(team, name);
  if (there === undefined)
    return fingerprint === undefined ? [] : [keyAdd(team, name, given, fingerprint, masonOrigin)];
  const found: Difference[] = [];
  if (fingerprint !== undefined && fingerprint !== there.fingerprint) {
    found.push(keyRotate(team, name, given.key, fingerprint));
  }
  const scopes = scopeWords(given.scopes);
  const budget = given.budget ?? there.budget;
  if (scopes !== there.scopes || budget !== there.budget) found.push(keySet(team, name, given));
  return found;
}

function keyAdd(team: string, name: string, given: DesiredKey, fingerprint: string, origin: string): Difference {
  return {
    where: `teams.${team}.keys.${name}`,
    obstacle: (world) => world.obstacle(team, name, fingerprint, given.budget),
    play(world) {
      const budget = given.budget ?? world.budgetFor(team, name, fingerprint);
      const isNew = world.setKey(team, name, { fingerprint, scopes: scopeWords(given.scopes), budget, origin });
      return {
        act: 'key.add',
        on: `${team}/${name}`,
        says: `add the key ${team}/${name} with ${given.scopes.join(' ')}, on the ${isNew ? 'new ' : ''}budget ${budget}`,
        input: { team, name, key: given.key, scopes: given.scopes, budget },
        ...(isNew ? { makes: budget } : {}),
      };
    },
  };
}

function keyRotate(team: string, name: string, key: string | undefined, fingerprint: string): Difference {
  return {
    where: `teams.${team}.keys.${name}.key`,
    obstacle: (world) => world.obstacle(team, name, fingerprint, world.key(team, name)?.budget),
    play(world) {
      const there = world.key(team, name);
      if (there !== undefined) world.setKey(team, name, { ...there, fingerprint });
      const says = `replace the key ${team}/${name} by another, once Mason has taken it`;
      return { act: 'key.rotate', on: `${team}/${name}`, says, input: { team, name, key } };
    },
  };
}

function keySet(team: string, name: string, given: DesiredKey): Difference {
  return {
    where: `teams.${team}.keys.${name}`,
    play(world) {
      const there = world.key(team, name);
      if (there === undefined) return undefined;
      const scopes = scopeWords(given.scopes);
      const budget = given.budget ?? there.budget;
      const changes: string[] = [];
      if (scopes !== there.scopes) changes.push(`its scopes from ${there.scopes} to ${scopes}`);
      if (budget !== there.budget) changes.push(`its budget from ${there.budget} to ${budget}`);
      if (changes.length === 0) return undefined;
      const isNew = world.setKey(team, name, { ...there, scopes, budget });
      return {
        act: 'key.set',
        on: `${team}/${name}`,
        says: `change the key ${team}/${name}: ${changes.join(', ')}`,
        input: {
          team,
          name,
          ...(scopes === there.scopes ? {} : { scopes: given.scopes }),
          ...(budget === there.budget ? {} : { budget }),
        },
        ...(isNew ? { makes: budget } : {}),
      };
    },
  };
}

export function keyRemove(team: string, name: string): Difference {
  return {
    where: `teams.${team}.keys.${name}`,
    play(world) {
      world.removeKey(team, name);
      const says = `remove the key ${team}/${name}`;
      return { act: 'key.remove', on: `${team}/${name}`, says, input: { team, name } };
    },
  };
}
