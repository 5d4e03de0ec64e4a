import type { StatedLimit } from '../domain/learning.ts';
import type { Answer } from './send.ts';
import { headerText, resetMs } from './slow-down.ts';

const POLICIES_MAX = 8;
const CALLS_MAX = 1_000_000;
const WINDOW_SECONDS_MAX = 86_400;
const FAMILIES = ['ratelimit', 'x-ratelimit', 'x-rate-limit'] as const;

/**
 * The limits that an answer states, in any of the dialects in use: the IETF draft's `RateLimit-Policy: "name";q=100;w=60` with
 * `RateLimit: "name";r=37;t=12` (draft-ietf-httpapi-ratelimit-headers), its older `RateLimit-Limit: 100`, or `100, 100;w=60`,
 * with `-Remaining` and `-Reset`, and the same as `X-RateLimit-*` and `X-Rate-Limit-*`. What is malformed or beyond the bounds
 * of {@link StatedLimit} is not stated.
 *
 * @param nowEpochMs for resets that are instants
 */
export function statedLimits(headers: Answer['headers'], nowEpochMs: number): readonly StatedLimit[] {
  const policy = headerText(headers, 'ratelimit-policy');
  if (policy !== undefined) {
    const stated = draftLimits(policy, headerText(headers, 'ratelimit'));
    if (stated.length > 0) return stated;
  }
  for (const family of FAMILIES) {
    const limit = headerText(headers, `${family}-limit`);
    if (limit !== undefined) return namedLimits(headers, family, limit, nowEpochMs);
  }
  return [];
}

function draftLimits(policy: string, standing: string | undefined): readonly StatedLimit[] {
  const left = new Map(items(standing ?? '').map((item) => [nameOf(item), item]));
  return items(policy).flatMap((item) => {
    const calls = parameter(item, 'q');
    const windowSeconds = parameter(item, 'w');
    if (!isCalls(calls) || (windowSeconds !== undefined && !isWindow(windowSeconds))) return [];
    const now = left.get(nameOf(item)) ?? '';
    const seconds = parameter(now, 't');
    return {
      calls,
      windowMs: windowSeconds === undefined ? undefined : windowSeconds * 1_000,
      remaining: parameter(now, 'r'),
      resetMs: seconds === undefined ? undefined : resetMs(String(seconds), 0),
    };
  });
}

function namedLimits(
  headers: Answer['headers'],
  family: string,
  limit: string,
  nowEpochMs: number,
): readonly StatedLimit[] {
  const remaining = headerText(headers, `${family}-remaining`);
  const reset = resetMs(headerText(headers, `${family}-reset`), nowEpochMs);
  const stated = items(limit).flatMap((item) => {
    const calls = Number(/^\d{1,7}(?=$|\s*;)/.exec(item)?.[0]);
    const windowSeconds = parameter(item, 'w');
    if (!isCalls(calls) || (windowSeconds !== undefined && !isWindow(windowSeconds))) return [];
    return { calls, windowMs: windowSeconds === undefined ? undefined : windowSeconds * 1_000 };
  });
  const windowed = stated.filter(({ windowMs }) => windowMs !== undefined);
  const wanted = windowed.length > 0 ? windowed : stated.slice(0, 1);
  // The first item is the limit that is nearest; what remains, and when it ends, are told of that one.
  const nearest = stated[0]?.calls;
  const left = remaining !== undefined && /^\d{1,7}$/.test(remaining) ? Number(remaining) : undefined;
  return wanted.map((one) => ({
    ...one,
    remaining: one.calls === nearest ? left : undefined,
    resetMs: one.calls === nearest ? reset : undefined,
  }));
}

function items(list: string): readonly string[] {
  return list
    .split(',', POLICIES_MAX)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function nameOf(item: string): string {
  return item.split(';', 1)[0]?.trim() ?? '';
}

function parameter(item: string, name: 'q' | 'w' | 'r' | 't'): number | undefined {
  const digits = new RegExp(`;\\s*${name}=(\\d{1,10})(?=$|[;\\s])`).exec(item)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function isCalls(calls: number | undefined): calls is number {
  return calls !== undefined && calls >= 1 && calls <= CALLS_MAX;
}

function isWindow(seconds: number): boolean {
  return seconds >= 1 && seconds <= WINDOW_SECONDS_MAX;
}
