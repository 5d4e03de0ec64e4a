import type { Caller } from '../domain/caller.ts';
import { GatewayError } from '../domain/errors.ts';
import type { OpenedKey } from '../domain/mason-key.ts';
import type { Operation } from '../domain/operation.ts';
import type { Scope } from '../domain/scope.ts';
import { covers, power } from '../mason/scopes.ts';
import type { Verdicts } from './verdicts.ts';

/** By a team's list of keys, which is made anew when one of them changes: the choice for each scope. */
const choices = new WeakMap<readonly OpenedKey[], Map<Scope, OpenedKey | undefined>>();

/**
 * The team's key with the least scope that still allows the operation.
 *
 * @throws GatewayError `no_key`, `store_unavailable`
 */
export function chooseKey(verdicts: Verdicts, caller: Caller, operation: Operation): OpenedKey | Promise<OpenedKey> {
  const keys = verdicts.teamKeys(caller.team.id);
  return keys instanceof Promise
    ? keys.then((found) => keyOutOf(found, caller, operation))
    : keyOutOf(keys, caller, operation);
}

function keyOutOf(keys: readonly OpenedKey[], caller: Caller, operation: Operation): OpenedKey {
  let chosen = choices.get(keys);
  if (chosen === undefined) {
    chosen = new Map();
    choices.set(keys, chosen);
  }
  if (!chosen.has(operation.scope)) chosen.set(operation.scope, least(keys, operation.scope));
  const key = chosen.get(operation.scope);
  if (key !== undefined) return key;
  const held = keys.flatMap(({ scopes }) => scopes).join(', ') || 'no key at all';
  throw new GatewayError(
    'no_key',
    `no Mason key of team ${caller.team.slug} has the scope ${operation.scope} that ${operation.id} needs; the team has ${held}`,
  );
}

/**
 * The key that was chosen for a call as the team has it now: it may have been rotated meanwhile.
 *
 * @throws GatewayError `no_key` when it was removed, `store_unavailable`
 */
export function keyNow(verdicts: Verdicts, caller: Caller, chosen: OpenedKey): OpenedKey | Promise<OpenedKey> {
  const keys = verdicts.teamKeys(caller.team.id);
  return keys instanceof Promise ? keys.then((found) => sameKey(found, caller, chosen)) : sameKey(keys, caller, chosen);
}

function sameKey(keys: readonly OpenedKey[], caller: Caller, chosen: OpenedKey): OpenedKey {
  const key = keys.find(({ id }) => id === chosen.id);
  if (key !== undefined) return key;
  throw new GatewayError('no_key', `the Mason key chosen for this call was removed from team ${caller.team.slug}`);
}

/** By key: what stood in its place before the last rotation, as a key of its own. */
const previousKeys = new WeakMap<OpenedKey, OpenedKey>();

/**
 * Another key in the same place, after Mason did not take the one that was sent: the one it was rotated to meanwhile, or
 * the one before.
 *
 * @throws GatewayError `no_key`, `store_unavailable`
 */
export async function otherKey(verdicts: Verdicts, caller: Caller, refused: OpenedKey): Promise<OpenedKey | undefined> {
  const now = await keyNow(verdicts, caller, refused);
  if (now.fingerprint !== refused.fingerprint) return now;
  if (now.previous === undefined) return undefined;
  let previous = previousKeys.get(now);
  if (previous === undefined) {
    previous = { ...now, ...now.previous, previous: undefined };
    previousKeys.set(now, previous);
  }
  return previous;
}

function least(keys: readonly OpenedKey[], scope: Scope): OpenedKey | undefined {
  return keys
    .filter((key) => covers(key.scopes, scope))
    .toSorted((a, b) => power(a.scopes) - power(b.scopes))
    .at(0);
}
