import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { indexSkewed } from './left-out.ts';
import { readSegmentHead } from './segment-head.ts';
import { SEALED_INDEXES } from './segment-schema.ts';

/** How long to wait for whoever has the file open; and, once it is ours, for readers, who hold it for one query. */
const LEAVE_WAL_MS_MAX = 500;
const READERS_MS_MAX = 30_000;
/**
 * Holds a whole index of a segment of the usual length, so that it reaches the file in one commit and readers wait only for that.
 * More would only be memory: the table is read once for each index, from the kernel's pages as fast as from these.
 */
const CACHE_KIBIBYTES = 8_192;
export const SEALED_MODE = 0o440;

/**
 * Makes a completed segment read-only, with its indexes. False when somebody has it open: its writer, which in WAL mode
 * holds a lock as long as it lives, or a reader. Leaving WAL mode needs that lock, so success also proves that whoever wrote
 * the file is gone. Each index is a step of its own: a crash between two loses nothing, and other files' fsyncs get through.
 *
 * @throws SQLite's or the file system's error
 */
export function sealSegment(path: string): boolean {
  using db = new DatabaseSync(path, { timeout: LEAVE_WAL_MS_MAX });
  if (readSegmentHead(db) === undefined) return false;
  if (!leaveWal(db)) return false;
  db.exec(
    `PRAGMA busy_timeout = ${READERS_MS_MAX}; PRAGMA cache_size = -${CACHE_KIBIBYTES}; PRAGMA temp_store = MEMORY`,
  );
  for (const index of SEALED_INDEXES) db.exec(index);
  indexSkewed(db);
  db.exec('ANALYZE');
  db.exec('UPDATE segment SET events = (SELECT count(*) FROM event)');
  db.close();
  chmodSync(path, SEALED_MODE);
  return true;
}

function leaveWal(db: DatabaseSync): boolean {
  try {
    return db.prepare('PRAGMA journal_mode = DELETE').get()?.['journal_mode'] === 'delete';
  } catch {
    return false;
  }
}
