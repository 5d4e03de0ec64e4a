import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { RecordFilter } from '../../domain/record.ts';
import type { Position } from '../position.ts';
import type { FoundRow } from '../record-page.ts';
import type { SegmentView } from './segment-catalog.ts';
import { segmentConditions } from './segment-conditions.ts';

/** An event as it was found, and where. */
export interface SegmentRow extends FoundRow {
  readonly segment: SegmentView;
}

/** What is asked of each segment: the `count` events nearest to `from`, on its older or newer side, it not included. */
export interface RowsAsked {
  readonly filter: RecordFilter;
  readonly direction: 'older' | 'newer';
  readonly from: Position | undefined;
  readonly count: number;
}

/** The first look into an open segment takes so many events for each one asked for; each further one twice as many. */
const WINDOW_FACTOR = 4;
const WINDOW_EVENTS_MIN = 256;

/**
 * Events of one segment in the order of `direction`, at most `count`.
 *
 * @throws SQLite's error
 */
export function segmentRows(segment: SegmentView, asked: RowsAsked): SegmentRow[] {
  const { direction, from, filter, count } = asked;
  const select = new RowSelect(segment, filter);
  if (from !== undefined)
    select.where(`(at, seq) ${direction === 'older' ? '<' : '>'} (?, ?)`, from.at, seqBound(segment, from));
  const order = direction === 'older' ? 'at DESC, seq DESC' : 'at, seq';
  const db = segment.db();
  if (db === undefined || segment.sealed) return select.rows(order, count);
  const floor = firstSeqFrom(db, segment, Math.max(filter.since ?? 0, direction === 'newer' ? (from?.at ?? 0) : 0));
  if (direction === 'newer') return select.where('seq >= ?', floor).rows(order, count);
  select.where('seq BETWEEN ? AND ?');
  return newestRows(db, segment, count, floor, (first, last) => select.rows(order, count, first, last));
}

/**
 * Events of one segment behind `seq`, in the order of their chain, at most `count`.
 *
 * @throws SQLite's error
 */
export function segmentRowsSince(segment: SegmentView, filter: RecordFilter, seq: number, count: number): SegmentRow[] {
  return new RowSelect(segment, filter).where('seq > ?', seq).rows('seq', count);
}

/** A query of one segment in the making. */
class RowSelect {
  readonly #segment: SegmentView;
  readonly #where: string[] = [];
  readonly #values: SQLInputValue[] = [];
  readonly #isEmpty: boolean;

  constructor(segment: SegmentView, filter: RecordFilter) {
    this.#segment = segment;
    const db = segment.db();
    const conditions = db === undefined ? undefined : segmentConditions(db, segment, filter);
    this.#isEmpty = conditions === undefined;
    for (const { where, values } of conditions ?? []) this.where(where, ...values);
  }

  where(condition: string, ...values: SQLInputValue[]): this {
    this.#where.push(condition);
    this.#values.push(...values);
    return this;
  }

  /** @param more values of the conditions that were added without theirs */
  rows(order: string, count: number, ...more: SQLInputValue[]): SegmentRow[] {
    const segment = this.#segment;
    const db = segment.db();
    if (db === undefined || this.#isEmpty) return [];
    const where = this.#where.length === 0 ? '' : `WHERE ${this.#where.join(' AND ')}`;
    return db
      .prepare(`SELECT at, seq, digest, line FROM event ${where} ORDER BY ${order} LIMIT ?`)
      .all(...this.#values, ...more, count)
      .map((row) => ({
        at: Number(row['at']),
        chain: segment.chain,
        seq: Number(row['seq']),
        digest: row['digest'] as Uint8Array,
        line: row['line'] === null ? undefined : String(row['line']),
        segment,
      }));
  }
}

/** All events of a segment are of one chain, so a position in another chain lies before or behind all of the same instant. */
function seqBound(segment: SegmentView, from: Position): number {
  if (segment.chain === from.chain) return from.seq;
  return segment.chain < from.chain ? Number.MAX_SAFE_INTEGER : 0;
}

/** All events of an open segment before this one are older than `at`. Looks from the newest batch on: most ask for what is new. */
function firstSeqFrom(db: DatabaseSync, segment: SegmentView, at: number): number {
  if (at <= segment.lowAt) return segment.firstSeq;
  const older = db.prepare('SELECT last_seq FROM batch WHERE high_at < ? ORDER BY first_seq DESC LIMIT 1').get(at);
  return older === undefined ? segment.firstSeq : Number(older['last_seq']) + 1;
}

/**
 * The newest events of an open segment, which has no index by time: events stand in about the order in which they happened,
 * so it looks from the end in growing windows, until nothing before the window can be newer than what was found.
 */
function newestRows(
  db: DatabaseSync,
  segment: SegmentView,
  count: number,
  floor: number,
  rowsBetween: (firstSeq: number, lastSeq: number) => SegmentRow[],
): SegmentRow[] {
  const highBefore = db.prepare('SELECT high_at FROM batch WHERE first_seq < ? ORDER BY first_seq DESC LIMIT 1');
  let found: SegmentRow[] = [];
  let events = Math.max(WINDOW_EVENTS_MIN, count * WINDOW_FACTOR);
  for (let last = segment.lastSeq; last >= floor; last -= events, events *= 2) {
    const first = Math.max(floor, last - events + 1);
    found = [...found, ...rowsBetween(first, last)].sort((a, b) => b.at - a.at || b.seq - a.seq).slice(0, count);
    const highAt = Number(highBefore.get(first)?.['high_at'] ?? Number.NEGATIVE_INFINITY);
    const farthest = found[count - 1];
    if (farthest !== undefined && highAt <= farthest.at) break;
  }
  return found;
}
