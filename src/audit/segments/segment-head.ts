import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Head } from '../chain.ts';

/** What a segment says of itself. */
export interface SegmentHead {
  readonly gatewayId: string;
  readonly chain: string;
  readonly n: number;
  readonly sealed: boolean;
  readonly firstSeq: number;
  /** Of the batch before its first. */
  readonly previousLink: Uint8Array;
  /** As it was counted at sealing; undefined before. */
  readonly events: number | undefined;
  readonly head: Head;
  /** Earliest and latest `at` of its events; undefined while it has none. */
  readonly range: { readonly lowAt: number; readonly highAt: number } | undefined;
}

/** How long a reader waits for a lock: only sealing and recovery take one, for a moment. */
const READ_BUSY_MS_MAX = 2_000;

/**
 * Opens a segment for reading.
 *
 * @throws SQLite's error
 */
export function openSegmentToRead(path: string): DatabaseSync {
  // Killed while it sealed, a process leaves a journal; who only reads may not roll it back, and would be refused.
  if (existsSync(`${path}-journal`)) rollBack(path);
  return new DatabaseSync(path, { readOnly: true, timeout: READ_BUSY_MS_MAX });
}

function rollBack(path: string): void {
  using db = new DatabaseSync(path, { timeout: READ_BUSY_MS_MAX });
  db.prepare('SELECT 1 FROM sqlite_schema').get();
}

/**
 * Reads the head of a segment: of its last batch, or where none is there yet, the one that it goes on from. Undefined for
 * a file whose writer has not come to write its tables.
 *
 * @throws SQLite's error when the file is no segment or cannot be read
 */
export function readSegmentHead(db: DatabaseSync): SegmentHead | undefined {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'segment'").get() === undefined) return undefined;
  const segment = db.prepare('SELECT * FROM segment').get();
  if (segment === undefined) return undefined;
  const last = db.prepare('SELECT * FROM batch ORDER BY first_seq DESC LIMIT 1').get();
  const firstSeq = Number(segment['first_seq']);
  return {
    gatewayId: String(segment['gateway_id']),
    chain: String(segment['chain']),
    n: Number(segment['n']),
    sealed: segment['events'] !== null,
    firstSeq,
    previousLink: bytesOf(segment['previous_link']),
    events: segment['events'] === null ? undefined : Number(segment['events']),
    head:
      last === undefined
        ? { seq: firstSeq - 1, batch: Number(segment['first_batch']) - 1, link: bytesOf(segment['previous_link']) }
        : { seq: Number(last['last_seq']), batch: Number(last['n']), link: bytesOf(last['link']) },
    range: last === undefined ? undefined : { lowAt: Number(last['low_at']), highAt: Number(last['high_at']) },
  };
}

/** A blob as it came from SQLite. */
export function bytesOf(value: unknown): Uint8Array {
  // Not instanceof: in jest, SQLite's arrays come from another realm.
  if (!ArrayBuffer.isView(value)) throw new TypeError('expected a blob');
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
