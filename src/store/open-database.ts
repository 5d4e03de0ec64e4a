import type { Database } from './schema.ts';

/** A database that was opened and brought up to date. */
export interface OpenDatabase extends Database {
  /** For operators: without a password. */
  readonly name: string;
  /** Idempotent. */
  close(): Promise<void>;
}
