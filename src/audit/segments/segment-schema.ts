/**
 * One segment: a stretch of one chain.
 *
 * - `segment`: one row, written with the tables themselves, so a file has both or neither. `events` is null until sealed.
 * - `batch`: one row a commit. `n` counts the batches of the run, so that a batch sent twice is written once. `low_at` and
 *   `high_at` are the earliest and latest `at` in this segment up to and with this batch: the last row is the time range of
 *   the whole segment, and `high_at` before a position bounds everything older.
 * - `event`: `line` is what was digested, as it was. All other columns only serve filters; names stand once, in `term`,
 *   since most events of a segment share a few teams, apps and operations (measured: 150 bytes an event).
 * - `target`: one row a target; `n` is its place in the sorted list that the event holds a digest of.
 *
 * While open, a segment has primary keys only: with all indexes alive an insert costs ten times as much.
 */
export const SEGMENT_SCHEMA = `
CREATE TABLE segment (
  format INTEGER NOT NULL, gateway_id TEXT NOT NULL, chain TEXT NOT NULL, n INTEGER NOT NULL,
  first_seq INTEGER NOT NULL, first_batch INTEGER NOT NULL, previous_link BLOB NOT NULL, events INTEGER
) STRICT;
CREATE TABLE batch (
  first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, n INTEGER NOT NULL, link BLOB NOT NULL,
  low_at INTEGER NOT NULL, high_at INTEGER NOT NULL
) STRICT;
CREATE TABLE term (id INTEGER PRIMARY KEY, name TEXT NOT NULL, alias TEXT) STRICT;
CREATE TABLE event (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER, team INTEGER, app INTEGER, token INTEGER, operation INTEGER,
  effect INTEGER, status INTEGER, request_id TEXT, digest BLOB NOT NULL, line TEXT NOT NULL
) STRICT;
CREATE TABLE target (
  seq INTEGER NOT NULL, n INTEGER NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
`;

/** Built at sealing, one by one. Every index ends in the row id, which is `seq`, so that pages come out in order. */
export const SEALED_INDEXES = [
  'CREATE INDEX IF NOT EXISTS event_at ON event (at)',
  'CREATE INDEX IF NOT EXISTS event_team ON event (team, at)',
  'CREATE INDEX IF NOT EXISTS event_app ON event (app, at)',
  'CREATE INDEX IF NOT EXISTS event_token ON event (token, at)',
  'CREATE INDEX IF NOT EXISTS event_operation ON event (operation, at)',
  'CREATE INDEX IF NOT EXISTS event_effect ON event (effect, at)',
  'CREATE INDEX IF NOT EXISTS event_status ON event (status, at)',
  'CREATE INDEX IF NOT EXISTS event_kind ON event (kind, at)',
  'CREATE INDEX IF NOT EXISTS event_request ON event (request_id)',
  'CREATE INDEX IF NOT EXISTS target_name ON target (name, seq)',
];
