import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Frontend } from '../domain/session.ts';
import { SECURITY_HEADERS } from '../http/security-headers.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** Not `Authorization`: a page that holds a token has lost it. */
const REQUEST_HEADERS = [
  'Content-Type',
  'X-Requested-By',
  'Gateway-Team',
  'Gateway-Confirm',
  'Prefer',
  'Priority',
  'Idempotency-Key',
  'Request-Id',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
  'If-Range',
  'Range',
].join(', ');
const EXPOSED = [
  'Request-Id',
  'Error-Source',
  'Server-Timing',
  'RateLimit-Policy',
  'RateLimit',
  'Retry-After',
  'ETag',
  'Content-Range',
].join(', ');
/** Browsers ask again after so long: a frontend taken off the list stays allowed to ask, never to get in. */
const PREFLIGHT_SECONDS = '600';

/** Sets the headers that let listed frontends read the answer, whichever it will be; true when the answer is given already. */
export type Cors = (req: IncomingMessage, res: ServerResponse) => boolean;

/**
 * Cross-origin reading for the listed frontends: exact origins, never `*`, `null` or what somebody happens to send. Preflights
 * are answered here, for anybody alike, and reach nothing else (Fetch standard section 3.3).
 */
export function createCors(frontends: readonly Frontend[]): Cors {
  const listed = new Set(frontends.map(({ origin }) => origin));
  return (req, res) => {
    const { origin } = req.headers;
    // Whether or not this one may read: caches must not hand its answer to another.
    if (listed.size > 0) res.setHeader('Vary', 'Origin');
    if (origin === undefined) return false;
    if (listed.has(origin)) {
      res.setHeader('Access-Control-Allow-Origin', origin);
      res.setHeader('Access-Control-Allow-Credentials', 'true');
    }
    if (req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined) {
      answerPreflight(res, listed.has(origin));
      return true;
    }
    if (listed.has(origin)) res.setHeader('Access-Control-Expose-Headers', EXPOSED);
    return false;
  };
}

function answerPreflight(res: ServerResponse, isListed: boolean): void {
  const allowed = {
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Allow-Headers': REQUEST_HEADERS,
    'Access-Control-Max-Age': PREFLIGHT_SECONDS,
  };
  res.writeHead(204, { ...SECURITY_HEADERS, ...(isListed ? allowed : {}) });
  res.end();
}
