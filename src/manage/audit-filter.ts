import { z } from 'zod';
import type { Authority } from '../domain/authority.ts';
import type { Clock } from '../domain/clock.ts';
import { EFFECTS } from '../domain/effect.ts';
import { GatewayError } from '../domain/errors.ts';
import type { RecordFilter } from '../domain/record.ts';
import type { Scene } from './act.ts';
import { instant, personId, term, text, wholeNumber } from './fields.ts';

/** What events of the record are asked for by, as an act's input. */
export function filterFields(clock: Clock) {
  const time = instant(() => clock.epochMs());
  return {
    since: time.optional(),
    until: time.optional(),
    team: term.optional(),
    app: term.optional(),
    tokenId: term.optional(),
    tokenSha256: tokenSha256.optional(),
    person: personId.optional(),
    operation: term.optional(),
    effect: z.enum(EFFECTS, { error: `one of ${EFFECTS.join(', ')}` }).optional(),
    device: term.optional(),
    group: term.optional(),
    status: wholeNumber(100, 599).optional(),
    errorSource: z.enum(['gateway', 'mason'], { error: 'one of gateway, mason' }).optional(),
    keyFingerprint: term.optional(),
    requestId: term.optional(),
    kind: term.optional(),
  };
}

const HEX = /^[0-9a-f]{64}$/i;
const BASE64URL = /^[\w-]{43}$/;

/** As it is stored; in hex, as `sha256sum` writes it, too. A token itself has no place in a URL. */
const tokenSha256 = text(
  "a token's SHA-256, in hex or base64url",
  (value) => HEX.test(value) || BASE64URL.test(value),
).transform((value) => (HEX.test(value) ? Buffer.from(value, 'hex').toString('base64url') : value));

type Given = z.output<z.ZodObject<ReturnType<typeof filterFields>>>;

/**
 * The filter that somebody asks for, of what they may see.
 *
 * @throws GatewayError `not_found` when a token is of nobody within reach; `store_unavailable`
 */
export async function filterOf({ tokenSha256: digest, ...given }: Given, { by, reach }: Scene): Promise<RecordFilter> {
  const filter = { ...present(given), ...visibleTo(by.authority) };
  if (digest === undefined) return filter;
  const grant = await reach.store.tokens.findGrant(digest);
  if (grant === undefined || !reach.includes(grant.team.id)) {
    throw new GatewayError(
      'not_found',
      'no token that you may ask about has this SHA-256, now or before its last rotation',
    );
  }
  if (given.tokenId !== undefined && given.tokenId !== grant.token.id) {
    throw new GatewayError('invalid_request', 'tokenId, tokenSha256: expected one of them, or both of one token');
  }
  return { ...filter, tokenId: grant.token.id };
}

/**
 * The events that somebody may read: those of the teams whose record is theirs, by id, since a slug may have been another team's
 * before; events of no team are for those who read everything. A filter for a team outside finds nothing, there or not.
 */
export function visibleTo({ operates, audits }: Authority): Pick<RecordFilter, 'teams'> {
  return operates || audits === 'all' ? {} : { teams: [...audits] };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the fields that are undefined: absent and undefined are not the same to those who spread. */
export function present<T extends object>(given: T): Present<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Present<T>;
}
