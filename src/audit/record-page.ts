import { GatewayError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/event.ts';
import type { RecordPage } from '../domain/record.ts';
import { type Mark, pageKey } from './page-key.ts';
import type { Position } from './position.ts';

export interface PageAsked {
  readonly limit: number;
  readonly before?: string;
  readonly after?: string;
}

/** An event as it was found. */
export interface FoundRow extends Position {
  readonly digest: Uint8Array;
  /** Undefined where retention or erasure took it. */
  readonly line: string | undefined;
}

export interface FoundTarget {
  readonly kind: string;
  readonly name: string;
}

const LIMIT_MAX = 1_000;
/** Of an event's targets so many are shown; `count` tells how many there are. */
export const TARGETS_SHOWN_MAX = 1_000;

/** @throws GatewayError `invalid_request` */
export function checkPageAsked({ limit, before, after }: PageAsked): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
    throw new GatewayError('invalid_request', `Expected "limit" to be a whole number from 1 to ${LIMIT_MAX}.`);
  }
  if (before !== undefined && after !== undefined) {
    throw new GatewayError('invalid_request', 'Expected one of "before" and "after", got both.');
  }
}

/**
 * A page of what was found.
 *
 * @param rows newest first
 * @param mark where the page is the newest: what there is
 */
export function recordPage<R extends FoundRow>(
  rows: readonly R[],
  hasOlder: boolean,
  mark: Mark | undefined,
  targetsOf: (row: R) => readonly FoundTarget[],
): RecordPage {
  const newest = mark ?? rows[0];
  const oldest = rows.at(-1);
  return {
    events: rows.map((row) => storedEvent(row, targetsOf)),
    ...(hasOlder && oldest !== undefined ? { nextPage: pageKey(oldest) } : {}),
    ...(newest === undefined ? {} : { prevPage: pageKey(newest) }),
  };
}

/** What cannot be read now, for whatever reason. */
export function recordUnreadable(cause: unknown): GatewayError {
  return new GatewayError('store_unavailable', 'The record cannot be read now.', { cause });
}

function storedEvent<R extends FoundRow>(row: R, targetsOf: (row: R) => readonly FoundTarget[]): StoredEvent {
  const event: Record<string, unknown> = row.line === undefined ? { at: row.at } : JSON.parse(row.line);
  const { targets } = event;
  return {
    chain: row.chain,
    seq: row.seq,
    digest: Buffer.from(row.digest).toString('hex'),
    event: typeof targets === 'object' ? { ...event, targets: { ...targets, list: targetsOf(row) } } : event,
  };
}
