import { hash } from 'node:crypto';
import type { Call } from './call.ts';
import { forwardedHeaders } from './prepare.ts';

/**
 * What a read asks, with all that its answer depends on: the team, its key, and every byte that Mason is shown but the key
 * and the request id. A digest, so that a long query is not held twice.
 *
 * @returns undefined for what is never joined: anything but a GET or HEAD that only reads, what is streamed, and what its
 * caller marked as a call of its own with an `Idempotency-Key`
 */
export function joinKey(call: Call): string | undefined {
  const { method, headers } = call.req;
  if (call.changes || (method !== 'GET' && method !== 'HEAD') || headers['idempotency-key'] !== undefined) {
    return undefined;
  }
  if (call.route?.operation.transfer === 'stream') return undefined;
  const { path, query } = call.target;
  const asked = [call.caller?.team.id, call.key?.id, method, path, query, forwardedHeaders(call)];
  return hash('sha256', JSON.stringify(asked), 'base64');
}
