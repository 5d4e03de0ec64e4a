import type { AppCaller } from '../domain/caller.ts';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Token } from '../domain/token.ts';
import { isListed } from '../http/peer-address.ts';
import { isWellFormedToken, tokenDigest } from '../vault/tokens.ts';
import type { Call } from './call.ts';
import type { Credential } from './credential.ts';
import type { Grant, Verdicts } from './verdicts.ts';

// Mason's own clients write "basic" and "Basic" before a raw key; a gateway token may stand in its place.
const AUTHORIZATION = /^(?:bearer|basic) +([^\s]+)$/i;

/** A gateway token, from `Authorization` and nothing else: no other header, cookie or query value is looked at. */
export class TokenCredential implements Credential {
  readonly kind = 'token';
  readonly digest: string;
  readonly #verdicts: Verdicts;
  readonly #clock: Clock;

  /** @throws GatewayError `unauthenticated` for what is no token of any gateway; told without asking anybody */
  constructor(authorization: string, verdicts: Verdicts, clock: Clock) {
    this.digest = digestIn(authorization);
    this.#verdicts = verdicts;
    this.#clock = clock;
  }

  caller(call: Call): AppCaller | Promise<AppCaller> {
    const grant = this.#verdicts.grant(this.digest);
    return grant instanceof Promise ? grant.then((found) => this.#callerBy(found, call)) : this.#callerBy(grant, call);
  }

  #callerBy(grant: Grant | undefined, call: Call): AppCaller {
    call.presented = grant?.caller;
    const now = this.#clock.epochMs();
    checkGrant(grant, this.digest, call.address, now);
    call.rightEndsAfter(endOf(grant.token, this.digest) - now);
    const team = call.req.headers['gateway-team'];
    if (team !== undefined && team !== grant.caller.team.slug) {
      throw new GatewayError(
        'forbidden',
        `"Gateway-Team: ${String(team)}" is not the token's team, ${grant.caller.team.slug}`,
      );
    }
    this.#verdicts.noteTokenUse(grant.caller.tokenId, call.epochMs);
    return grant.caller;
  }
}

/**
 * The digest of the token in an `Authorization` header.
 *
 * @throws GatewayError `unauthenticated` for what is no token of any gateway
 */
export function digestIn(authorization: string): string {
  const token = AUTHORIZATION.exec(authorization)?.[1];
  if (token === undefined || !isWellFormedToken(token)) {
    throw unauthenticated('expected "Authorization: Bearer <gateway token>" with a token of this gateway (mgw_...)');
  }
  return tokenDigest(token);
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
