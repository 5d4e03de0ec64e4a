import type { Answer } from './send.ts';

/** A wait longer than this is taken for a mistake or an attack; the lane bounds it again. */
const WAIT_MS_MAX = 3_600_000;

/**
 * How long an answer asks us to wait, in milliseconds, in any of the dialects in use: `Retry-After` in seconds or as a
 * date, the IETF draft's `RateLimit` with `t`, its older `RateLimit-Reset`, and `X-RateLimit-Reset` and
 * `X-Rate-Limit-Reset` in seconds left or as an epoch in seconds or milliseconds.
 *
 * @param nowEpochMs for dates
 * @returns 0 to {@link WAIT_MS_MAX}; undefined when nothing usable was said: then the caller backs off by itself
 */
export function askedWaitMs(headers: Answer['headers'], nowEpochMs: number): number | undefined {
  return (
    retryAfterMs(headerText(headers, 'retry-after'), nowEpochMs) ??
    draftMs(headerText(headers, 'ratelimit')) ??
    resetMs(headerText(headers, 'ratelimit-reset'), nowEpochMs) ??
    resetMs(headerText(headers, 'x-ratelimit-reset'), nowEpochMs) ??
    resetMs(headerText(headers, 'x-rate-limit-reset'), nowEpochMs)
  );
}

/** One header's value, the first where it came several times. */
export function headerText(headers: Answer['headers'], name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value.trim() : value?.[0]?.trim();
}

function retryAfterMs(value: string | undefined, nowEpochMs: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = number(value);
  if (seconds !== undefined) return bounded(seconds * 1_000);
  // An HTTP date begins with the name of a day (RFC 9110 section 5.6.7); Date.parse alone takes almost anything.
  if (!/^(?:mon|tue|wed|thu|fri|sat|sun)/i.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : bounded(at - nowEpochMs);
}

function draftMs(value: string | undefined): number | undefined {
  const seconds = value === undefined ? undefined : /;\s*t=(\d{1,10})\b/.exec(value)?.[1];
  return seconds === undefined ? undefined : bounded(Number(seconds) * 1_000);
}

/** Milliseconds to a reset told as seconds left, or as an epoch: in seconds it is beyond 10^9, in milliseconds beyond 10^12. */
export function resetMs(value: string | undefined, nowEpochMs: number): number | undefined {
  const reset = value === undefined ? undefined : number(value);
  if (reset === undefined) return undefined;
  if (reset >= 1e12) return bounded(reset - nowEpochMs);
  if (reset >= 1e9) return bounded(reset * 1_000 - nowEpochMs);
  return bounded(reset * 1_000);
}

function number(value: string): number | undefined {
  return /^-?\d+(?:\.\d+)?(?:e\d+)?$/i.test(value) ? Number(value) : undefined;
}

/** A wait in the past is none; one that no clock reaches is cut. */
function bounded(milliseconds: number): number {
  return Math.min(WAIT_MS_MAX, Math.max(0, milliseconds));
}
