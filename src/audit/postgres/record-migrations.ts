import type { Migration } from '../../store/migrations.ts';

/** An event's id holds the number of its chain above these bits, and its place in the chain in them. */
export const SEQ_BITS = 40;

/**
 * The record in PostgreSQL.
 *
 * - `record_chain`: one row a run, numbered in the order in which the runs began. It holds the head: whoever writes a batch moves
 *   it from where it stood, so of two that write at once, or twice, one finds that it moved. `is_open`: somebody may still write.
 *   `first_seq` and `previous_link` say from where on the chain is kept.
 * - `record_batch`: one row a commit; `low_at` and `high_at` are the earliest and latest instant of its events, which tells
 *   those who read a chain where to look.
 * - `record_event`, `record_target`: in partitions of a week by `at`, which carry the indexes (`partitions.ts`). `id` is
 *   `chain << 40 | seq`. `line` is what was digested; null where retention or erasure took it and left the digest. All other
 *   columns only serve filters. None but `line` is ever null, which makes a row 8 bytes shorter.
 * - `record_caller`, `record_owner`, `record_operation`, `record_class`: the combinations that occur (`combinations.ts`). What is
 *   none is empty. Names stand as in the line, escaped: so any text can be held, also what PostgreSQL's cannot (U+0000, half a
 *   surrogate pair).
 * - `record_checkpoint`: what gateways signed of their chains.
 *
 * Measured with a million events of 595 bytes, every sixth with a target: 968 bytes each, of which 745 the row, 195 its seven
 * indexes, 27 what targets take in all; written at 58 µs of one connection each, batches of 400.
 */
export const RECORD_MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    oldestReader: 1,
    statements: () => [
      `CREATE TABLE record_chain (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gateway_id text NOT NULL, run text COLLATE "C" NOT NULL UNIQUE,
        seq bigint NOT NULL, batch bigint NOT NULL, link bytea NOT NULL,
        first_seq bigint NOT NULL, previous_link bytea NOT NULL, is_open boolean NOT NULL, written_at bigint NOT NULL
      ) WITH (fillfactor = 50)`,
      'CREATE INDEX record_chain_gateway ON record_chain (gateway_id, run)',
      `CREATE TABLE record_batch (
        first_seq bigint NOT NULL, last_seq bigint NOT NULL, n bigint NOT NULL, low_at bigint NOT NULL, high_at bigint NOT NULL,
        chain integer NOT NULL, link bytea NOT NULL, PRIMARY KEY (chain, first_seq)
      )`,
      `CREATE TABLE record_caller (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, app_id text NOT NULL, app text NOT NULL, person text NOT NULL,
        token text NOT NULL, UNIQUE (app_id, app, person, token)
      )`,
      'CREATE INDEX record_caller_app ON record_caller (app)',
      'CREATE INDEX record_caller_person ON record_caller (person)',
      'CREATE INDEX record_caller_token ON record_caller (token)',
      `CREATE TABLE record_owner (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, team_id text NOT NULL, team text NOT NULL,
        fingerprint text NOT NULL, UNIQUE (team_id, team, fingerprint)
      )`,
      'CREATE INDEX record_owner_team ON record_owner (team)',
      'CREATE INDEX record_owner_fingerprint ON record_owner (fingerprint)',
      `CREATE TABLE record_operation (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE
      )`,
      `CREATE TABLE record_class (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, effect text NOT NULL, status text NOT NULL,
        error_source text NOT NULL, UNIQUE (kind, effect, status, error_source)
      )`,
      `CREATE TABLE record_event (
        id bigint NOT NULL, at bigint NOT NULL, caller integer NOT NULL, owner integer NOT NULL, operation integer NOT NULL,
        class integer NOT NULL, request bytea NOT NULL, digest bytea NOT NULL, line text
      ) PARTITION BY RANGE (at)`,
      `CREATE TABLE record_target (
        id bigint NOT NULL, at bigint NOT NULL, n integer NOT NULL, kind text NOT NULL, name text NOT NULL
      ) PARTITION BY RANGE (at)`,
      `CREATE TABLE record_checkpoint (
        chain integer NOT NULL, seq bigint NOT NULL, text text NOT NULL, key_id text NOT NULL, signature text NOT NULL,
        PRIMARY KEY (chain, seq)
      )`,
    ],
  },
];
