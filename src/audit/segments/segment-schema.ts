/**
 * One segment: a stretch of one chain.
 *
 * - `segment`: one row, written with the tables themselves, so a file has both or neither. `events` is null until sealed.
 * - `batch`: one row a commit. `n` counts the batches of the run, so that a batch sent twice is written once. `low_at` and
 *   `high_at` are the earliest and latest `at` in this segment up to and with this batch: the last row is the time range of
 *   the whole segment, and `high_at` before a position bounds everything older.
 * - `event`: `line` is what was digested, as it was; null where retention or erasure took it and left the digest. All other columns only serve filters; names stand once, in `term`,
 *   since most events of a segment share a few teams, apps and operations (measured: 150 bytes an event).
 *   Names stand as in the line, escaped: SQLite's text would change what is no Unicode (half a surrogate pair).
 * - `target`: one row a target; `n` is its place in the sorted list that the event holds a digest of.
 * - `checkpoint`: what the gateway signed of its chain while this segment was open, by the event that it stood at, which may be
 *   the last of the segment before.
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
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER, team INTEGER, app INTEGER, person INTEGER, token INTEGER,
  fingerprint INTEGER, operation INTEGER, effect INTEGER, status INTEGER, error_source INTEGER, request_id TEXT,
  digest BLOB NOT NULL, line TEXT
) STRICT;
CREATE TABLE target (
  seq INTEGER NOT NULL, n INTEGER NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (
  seq INTEGER PRIMARY KEY, text TEXT NOT NULL, key_id TEXT NOT NULL, signature TEXT NOT NULL
) STRICT;
`;

/**
 * Columns of which one value may be that of most events. Its index leaves that value out (`left_out`), which saves most of the
 * work of sealing: questions for it walk `event_at`, where every other event is one of theirs.
 */
export const SKEWED_COLUMNS = ['kind', 'team', 'app', 'token', 'fingerprint', 'operation', 'effect', 'status'] as const;

/**
 * Built at sealing, one by one. Every index ends in the row id, which is `seq`, so that pages come out in order. What few
 * events have is indexed for those few.
 */
export const SEALED_INDEXES = [
  'CREATE INDEX IF NOT EXISTS event_at ON event (at)',
  'CREATE INDEX IF NOT EXISTS event_person ON event (person, at) WHERE person IS NOT NULL',
  'CREATE INDEX IF NOT EXISTS event_error_source ON event (error_source, at) WHERE error_source IS NOT NULL',
  'CREATE INDEX IF NOT EXISTS event_request ON event (request_id)',
  'CREATE INDEX IF NOT EXISTS target_name ON target (name, seq)',
];
