import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../domain/errors.ts';

const URGENCY_DEFAULT = 3; // RFC 9218 section 4.1

/**
 * How long a caller is willing to stand in the line, from `Prefer: wait=<seconds>` (RFC 7240 section 4.3).
 *
 * @returns milliseconds, at most `maxMs`
 * @throws GatewayError `invalid_request` when `wait` is no whole number of seconds
 */
export function waitMs(headers: IncomingHttpHeaders, defaultMs: number, maxMs: number): number {
  const prefer = headers['prefer'];
  if (typeof prefer !== 'string') return defaultMs;
  const wait = /(?:^|[,;])\s*wait\s*=\s*("?)([^,;"]*)\1/i.exec(prefer)?.[2]?.trim();
  if (wait === undefined) return defaultMs;
  if (!/^\d{1,9}$/.test(wait)) {
    throw new GatewayError('invalid_request', `expected "Prefer: wait=<seconds>", got "wait=${wait.slice(0, 40)}"`);
  }
  return Math.min(maxMs, Number(wait) * 1_000);
}

/** `u` of `Priority` (RFC 9218), no more urgent than `urgencyMin`. What is no priority is ignored, as section 4 wants. */
export function urgency(headers: IncomingHttpHeaders, urgencyMin: number): number {
  const priority = headers['priority'];
  const asked = typeof priority === 'string' ? /(?:^|,)\s*u=([0-7])\s*(?:$|[,;])/.exec(priority)?.[1] : undefined;
  return Math.max(urgencyMin, asked === undefined ? URGENCY_DEFAULT : Number(asked));
}
