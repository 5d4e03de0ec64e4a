import type { Kysely, Transaction } from 'kysely';

/*
 * The tables, as the queries see them. Only text, blob and integer, so that SQLite and PostgreSQL (text, bytea, bigint) share
 * every query; instants and durations are milliseconds, lists are JSON text.
 */

export interface TeamRow {
  id: string;
  slug: string;
  name: string;
  created_at: number;
  sealed_data_key: Uint8Array;
}

export interface AppRow {
  id: string;
  team_id: string;
  name: string;
  weight: number;
  created_at: number;
}

export interface BudgetRow {
  id: string;
  name: string;
  /** Both null: nobody said. */
  limit_calls: number | null;
  limit_window_ms: number | null;
  burst: number | null;
  spread_ms: number | null;
  created_at: number;
}

export interface LearnedLimitRow {
  budget_id: string;
  /** JSON; empty: forgotten. */
  state: string;
  generation: number;
  /** Id of a gateway, or of the command line's run. */
  writer: string;
  written_at: number;
}

export interface MasonKeyRow {
  id: string;
  team_id: string;
  name: string;
  origin: string;
  scopes: string;
  budget_id: string;
  fingerprint: string;
  last4: string;
  sealed: Uint8Array;
  /** The slot before the last rotation: all four, or none. */
  previous_fingerprint: string | null;
  previous_last4: string | null;
  previous_sealed: Uint8Array | null;
  previous_replaced_at: number | null;
  created_at: number;
  last_used_at: number | null;
}

export interface TokenRow {
  id: string;
  app_id: string;
  team_id: string;
  digest: string;
  grace_digest: string | null;
  grace_until: number | null;
  scopes: string;
  effect_ceiling: string;
  address_ranges: string;
  urgency_min: number;
  created_at: number;
  expires_at: number;
  revoked_at: number | null;
  last_used_at: number | null;
}

export interface PersonRow {
  id: string;
  issuer: string;
  subject: string;
  name: string;
  grants: string;
  /** 0 or 1. */
  pinned: number;
  disabled_at: number | null;
  created_at: number;
  last_sign_in_at: number | null;
}

export interface SignInLinkRow {
  id: string;
  digest: string;
  name: string;
  grants: string;
  created_at: number;
  ends_at: number;
}

export interface SessionRow {
  digest: string;
  id: string;
  /** Points at nothing that the database knows of: sessions may live elsewhere than people. */
  person_id: string;
  provider_digest: string | null;
  ends_at: number;
  last_seen_at: number;
  sealed: Uint8Array;
}

export interface TicketRow {
  digest: string;
  session_digest: string;
  method: string;
  target: string;
  ends_at: number;
}

export interface RunRow {
  chain: string;
  gateway_id: string;
  started_at: number;
  seen_at: number;
  ended_at: number | null;
  closed_at: number | null;
  /** Chain of the run that closes it, and since when; both null: none does. */
  taken_by: string | null;
  taken_at: number | null;
}

export interface UsageTableRow {
  span: string;
  at: number;
  team_id: string;
  caller_id: string;
  /** See `usage-text.ts`. */
  entries: string;
}

export interface SigningKeyRow {
  /** From 1, in the order in which they were added. */
  n: number;
  id: string;
  public_key: string;
  sealed: Uint8Array;
  created_at: number;
  /** Both null on the first. */
  signed_by: string | null;
  signature: string | null;
}

export interface Tables {
  teams: TeamRow;
  apps: AppRow;
  budgets: BudgetRow;
  learned_limits: LearnedLimitRow;
  mason_keys: MasonKeyRow;
  tokens: TokenRow;
  people: PersonRow;
  sign_in_links: SignInLinkRow;
  sessions: SessionRow;
  tickets: TicketRow;
  settings: { name: string; value: string };
  runs: RunRow;
  usage: UsageTableRow;
  /** How far in each chain usage is counted. */
  usage_counted: { chain: string; batch: number };
  signing_keys: SigningKeyRow;
  /** How far those have come who follow the record. */
  positions: { name: string; value: string };
  /** What people in the record are called, as long as they may be. */
  names: { id: string; name: string };
  /** One row: how often anything changed that decides about calls. */
  revision: { only: number; value: number };
  /** One row: which migrations ran, and the oldest schema version whose code can still run on this. */
  schema_version: { only: number; version: number; oldest_reader: number };
}

/**
 * What the nouns query through. Reads have a way of their own, so that identifying a caller never waits behind a change
 * that waits for another process.
 */
export interface Database {
  readonly reads: Kysely<Tables>;
  readonly writes: Kysely<Tables>;
}

export type Change = Transaction<Tables>;
