import { GatewayError } from '../domain/errors.ts';
import type { Position } from './position.ts';

/**
 * What was written when a page was read: of each run that could still write, its last event. Instants cannot tell that:
 * events come late, since a call may wait for minutes and gateways flush at their own times.
 */
export interface Mark {
  /** The newest run there was; younger ones came since. Empty when there was none. */
  readonly newestRun: string;
  /** Last `seq` by run. */
  readonly heads: Readonly<Record<string, number>>;
}

/** A page key: opaque to callers. It names an event, or what there was, never a distance. */
export function pageKey(place: Position | Mark): string {
  const parts = 'heads' in place ? [place.newestRun, place.heads] : [place.at, place.chain, place.seq];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * What stands in a page key.
 *
 * @throws GatewayError `invalid_request` when it is none of ours
 */
export function parsePageKey(key: string, name: 'before' | 'after'): Position | Mark {
  const [first, second, third, ...more] = parseList(key);
  if (more.length === 0) {
    if (isCount(first) && typeof second === 'string' && isCount(third)) return { at: first, chain: second, seq: third };
    if (name === 'before' && typeof first === 'string' && third === undefined && isHeads(second)) {
      return { newestRun: first, heads: second };
    }
  }
  throw new GatewayError(
    'invalid_request',
    `Expected "${name}" to be a page key from an earlier answer of the record.`,
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isHeads(value: unknown): value is Record<string, number> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isCount);
}

function parseList(key: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(key, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
