import type { LaneShare } from '../domain/lane.ts';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import type { Redactor } from '../mason/redact.ts';
import type { Answer } from '../mason/send.ts';
import type { Call } from './call.ts';

/** What of Mason's answer a caller may see; everything else stays here (no cookies, policies, server names, redirects). */
const PASSED: Readonly<Record<string, string>> = {
  'content-type': 'Content-Type',
  'content-length': 'Content-Length',
  'content-range': 'Content-Range',
  'content-language': 'Content-Language',
  'content-disposition': 'Content-Disposition',
  'accept-ranges': 'Accept-Ranges',
  etag: 'ETag',
  'last-modified': 'Last-Modified',
};

const SECURITY = Object.entries(SECURITY_HEADERS).flat();

/** Headers of every answer on the path of a call, as a flat list: security, the call's id, times, and the budget from the line on. */
export function callHeaders(call: Call, share: LaneShare | undefined): string[] {
  const headers = [...SECURITY, 'Request-Id', call.id, 'Server-Timing', serverTiming(call)];
  if (share !== undefined) headers.push(...rateLimit(share));
  return headers;
}

/** Mason's headers that may pass, with keys cut out. */
export function passedHeaders(answer: Answer, redactor: Redactor): string[] {
  const headers: string[] = [];
  const connection = answer.headers['connection'];
  const nominated = typeof connection === 'string' ? connection.toLowerCase().split(/\s*,\s*/) : [];
  for (const name in PASSED) {
    const value = answer.headers[name];
    if (typeof value !== 'string' || nominated.includes(name)) continue;
    // RFC 9110 section 8.6: a length would make some callers wait for a body.
    if (answer.status === 204 && name === 'content-length') continue;
    headers.push(PASSED[name] as string, redactor.text(value));
  }
  return headers;
}

function serverTiming(call: Call): string {
  const gateway = Math.max(0, call.elapsed() - call.queueMs - call.masonMs);
  return `queue;dur=${call.queueMs.toFixed(1)}, mason;dur=${call.masonMs.toFixed(1)}, gateway;dur=${gateway.toFixed(1)}`;
}

/**
 * `RateLimit-Policy` and `RateLimit` of the IETF draft: q calls in w seconds are this app's share now, r of them could go
 * without waiting, t seconds to the end. A window of less than a second is told as a whole second of them.
 */
export function rateLimit(share: LaneShare): string[] {
  const seconds = Math.max(1, Math.ceil(share.windowMs / 1_000));
  const quota = Math.max(1, Math.floor((share.calls * seconds * 1_000) / share.windowMs));
  const left = Math.max(0, Math.floor(share.remaining));
  const reset = Math.max(0, Math.ceil(share.resetMs / 1_000));
  return ['RateLimit-Policy', `"mason";q=${quota};w=${seconds}`, 'RateLimit', `"mason";r=${left};t=${reset}`];
}
