import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { parseRateLimit, type RateLimit } from '../domain/budget.ts';
import { GATEWAY_SCOPES, type Scope } from '../domain/scope.ts';
import { Secret } from '../domain/secret.ts';
import { formatDuration, parseDurationMs, parseInstantMs } from './duration.ts';

/*
 * The fields that inputs are made of. Each message completes "expected …". Numbers and switches may come as text, because a
 * query string knows nothing else.
 */

/** A string that passes `check`. */
export function text(expected: string, check: (value: string) => boolean) {
  return z.string({ error: expected }).refine(check, { error: expected });
}

/** As in `Request-Id`: a UUID. */
export const requestId = text('a request id, as Request-Id says it', (value) =>
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value),
);

function publicId(kind: 'tok' | 'per' | 'ses') {
  const form = new RegExp(`^${kind}_[0-9A-Za-z_-]{1,64}$`);
  return text(`an id such as ${kind}_…`, (value) => form.test(value));
}

export const slug = text('1 to 63 lower-case letters, digits and "-", beginning with a letter or digit', (value) =>
  /^[a-z0-9][a-z0-9-]{0,62}$/.test(value),
);

export const tokenId = publicId('tok');
export const personId = publicId('per');
export const sessionId = publicId('ses');

/** Words for people: one line. */
export const title = text(
  '1 to 120 printable characters',
  (value) => /^[^\p{C}]{1,120}$/u.test(value) && value.trim() !== '',
);

/** One term of a search. */
export const term = text('1 to 256 characters', (value) => value.length >= 1 && value.length <= 256);

export function wholeNumber(min: number, max: number) {
  const expected = `a whole number, ${min} to ${max}`;
  return z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^\d{1,12}$/)
          .transform(Number),
      ],
      { error: expected },
    )
    .refine((value) => Number.isSafeInteger(value) && value >= min && value <= max, { error: expected });
}

export const yesOrNo = z.union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')], {
  error: 'true or false',
});

/** `100/1s`; `auto` leaves it to be learnt, and is null. Earlier releases said `unknown`. */
export const rateLimit = z
  .string({ error: 'a limit such as 100/1s or 600/60s, or "auto"' })
  .transform((value, context): RateLimit | null => {
    if (value === 'auto' || value === 'unknown') return null;
    const limit = parseRateLimit(value);
    if (limit !== undefined) return limit;
    context.addIssue('a limit such as 100/1s or 600/60s (1 to 1000000 calls in 100ms to 1d), or "auto"');
    return z.NEVER;
  });

/** How many calls may leave at once after idleness; `auto` leaves it to the lane's rule, and is null. */
export const burst = z.union([z.literal('auto').transform((): null => null), wholeNumber(1, 1_000_000)], {
  error: 'a whole number, 1 to 1000000, or "auto"',
});

/** Spread of the way to Mason in milliseconds, at most a tenth of the longest window; `measured` leaves it to the lane, and is null. */
export const spreadMs = z.union([z.literal('measured').transform((): null => null), wholeNumber(0, 8_640_000)], {
  error: 'whole milliseconds, 0 to a tenth of the window (at most 8640000), or "measured"',
});

// Nobody publishes what Mason's keys look like: only what could not stand in a header is refused (RFC 9110 section 5.5).
export const masonKeyText = text("a Mason API key: one line, as Mason's web app shows it", (value) =>
  /^[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]{0,4094}[\x21-\x7e\x80-\xff])?$/.test(value),
);

export const masonKey = masonKeyText.transform((value) => new Secret(value));

/** `90d` and such, as milliseconds. */
export function duration(minMs: number, maxMs: number) {
  const expected = `a duration such as 90d, 24h or 15m, from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return z.string({ error: expected }).transform((value, context): number => {
    const durationMs = parseDurationMs(value);
    if (durationMs !== undefined && durationMs >= minMs && durationMs <= maxMs) return durationMs;
    context.addIssue(expected);
    return z.NEVER;
  });
}

/** An ISO time, a duration before now, or milliseconds since 1970; as milliseconds since 1970. */
export function instant(nowEpochMs: () => number) {
  const expected = 'an ISO time such as 2026-11-23T10:00:00Z, or 15m, 2h, 7d ago';
  return z.union([z.int().min(0), z.string()], { error: expected }).transform((value, context): number => {
    const epochMs = typeof value === 'number' ? value : parseInstantMs(value, nowEpochMs());
    if (epochMs !== undefined) return epochMs;
    context.addIssue(expected);
    return z.NEVER;
  });
}

/** Scopes, in lower case, each once. */
export function scopeList(known: (scope: Scope) => boolean, alsoOurs: boolean) {
  const expected = alsoOurs
    ? `a scope of Mason's or one of ${GATEWAY_SCOPES.join(', ')}`
    : "a scope of Mason's such as fleet:read";
  const ours: readonly string[] = alsoOurs ? GATEWAY_SCOPES : [];
  const scope = text(expected, (value) => known(value.toLowerCase()) || ours.includes(value.toLowerCase()));
  return z
    .array(scope, { error: 'a list of scopes' })
    .min(1, { error: 'at least one scope' })
    .max(64, { error: 'at most 64 scopes' })
    .transform((scopes) => [...new Set(scopes.map((each) => each.toLowerCase()))]);
}

/** An address or a range in CIDR form; as a range. */
const addressRange = z
  .string({ error: 'an address or range such as 10.0.0.0/8 or 2001:db8::/32' })
  .transform((value, context): string => {
    const range = asRange(value);
    if (range !== undefined) return range;
    context.addIssue('an address or range such as 10.0.0.0/8 or 2001:db8::/32 (an IPv4 address is written as such)');
    return z.NEVER;
  });

export const addressRanges = z
  .array(addressRange, { error: 'a list of address ranges' })
  .max(64, { error: 'at most 64 address ranges' });

function asRange(value: string): string | undefined {
  const [address = '', bits, ...more] = value.split('/');
  const family = isIP(address);
  // A zone ("%eth0") means nothing elsewhere; callers in IPv6 clothes are compared as the IPv4 that they are.
  if (more.length > 0 || family === 0 || address.includes('%') || /^::ffff:/i.test(address)) return undefined;
  const bitsMax = family === 6 ? 128 : 32;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return undefined;
  const prefix = bits === undefined ? bitsMax : Number(bits);
  if (prefix > bitsMax) return undefined;
  // What Node will compare with decides in the end.
  new BlockList().addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  return `${address}/${prefix}`;
}
