import type { IncomingMessage } from 'node:http';
import { checkGrant, digestIn, endOf } from '../call/token-credential.ts';
import type { Grant, Verdicts } from '../call/verdicts.ts';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { BadTries } from '../http/bad-tries.ts';

/** What it takes to know a token, on other paths than that of a call. */
export interface TokenRooms {
  readonly verdicts: Pick<Verdicts, 'grant' | 'noteTokenUse'>;
  readonly tries: BadTries;
  readonly clock: Clock;
  /** Of whoever asks, as the socket or a trusted proxy says. */
  readonly addressOf: (req: IncomingMessage) => string;
}

/** A token that holds, here and now. */
export interface HeldToken {
  readonly grant: Grant;
  /** Milliseconds since 1970: when the secret that was presented ends. */
  readonly endsAt: number;
}

/**
 * The token in `Authorization`, by the rules of a call: its state, its addresses, and a bound on bad tries.
 *
 * @throws GatewayError `unauthenticated`, `forbidden`, `too_many_tries`, `store_unavailable`
 */
export async function tokenGrant(
  { verdicts, tries, clock }: TokenRooms,
  authorization: string,
  address: string,
): Promise<HeldToken> {
  try {
    const digest = digestIn(authorization);
    const grant = await verdicts.grant(digest);
    const now = clock.epochMs();
    checkGrant(grant, digest, address, now);
    verdicts.noteTokenUse(grant.caller.tokenId, now);
    return { grant, endsAt: endOf(grant.token, digest) };
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'unauthenticated') tries.noteBad(address);
    throw error;
  }
}
