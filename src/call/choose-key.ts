import type { Caller } from '../domain/caller.ts';
import { GatewayError } from '../domain/errors.ts';
import type { OpenedKey } from '../domain/mason-key.ts';
import type { Operation } from '../domain/operation.ts';
import type { Scope } from '../domain/scope.ts';
import { covers, power } from '../mason/scopes.ts';
import type { Call } from './call.ts';
import type { Verdicts } from './verdicts.ts';

/** By a team's list of keys, which is made anew when one of them changes: the choice for each scope. */
const choices = new WeakMap<readonly OpenedKey[], Map<Scope, OpenedKey | undefined>>();

/**
 * The team's key with the least scope that still allows the operation.
 *
 * @throws GatewayError `no_key`, `store_unavailable`
 */
export async function chooseKey(verdicts: Verdicts, caller: Caller, operation: Operation): Promise<OpenedKey> {
  const keys = await verdicts.teamKeys(caller.team.id);
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
 * Whether the team still has the key that was chosen for a call.
 *
 * @throws GatewayError `no_key`, `store_unavailable`
 */
export async function checkKey(verdicts: Verdicts, { caller, key }: Call): Promise<void> {
  if (caller === undefined || key === undefined) return;
  const keys = await verdicts.teamKeys(caller.team.id);
  if (keys.some(({ id }) => id === key.id)) return;
  throw new GatewayError('no_key', `the Mason key chosen for this call was removed from team ${caller.team.slug}`);
}

function least(keys: readonly OpenedKey[], scope: Scope): OpenedKey | undefined {
  return keys
    .filter((key) => covers(key.scopes, scope))
    .toSorted((a, b) => power(a.scopes) - power(b.scopes))
    .at(0);
}
