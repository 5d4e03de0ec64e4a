import type { DatabaseSync } from 'node:sqlite';
import { SKEWED_COLUMNS } from './segment-schema.ts';

/** By column, the value that its index leaves out. */
export type LeftOut = ReadonlyMap<string, number>;

/** Enough to tell half of all events from less, nearly always; where it does not, an index is only larger than need be. */
const SAMPLE_EVENTS = 1_000;
/** The golden ratio's: multiples of it fall evenly between 0 and 1, and in step with nothing that repeats. */
const STRIDE = 0.618_033_988_749_895;

/**
 * Builds the indexes of columns of which one value may be that of most events: where it is, the index leaves it out, and the
 * table `left_out` remembers it. Each column is a step of its own; what is there already is left as it is.
 *
 * @throws SQLite's error
 */
export function indexSkewed(db: DatabaseSync): void {
  db.exec('CREATE TABLE IF NOT EXISTS left_out (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID');
  const sample = sampleOf(db);
  const isThere = db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?');
  for (const [at, column] of SKEWED_COLUMNS.entries()) {
    if (isThere.get(`event_${column}`) !== undefined) continue;
    const most = mostCommon(sample.map((row) => row[at]));
    const where = most === undefined ? '' : `WHERE ${column} <> ${most}`;
    db.exec('BEGIN IMMEDIATE');
    if (most !== undefined) db.prepare('INSERT INTO left_out VALUES (?, ?)').run(column, most);
    db.exec(`CREATE INDEX event_${column} ON event (${column}, at) ${where}; COMMIT`);
  }
}

/**
 * What a segment's indexes leave out; nothing in a segment that is open, or was sealed by an older release.
 *
 * @throws SQLite's error
 */
export function leftOut(db: DatabaseSync): LeftOut {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'left_out'").get() === undefined) return new Map();
  const rows = db.prepare('SELECT name, value FROM left_out').all();
  return new Map(rows.map((row) => [String(row['name']), Number(row['value'])]));
}

/** Values of the skewed columns, in their order, of events from all over the segment. */
function sampleOf(db: DatabaseSync): (readonly unknown[])[] {
  const { first, last } = db.prepare('SELECT min(seq) AS first, max(seq) AS last FROM event').get() ?? {};
  if (typeof first !== 'number' || typeof last !== 'number') return [];
  const one = db.prepare(`SELECT ${SKEWED_COLUMNS.join(', ')} FROM event WHERE seq = ?`);
  one.setReturnArrays(true);
  return Array.from({ length: SAMPLE_EVENTS }, (_, n) => {
    const seq = first + Math.floor(((n * STRIDE) % 1) * (last - first + 1));
    return (one.get(seq) ?? []) as readonly unknown[];
  });
}

/** The value that more than half of them have. */
function mostCommon(values: readonly unknown[]): number | undefined {
  const counts = Map.groupBy(values, (value) => value);
  for (const [value, { length }] of counts) {
    if (typeof value === 'number' && length * 2 > values.length) return value;
  }
  return undefined;
}
