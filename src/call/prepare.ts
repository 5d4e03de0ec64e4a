import type { OpenedKey } from '../domain/mason-key.ts';
import type { Outgoing } from '../mason/send.ts';
import type { Call } from './call.ts';

/** What a caller's request may tell Mason; everything else stays here (no cookie, origin, forwarding or identity header). */
const PASSED = [
  'accept',
  'accept-language',
  'content-type',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
  'idempotency-key',
] as const;

const USER_AGENT = 'mason-gateway';
/** Nobody resumes a download in more pieces; hundreds of them are an attack on whoever must put them together. */
const RANGES_MAX = 16;

/** The request as it goes on the wire. The only place where a key is put on. */
export function prepare(call: Call, key: OpenedKey): Outgoing {
  const headers = forwardedHeaders(call);
  headers['user-agent'] = USER_AGENT;
  headers['request-id'] = call.id;
  headers['authorization'] = `basic ${key.secret.reveal()}`;
  const { path, query } = call.target;
  const body = call.upload?.stream ?? bodyOf(call);
  if (call.upload?.length !== undefined) headers['content-length'] = call.upload.length;
  return { method: call.req.method ?? 'GET', target: path + query, headers, body, connection: connectionFor(call) };
}

/** A read that broke off is not sent on one more connection that may be dead by now. */
function connectionFor(call: Call): Outgoing['connection'] {
  if (call.operation.transfer === 'stream') return 'transfer';
  return call.changes || call.attempts.at(-1)?.failure !== undefined ? 'own' : 'shared';
}

/** What of the caller's own headers goes on to Mason. */
export function forwardedHeaders(call: Call): Record<string, string> {
  const headers: Record<string, string> = {};
  const nominated = connectionNames(call.req.headers.connection);
  for (const name of PASSED) {
    const value = call.req.headers[name];
    // What `Connection` names was meant for this hop only (RFC 9110 section 7.6.1).
    if (typeof value === 'string' && !nominated.includes(name)) headers[name] = value;
  }
  if (call.upload === undefined && bodyOf(call) === undefined) delete headers['content-type'];
  // As if it had not been asked for: the answer is the whole (RFC 9110 sections 14.2 and 17.15).
  if (headers['range'] !== undefined && isMany(headers['range'])) delete headers['range'];
  return headers;
}

/** A GET's body has no meaning (RFC 9110 section 9.3.1): it was read, and ends here. */
function bodyOf({ req: { method = 'GET' }, body }: Call): Buffer | undefined {
  return method === 'GET' || method === 'HEAD' ? undefined : body;
}

function isMany(ranges: string): boolean {
  return ranges.split(',', RANGES_MAX + 1).length > RANGES_MAX;
}

function connectionNames(connection: string | undefined): readonly string[] {
  if (connection === undefined || /^(?:close|keep-alive)$/i.test(connection)) return [];
  return connection.split(',').map((name) => name.trim().toLowerCase());
}
