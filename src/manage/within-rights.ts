import { BlockList, isIPv6 } from 'node:net';
import type { Administrator } from '../domain/authority.ts';
import { isWithin } from '../domain/effect.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Scope } from '../domain/scope.ts';
import type { Team } from '../domain/team.ts';
import type { Token } from '../domain/token.ts';
import type { Reach } from './reach.ts';

type Powers = Pick<Token, 'scopes' | 'effectCeiling' | 'addressRanges' | 'urgencyMin'>;

/**
 * No token ever holds more than whoever makes it, or its secret, could do without it; else making one would be a way up.
 * `gateway:admin` may be passed on: what it manages is bounded by the Mason scopes and effects of the token that has it, and those
 * by these rules. `gateway:usage` shows less than managing does. `gateway:audit` takes somebody who reads the record. What a
 * token makes is bound to that token's addresses and urgency, too; not to its expiry, since tokens are there to renew each other.
 *
 * @throws GatewayError `forbidden` naming what is too much, and what is held
 */
export async function ensureWithinRights(
  reach: Reach,
  { actor, authority: { operates, manages, audits } }: Administrator,
  team: Team,
  powers: Powers,
  covers: (held: readonly Scope[], needed: Scope) => boolean,
): Promise<void> {
  if (operates) return;
  const own = manages.get(team.id) ?? { scopes: [], effectCeiling: 'read' };
  const readsRecord = audits === 'all' || audits.has(team.id);
  const tooMuch: string[] = powers.scopes.filter((scope) => {
    if (scope === 'gateway:audit') return !readsRecord;
    return !scope.startsWith('gateway:') && !covers(own.scopes, scope);
  });
  if (!isWithin(powers.effectCeiling, own.effectCeiling)) tooMuch.push(`effects up to ${powers.effectCeiling}`);
  const held = [own.scopes.join(', ') || 'no scopes', `effects up to ${own.effectCeiling}`];
  if (readsRecord) held.push('the record');
  if (actor.tokenId !== undefined) {
    const maker = await reach.store.tokens.findById(actor.tokenId);
    tooMuch.push(...beyondToken(maker, powers));
    held.push(...boundsOf(maker));
  }
  if (tooMuch.length === 0) return;
  throw new GatewayError(
    'forbidden',
    `a token may hold at most what its maker holds for the team ${team.slug}: got ${tooMuch.join(', ')}; held: ${held.join(', ')}`,
  );
}

function beyondToken(maker: Token | undefined, { addressRanges, urgencyMin }: Powers): readonly string[] {
  if (maker === undefined) return ['a maker that is gone'];
  const beyond: string[] = [];
  if (urgencyMin < maker.urgencyMin) beyond.push(`urgency ${urgencyMin}`);
  if (maker.addressRanges.length > 0) {
    if (addressRanges.length === 0) beyond.push('any address');
    beyond.push(...addressRanges.filter((range) => !maker.addressRanges.some((outer) => lies(range, outer))));
  }
  return beyond;
}

function boundsOf(maker: Token | undefined): readonly string[] {
  if (maker === undefined) return [];
  return [
    ...(maker.urgencyMin === 0 ? [] : [`urgency from ${maker.urgencyMin}`]),
    ...(maker.addressRanges.length === 0 ? [] : [`addresses ${maker.addressRanges.join(', ')}`]),
  ];
}

/** Whether one range lies within another, both in CIDR form. */
function lies(inner: string, outer: string): boolean {
  const [innerAddress = '', innerBits] = inner.split('/');
  const [outerAddress = '', outerBits] = outer.split('/');
  if (isIPv6(innerAddress) !== isIPv6(outerAddress) || Number(innerBits) < Number(outerBits)) return false;
  const family = isIPv6(outerAddress) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(outerAddress, Number(outerBits), family);
  return list.check(innerAddress, family);
}
