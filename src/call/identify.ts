import type { Caller } from '../domain/caller.ts';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Token } from '../domain/token.ts';
import { isListed } from '../http/peer-address.ts';
import { isWellFormedToken, tokenDigest } from '../vault/tokens.ts';
import type { Call } from './call.ts';
import type { Grant, Verdicts } from './verdicts.ts';

// Mason's own clients write "basic" and "Basic" before a raw key; a gateway token may stand in its place.
const CREDENTIAL = /^(?:bearer|basic) +([^\s]+)$/i;

/**
 * Who calls, from `Authorization` and nothing else: no other header, cookie or query value is looked at.
 *
 * @throws GatewayError `unauthenticated`, `forbidden` (address), `store_unavailable`
 */
export async function identify(call: Call, verdicts: Verdicts, clock: Clock): Promise<Caller> {
  const header = call.req.headers.authorization;
  // Mason's documented words, which its clients know.
  if (header === undefined) throw unauthenticated('Required authorization token not found');
  const token = CREDENTIAL.exec(header)?.[1];
  if (token === undefined || !isWellFormedToken(token)) {
    throw unauthenticated('expected "Authorization: Bearer <gateway token>" with a token of this gateway (mgw_...)');
  }
  const digest = tokenDigest(token);
  const grant = await verdicts.grant(digest);
  call.presented = grant?.caller;
  checkGrant(grant, digest, call.address, clock.epochMs());
  call.credential = digest;
  call.rightEndsAfter(endOf(grant.token, digest) - clock.epochMs());
  verdicts.noteTokenUse(grant.caller.tokenId, call.epochMs);
  return grant.caller;
}

/**
 * Whether a grant holds, here and now.
 *
 * @throws GatewayError `unauthenticated`, `forbidden`
 */
export function checkGrant(
  grant: Grant | undefined,
  digest: string,
  address: string,
  nowEpochMs: number,
): asserts grant is Grant {
  if (grant === undefined) throw unauthenticated('the gateway token is not known: it may be of another gateway');
  if (grant.token.revokedAt !== undefined) throw unauthenticated('the gateway token was revoked');
  if (endOf(grant.token, digest) <= nowEpochMs) {
    const isOld = grant.token.digest !== digest;
    throw unauthenticated(isOld ? 'the gateway token was replaced by a newer one' : 'the gateway token has expired');
  }
  if (grant.addresses !== undefined && !isListed(grant.addresses, address)) {
    throw new GatewayError(
      'forbidden',
      `the gateway token may be used from ${grant.token.addressRanges.join(', ')}; this call comes from ${address}`,
    );
  }
}

/** When a token ends, seen from the one of its two secrets that was presented: the old one ends with its grace. */
export function endOf(token: Token, digest: string): number {
  return token.digest === digest ? token.expiresAt : Math.min(token.expiresAt, token.graceUntil ?? 0);
}

function unauthenticated(message: string): GatewayError {
  return new GatewayError('unauthenticated', message);
}
