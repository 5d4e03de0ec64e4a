import { chmodSync, closeSync, copyFileSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { escapedName } from '../escaped-name.ts';
import { SEALED_MODE } from './seal-segment.ts';

/** Behind the name of a segment that is rewritten, so that nobody takes it for one. */
export const REWRITTEN = '.rewritten';

const OWN_MODE = 0o600;
/** All that only serves filters, and says of whom and what an event was. */
const COLUMNS = [
  'kind',
  'team',
  'app',
  'person',
  'token',
  'fingerprint',
  'operation',
  'effect',
  'status',
  'error_source',
  'request_id',
];
/** Of these, those that hold the number of a name. */
const NAMED = COLUMNS.filter((column) => column !== 'status' && column !== 'request_id');

/** SQL for the events of a team, by its slug, that have bytes. */
export const TEAM_WITH_BYTES = 'line IS NOT NULL AND at < ?2 AND team IN (SELECT id FROM term WHERE alias = ?1)';

/**
 * Takes the bytes of a team's events before an instant out of a sealed segment: line, columns, targets, and names that nobody
 * else has. Digests and links stay. Written to a new file, without what SQLite would leave in free pages, which takes the old
 * one's place whole: whoever reads meanwhile reads the old one.
 *
 * @throws SQLite's or the file system's error; the segment is then as it was
 */
export function rewriteSegment(path: string, team: string, before: number): void {
  const fresh = `${path}${REWRITTEN}-${process.pid}`;
  try {
    // Whoever was killed over it under the same process id, as in a container, left a journal that SQLite would play into the copy.
    removeAll(fresh);
    copyFileSync(path, fresh);
    chmodSync(fresh, OWN_MODE);
    takeBytes(fresh, team, before);
    chmodSync(fresh, SEALED_MODE);
    sync(fresh);
    renameSync(fresh, path);
    sync(dirname(path));
  } catch (error) {
    removeAll(fresh);
    throw error;
  }
}

function removeAll(fresh: string): void {
  for (const left of [fresh, `${fresh}-journal`]) rmSync(left, { force: true });
}

function takeBytes(path: string, team: string, before: number): void {
  using db = new DatabaseSync(path);
  db.exec('PRAGMA temp_store = MEMORY; BEGIN IMMEDIATE');
  const escaped = escapedName(team);
  const which = `SELECT seq FROM event WHERE ${TEAM_WITH_BYTES}`;
  db.prepare(`DELETE FROM target WHERE seq IN (${which})`).run(escaped, before);
  const nothing = ['line', ...COLUMNS].map((column) => `${column} = NULL`).join(', ');
  db.prepare(`UPDATE event SET ${nothing} WHERE seq IN (${which})`).run(escaped, before);
  const used = [
    ...NAMED.map((column) => `SELECT ${column} FROM event WHERE ${column} IS NOT NULL`),
    'SELECT kind FROM target',
  ];
  db.exec(`DELETE FROM term WHERE id NOT IN (${used.join(' UNION ')})`);
  db.exec('COMMIT; VACUUM; ANALYZE');
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
