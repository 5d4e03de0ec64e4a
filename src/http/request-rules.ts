import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../domain/errors.ts';
import { type RequestTarget, readRequestTarget } from './request-target.ts';

/** Node silently drops headers past `maxHeadersCount`; so it is told to drop none, and this bound refuses. */
export const HEADERS_MAX = 100;

/** Headers that say one thing: twice, two readers may believe different ones (RFC 9110 section 5.3). A bit for each. */
const SINGLE: ReadonlyMap<string, number> = new Map(
  [
    'host',
    'content-length',
    'transfer-encoding',
    'authorization',
    'content-type',
    'idempotency-key',
    'gateway-confirm',
    'gateway-team',
    'prefer',
  ].map((name, index) => [name, 1 << index]),
);
const SEEN_HOST = 1 << 0;
const SEEN_LENGTH = 1 << 1;
const SEEN_CODING = 1 << 2;

// RFC 9110 section 7.2: uri-host [ ":" port ]; nothing of userinfo, path or list.
const HOST = /^(?:[A-Za-z0-9\-._~]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * What holds for every request on every public door, before anything looks at it: one host, one reading of the framing,
 * one reading of the target (RFC 9112 sections 3.2, 6.1 and 6.3).
 *
 * @throws GatewayError
 */
export function checkRequest(req: IncomingMessage): RequestTarget {
  const { httpVersion } = req;
  // The parser takes 0.9 and 2.0 for versions of this protocol (RFC 9112 section 2.3).
  if (httpVersion !== '1.1' && httpVersion !== '1.0') throw invalid(`HTTP/1.1 is spoken here, not HTTP/${httpVersion}`);
  const raw = req.rawHeaders;
  if (raw.length > HEADERS_MAX * 2) {
    throw new GatewayError(
      'headers_too_large',
      `a request may have ${HEADERS_MAX} headers, this has ${raw.length / 2}`,
    );
  }
  let seen = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const bit = SINGLE.get(name);
    if (bit === undefined) continue;
    if ((seen & bit) !== 0) throw invalid(`the header "${name}" may come once`);
    seen |= bit;
  }
  const hasHost = (seen & SEEN_HOST) !== 0;
  if (!hasHost && req.httpVersion !== '1.0') throw invalid('the header "host" is missing');
  const host = req.headers.host ?? '';
  if (hasHost && !HOST.test(host)) throw invalid('the header "host" must be one host with an optional port');
  if ((seen & SEEN_CODING) !== 0) checkTransferEncoding(req, (seen & SEEN_LENGTH) !== 0);
  if (req.method === 'TRACE' || req.method === 'CONNECT') {
    throw new GatewayError('method_not_allowed', `${req.method} is not served`, {
      allow: ['GET', 'HEAD', 'POST', 'DELETE'],
    });
  }
  if (req.method === 'OPTIONS' && req.url === '*') return { path: '*', query: '' };
  return readRequestTarget(req.url ?? '', host);
}

function checkTransferEncoding(req: IncomingMessage, hasLength: boolean): void {
  if (req.httpVersion === '1.0') throw invalid('HTTP/1.0 has no "transfer-encoding"');
  if (hasLength) throw invalid('"content-length" and "transfer-encoding" contradict each other');
  const coding = req.headers['transfer-encoding'] ?? '';
  if (coding.toLowerCase() === 'chunked') return;
  throw new GatewayError('not_implemented', 'the only "transfer-encoding" taken is "chunked"');
}

function invalid(message: string): GatewayError {
  return new GatewayError('invalid_request', message);
}
