import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { RecordFilter } from '../../domain/record.ts';
import type { SegmentView } from './segment-catalog.ts';

export interface SegmentCondition {
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

/** Filters on a name, with the column that holds its number. */
const NAMED = [
  ['kind', 'kind'],
  ['team', 'team'],
  ['app', 'app'],
  ['tokenId', 'token'],
  ['operation', 'operation'],
  ['effect', 'effect'],
] as const;

/** Filters on a value, with their condition. */
const VALUED = [
  ['since', 'at >= ?'],
  ['until', 'at < ?'],
  ['status', 'status = ?'],
  ['requestId', 'request_id = ?'],
] as const;

/** By the index on names where there is one; else by the primary key, event for event. */
const DEVICE_SEALED = 'seq IN (SELECT seq FROM target WHERE name = ?)';
const DEVICE_OPEN = 'EXISTS (SELECT 1 FROM target WHERE target.seq = event.seq AND target.name = ?)';

/**
 * A filter as conditions on one segment. Undefined when the segment cannot have such an event: it does not know a name.
 *
 * @throws SQLite's error
 */
export function segmentConditions(
  db: DatabaseSync,
  segment: SegmentView,
  filter: RecordFilter,
): SegmentCondition[] | undefined {
  const conditions: SegmentCondition[] = [];
  const termIds = db.prepare('SELECT id FROM term WHERE name = ?1 OR alias = ?1');
  for (const [field, column] of NAMED) {
    const name = filter[field];
    if (name === undefined) continue;
    // Teams and apps are found by id and by name: both stand in one term.
    const ids = termIds.all(name).map((row) => Number(row['id']));
    if (ids.length === 0) return undefined;
    conditions.push({
      where: ids.length === 1 ? `${column} = ${ids[0]}` : `${column} IN (${ids.join(', ')})`,
      values: [],
    });
  }
  for (const [column, ids] of [
    ['team', filter.teams],
    ['app', filter.person === undefined ? undefined : [filter.person]],
  ] as const) {
    if (ids === undefined) continue;
    const numbers = numbersOf(db, ids);
    if (numbers.length === 0) return undefined;
    conditions.push({ where: `${column} IN (${numbers.join(', ')})`, values: [] });
  }
  for (const [field, where] of VALUED) {
    const value = filter[field];
    if (value !== undefined) conditions.push({ where, values: [value] });
  }
  if (filter.device !== undefined) {
    conditions.push({ where: segment.sealed ? DEVICE_SEALED : DEVICE_OPEN, values: [filter.device] });
  }
  return conditions;
}

/** By id alone: the slug of a team that is gone may be another's by now, and a person may be named like an app. */
function numbersOf(db: DatabaseSync, wanted: readonly string[]): number[] {
  const found = db.prepare('SELECT id FROM term WHERE name IN (SELECT value FROM json_each(?))');
  return found.all(JSON.stringify(wanted)).map((row) => Number(row['id']));
}
