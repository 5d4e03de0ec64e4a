import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { RecordFilter } from '../../domain/record.ts';
import { escapedName } from '../escaped-name.ts';
import { type LeftOut, leftOut } from './left-out.ts';
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
  ['keyFingerprint', 'fingerprint'],
  ['operation', 'operation'],
  ['effect', 'effect'],
  ['errorSource', 'error_source'],
] as const;

/** Filters on a value, with their condition. */
const VALUED = [
  ['since', 'at >= ?'],
  ['until', 'at < ?'],
  ['requestId', 'request_id = ?'],
] as const;

/** By the index on names where there is one; else by the primary key, event for event. */
const TARGET_SEALED = 'seq IN (SELECT seq FROM target WHERE name = ?';
const TARGET_OPEN = 'EXISTS (SELECT 1 FROM target WHERE target.seq = event.seq AND target.name = ?';
const OF_GROUPS = "AND target.kind IN (SELECT id FROM term WHERE name = 'group')";

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
  const left = leftOut(db);
  const termIds = db.prepare('SELECT id FROM term WHERE name = ?1 OR alias = ?1');
  for (const [field, column] of NAMED) {
    const name = filter[field];
    if (name === undefined) continue;
    // Teams and apps are found by id and by name: both stand in one term.
    const ids = termIds.all(escapedName(name)).map((row) => Number(row['id']));
    if (ids.length === 0) return undefined;
    conditions.push(isOneOf(column, ids, left));
  }
  for (const [column, ids] of [
    ['team', filter.teams],
    ['person', filter.person === undefined ? undefined : [filter.person]],
  ] as const) {
    if (ids === undefined) continue;
    const numbers = numbersOf(db, ids);
    if (numbers.length === 0) return undefined;
    conditions.push(isOneOf(column, numbers, left));
  }
  if (filter.status !== undefined) conditions.push(isOneOf('status', [filter.status], left));
  for (const [field, where] of VALUED) {
    const value = filter[field];
    if (value === undefined) continue;
    conditions.push({ where, values: [typeof value === 'string' ? escapedName(value) : value] });
  }
  const target = segment.sealed ? TARGET_SEALED : TARGET_OPEN;
  if (filter.device !== undefined) conditions.push({ where: `${target})`, values: [escapedName(filter.device)] });
  if (filter.group !== undefined)
    conditions.push({ where: `${target} ${OF_GROUPS})`, values: [escapedName(filter.group)] });
  return conditions;
}

/** Of an index that leaves a value out, SQLite makes use only where the question says by itself that it is not for that. */
function isOneOf(column: string, numbers: readonly number[], left: LeftOut): SegmentCondition {
  const out = left.get(column);
  const others = out === undefined || numbers.includes(out) ? '' : ` AND ${column} <> ${out}`;
  const is = numbers.length === 1 ? `= ${numbers[0]}` : `IN (${numbers.join(', ')})`;
  return { where: `${column} ${is}${others}`, values: [] };
}

/** By id alone: the slug of a team that is gone may be another's by now. */
function numbersOf(db: DatabaseSync, wanted: readonly string[]): number[] {
  const found = db.prepare('SELECT id FROM term WHERE name IN (SELECT value FROM json_each(?))');
  return found.all(JSON.stringify(wanted.map(escapedName))).map((row) => Number(row['id']));
}
