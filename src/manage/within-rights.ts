import type { Authority } from '../domain/authority.ts';
import { type Effect, isWithin } from '../domain/effect.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Scope } from '../domain/scope.ts';
import type { Team } from '../domain/team.ts';

interface Powers {
  readonly scopes: readonly Scope[];
  readonly effectCeiling: Effect;
}

/**
 * No token ever holds more than whoever makes it, or its secret, could do without it; else making one would be a way up.
 * `gateway:admin` may be passed on: what it manages is bounded by the Mason scopes and effects of the token that has it, and those
 * by these rules. `gateway:usage` shows less than managing does. `gateway:audit` takes somebody who reads the record.
 *
 * @throws GatewayError `forbidden` naming what is too much, and what is held
 */
export function ensureWithinRights(
  { operates, manages, audits }: Authority,
  team: Team,
  { scopes, effectCeiling }: Powers,
  covers: (held: readonly Scope[], needed: Scope) => boolean,
): void {
  if (operates) return;
  const own = manages.get(team.id);
  if (own === undefined) throw new GatewayError('not_found', `there is no team ${team.slug}`);
  const readsRecord = audits === 'all' || audits.has(team.id);
  const tooMuch: string[] = scopes.filter((scope) => {
    if (scope === 'gateway:audit') return !readsRecord;
    return !scope.startsWith('gateway:') && !covers(own.scopes, scope);
  });
  if (!isWithin(effectCeiling, own.effectCeiling)) tooMuch.push(`effects up to ${effectCeiling}`);
  if (tooMuch.length === 0) return;
  throw new GatewayError(
    'forbidden',
    `a token may hold at most what its maker holds for the team ${team.slug}: got ${tooMuch.join(', ')}; held: ` +
      `${own.scopes.join(', ') || 'no scopes'}, effects up to ${own.effectCeiling}${readsRecord ? ', the record' : ''}`,
  );
}
