import type { Kysely } from 'kysely';

/** How a database spells the column types that we use, and what ends a `create table`. */
export interface ColumnTypes {
  /** Must sort by bytes. */
  readonly text: 'text' | 'text collate "C"';
  readonly blob: 'blob' | 'bytea';
  /** Must hold milliseconds since 1970. */
  readonly integer: 'integer' | 'bigint';
  readonly tableEnd: '' | 'strict';
}

/** What migrations need to know of a database. */
export interface DatabaseKind {
  readonly types: ColumnTypes;
  /** Whether it has a table of that name, asked inside of a transaction where `db` is one. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the tables are, the question is about their names
  hasTable(db: Kysely<any>, name: string): Promise<boolean>;
}

export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  /**
   * The oldest schema version whose code still works after this migration. A migration that only adds keeps it, so that a
   * release runs on the next one's schema while gateways are replaced one by one; contracting comes a release later.
   */
  readonly oldestReader: number;
  readonly statements: (types: ColumnTypes) => readonly string[];
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    oldestReader: 1,
    statements: ({ text, blob, integer, tableEnd }) => [
      `create table teams (
        id ${text} not null primary key,
        slug ${text} not null unique,
        name ${text} not null,
        created_at ${integer} not null,
        sealed_data_key ${blob} not null
      ) ${tableEnd}`,
      `create table apps (
        id ${text} not null primary key,
        team_id ${text} not null references teams (id) on delete cascade,
        name ${text} not null,
        weight ${integer} not null,
        created_at ${integer} not null,
        unique (team_id, name)
      ) ${tableEnd}`,
      `create table budgets (
        id ${text} not null primary key,
        name ${text} not null unique,
        limit_calls ${integer},
        limit_window_ms ${integer},
        burst ${integer},
        created_at ${integer} not null
      ) ${tableEnd}`,
      `create table mason_keys (
        id ${text} not null primary key,
        team_id ${text} not null references teams (id) on delete cascade,
        name ${text} not null,
        origin ${text} not null,
        scopes ${text} not null,
        budget_id ${text} not null references budgets (id),
        fingerprint ${text} not null,
        last4 ${text} not null,
        sealed ${blob} not null,
        created_at ${integer} not null,
        last_used_at ${integer},
        unique (team_id, name)
      ) ${tableEnd}`,
      'create index mason_keys_budget on mason_keys (budget_id)',
      'create index mason_keys_fingerprint on mason_keys (fingerprint)',
      `create table tokens (
        id ${text} not null primary key,
        app_id ${text} not null references apps (id) on delete cascade,
        team_id ${text} not null references teams (id) on delete cascade,
        digest ${text} not null unique,
        grace_digest ${text} unique,
        grace_until ${integer},
        scopes ${text} not null,
        effect_ceiling ${text} not null,
        address_ranges ${text} not null,
        urgency_min ${integer} not null,
        created_at ${integer} not null,
        expires_at ${integer} not null,
        revoked_at ${integer},
        last_used_at ${integer}
      ) ${tableEnd}`,
      'create index tokens_app on tokens (app_id)',
      'create index tokens_team on tokens (team_id)',
      `create table settings (name ${text} not null primary key, value ${text} not null) ${tableEnd}`,
      `create table revision ("only" ${integer} not null primary key check ("only" = 1), value ${integer} not null) ${tableEnd}`,
      'insert into revision ("only", value) values (1, 0)',
    ],
  },
  {
    version: 2,
    oldestReader: 1,
    statements: ({ text, blob, integer, tableEnd }) => [
      `alter table mason_keys add column previous_fingerprint ${text}`,
      `alter table mason_keys add column previous_last4 ${text}`,
      `alter table mason_keys add column previous_sealed ${blob}`,
      `alter table mason_keys add column previous_replaced_at ${integer}`,
      `create table people (
        id ${text} not null primary key,
        issuer ${text} not null,
        subject ${text} not null,
        name ${text} not null,
        grants ${text} not null,
        pinned ${integer} not null,
        disabled_at ${integer},
        created_at ${integer} not null,
        last_sign_in_at ${integer},
        unique (issuer, subject)
      ) ${tableEnd}`,
      `create table sign_in_links (
        id ${text} not null primary key,
        digest ${text} not null unique,
        name ${text} not null,
        grants ${text} not null,
        created_at ${integer} not null,
        ends_at ${integer} not null
      ) ${tableEnd}`,
      `create table sessions (
        digest ${text} not null primary key,
        id ${text} not null unique,
        person_id ${text} not null,
        provider_digest ${text},
        ends_at ${integer} not null,
        last_seen_at ${integer} not null,
        sealed ${blob} not null
      ) ${tableEnd}`,
      'create index sessions_person on sessions (person_id)',
      'create index sessions_provider on sessions (provider_digest)',
      'create index sessions_seen on sessions (last_seen_at)',
      'create index sessions_end on sessions (ends_at)',
      `create table tickets (
        digest ${text} not null primary key,
        session_digest ${text} not null references sessions (digest) on delete cascade,
        method ${text} not null,
        target ${text} not null,
        ends_at ${integer} not null
      ) ${tableEnd}`,
      'create index tickets_session on tickets (session_digest)',
      'create index tickets_end on tickets (ends_at)',
    ],
  },
  {
    version: 3,
    oldestReader: 1,
    statements: ({ text, integer, tableEnd }) => [
      `create table learned_limits (
        budget_id ${text} not null primary key references budgets (id) on delete cascade,
        state ${text} not null,
        generation ${integer} not null,
        writer ${text} not null,
        written_at ${integer} not null
      ) ${tableEnd}`,
    ],
  },
  {
    version: 4,
    oldestReader: 1,
    statements: ({ text, blob, integer, tableEnd }) => [
      `create table runs (
        chain ${text} not null primary key,
        gateway_id ${text} not null,
        started_at ${integer} not null,
        seen_at ${integer} not null,
        ended_at ${integer},
        closed_at ${integer},
        taken_by ${text},
        taken_at ${integer}
      ) ${tableEnd}`,
      `create table usage (
        span ${text} not null,
        at ${integer} not null,
        team_id ${text} not null,
        caller_id ${text} not null,
        entries ${text} not null,
        primary key (span, at, team_id, caller_id)
      ) ${tableEnd}`,
      `create table usage_counted (chain ${text} not null primary key, batch ${integer} not null) ${tableEnd}`,
      `create table signing_keys (
        n ${integer} not null primary key,
        id ${text} not null unique,
        public_key ${text} not null,
        sealed ${blob} not null,
        created_at ${integer} not null,
        signed_by ${text},
        signature ${text}
      ) ${tableEnd}`,
      `create table positions (name ${text} not null primary key, value ${text} not null) ${tableEnd}`,
      `create table names (id ${text} not null primary key, name ${text} not null) ${tableEnd}`,
    ],
  },
  {
    version: 5,
    oldestReader: 1,
    statements: ({ integer }) => [`alter table budgets add column spread_ms ${integer}`],
  },
];
