import { GatewayError } from '../domain/errors.ts';

/** SQLite's primary result codes; the extended ones carry more in the higher bits. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CONSTRAINT_FOREIGNKEY = 787;
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
const SQLITE_CONSTRAINT_UNIQUE = 2067;

/** PostgreSQL's SQLSTATE (its manual, appendix A). */
const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/** Whether another connection holds a lock that this one needs: waiting helps. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && ((code & 0xff) === SQLITE_BUSY || (code & 0xff) === SQLITE_LOCKED);
}

/** Whether a row with the same unique values exists. */
export function isDuplicate(error: unknown): boolean {
  const code = sqliteCode(error);
  return (
    sqlState(error) === UNIQUE_VIOLATION || code === SQLITE_CONSTRAINT_UNIQUE || code === SQLITE_CONSTRAINT_PRIMARYKEY
  );
}

/** Whether a row points at one that is gone. */
export function isOrphan(error: unknown): boolean {
  return sqlState(error) === FOREIGN_KEY_VIOLATION || sqliteCode(error) === SQLITE_CONSTRAINT_FOREIGNKEY;
}

/**
 * What callers are told when the store fails: no path and no text of the database's, which may hold values; those are in the
 * cause, for the log.
 */
export function storeUnavailable(cause: unknown): GatewayError {
  return new GatewayError('store_unavailable', 'the store does not answer just now: try again in a moment', {
    retryAfterMs: 1_000,
    cause,
  });
}

/** By its fields, not `instanceof Error`: an error of node:sqlite's may come from another realm. */
function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

/** PostgreSQL's; Node's own errors have longer ones (`ECONNREFUSED`). */
function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
