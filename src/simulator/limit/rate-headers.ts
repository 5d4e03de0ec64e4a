import type { LimitOptions, SimulatorOptions } from '../options.ts';
import type { Verdict } from './rate-limiter.ts';

/**
 * The headers that tell a caller where it stands, in the dialect asked for: name and value in turn.
 * `now` is the epoch in milliseconds, for the forms that write an instant.
 */
export function rateHeaders(verdict: Verdict, limit: LimitOptions, options: SimulatorOptions, now: number): string[] {
  const headers = options.rateHeaders === 'none' ? [] : standing(verdict, limit, options, now);
  if (!verdict.accepted && options.retryAfter !== 'none') {
    headers.push('Retry-After', retryAfter(verdict, options.retryAfter, now));
  }
  return headers;
}

/** RFC 9110 section 10.2.3: whole seconds, or a date which has no parts of a second either. Rounded up: early would be refused again. */
function retryAfter(verdict: Verdict, form: 'seconds' | 'date', now: number): string {
  if (form === 'seconds') return String(Math.max(1, seconds(verdict.retryAfterMs)));
  return new Date(seconds(now + verdict.retryAfterMs) * 1000).toUTCString();
}

function standing(verdict: Verdict, limit: LimitOptions, options: SimulatorOptions, now: number): string[] {
  const allowed = String(limit.calls);
  const remaining = String(verdict.remaining);
  switch (options.rateHeaders) {
    case 'ietf':
      return [
        'RateLimit-Policy',
        `"default";q=${allowed};w=${seconds(limit.windowMs)}`,
        'RateLimit',
        `"default";r=${remaining};t=${seconds(verdict.resetMs)}`,
      ];
    case 'ietf-old':
      return three('RateLimit', allowed, remaining, String(seconds(verdict.resetMs)));
    case 'x-ratelimit':
      return three('X-RateLimit', allowed, remaining, reset(verdict, options, now));
    case 'x-rate-limit':
      return three('X-Rate-Limit', allowed, remaining, reset(verdict, options, now));
    case 'none':
      return [];
  }
}

function three(prefix: string, allowed: string, remaining: string, resetAt: string): string[] {
  return [`${prefix}-Limit`, allowed, `${prefix}-Remaining`, remaining, `${prefix}-Reset`, resetAt];
}

function reset(verdict: Verdict, options: SimulatorOptions, now: number): string {
  switch (options.rateReset) {
    case 'left':
      return String(seconds(verdict.resetMs));
    case 'epoch':
      return String(seconds(now + verdict.resetMs));
    case 'epoch-ms':
      return String(Math.ceil(now + verdict.resetMs));
  }
}

/** Rounded up, but not for the last bit of a sum: 60 s that were computed as 60.000000000001 s are 60. */
function seconds(ms: number): number {
  return Math.ceil(Math.round(ms * 1000) / 1_000_000);
}
