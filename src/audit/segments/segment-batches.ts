import type { DatabaseSync } from 'node:sqlite';
import type { KeptBatch, KeptEvent } from '../../domain/archive.ts';
import { plainName } from '../escaped-name.ts';
import { bytesOf, openSegmentToRead, readSegmentHead, type SegmentHead } from './segment-head.ts';
import { SegmentNames } from './segment-names.ts';

/** As many batches are read at once as have so many events; at least one. */
const CHUNK_EVENTS = 512;

/** Some batches of a segment. */
interface BatchChunk {
  readonly head: SegmentHead;
  readonly batches: readonly KeptBatch[];
  /** What to go on behind: the first event of the last of them. */
  readonly reached: number;
  /** Whether they are the last for now. */
  readonly isEnd: boolean;
}

/**
 * Reads a segment piece by piece. The file is open for one piece only: a reader that is slow keeps nobody from sealing it, and
 * keeps no space from being freed.
 */
export class SegmentBatches {
  readonly #path: string;
  readonly #names = new SegmentNames();

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Batches that begin behind an event. Undefined for a file whose writer has not come to write its tables.
   *
   * @throws SQLite's error
   */
  next(afterSeq: number): BatchChunk | undefined {
    using db = openSegmentToRead(this.#path);
    db.exec('BEGIN');
    const head = readSegmentHead(db);
    if (head === undefined) return undefined;
    this.#names.read(db);
    const { rows, isEnd } = batchRows(db, afterSeq);
    const batches = this.#batches(db, rows, afterSeq);
    const orphans = isEnd ? orphansOf(db, head) : [];
    const reached = rows.at(-1)?.firstSeq ?? afterSeq;
    if (orphans.length === 0) return { head, batches, reached, isEnd };
    return { head, batches: [...batches, faultsOnly(head, orphans)], reached, isEnd };
  }

  #batches(db: DatabaseSync, rows: readonly BatchRow[], afterSeq: number): KeptBatch[] {
    const first = rows[0]?.firstSeq ?? 0;
    const last = rows.reduce((latest, row) => Math.max(latest, row.lastSeq), first - 1);
    const events = this.#events(db, first, last);
    const range = rangeBefore(db, afterSeq);
    let place = 0;
    return rows.map(({ n, firstSeq, lastSeq, link, lowAt, highAt }) => {
      const from = place;
      while (place < events.length && (events[place]?.seq ?? 0) <= lastSeq) place += 1;
      const own = events.slice(from, place);
      for (const { columns } of own) {
        range.lowAt = Math.min(range.lowAt, columns.at);
        range.highAt = Math.max(range.highAt, columns.at);
      }
      const isRight = range.lowAt === lowAt && range.highAt === highAt;
      const faults = isRight ? [] : ['the time range that stands beside the batch is not the one of its events'];
      return { n, firstSeq, lastSeq, link, events: own, faults };
    });
  }

  #events(db: DatabaseSync, first: number, last: number): KeptEvent[] {
    const targets = targetsBetween(db, first, last, this.#names);
    const select = db.prepare(
      `SELECT seq, at, kind, team, app, person, token, fingerprint, operation, effect, status, error_source, request_id,
              digest, line
       FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq`,
    );
    // Arrays, in the order above: an object a row costs as much as all the rest of reading it.
    select.setReturnArrays(true);
    return (select.all(first, last) as unknown as readonly unknown[][]).map((row) => this.#event(row, targets));
  }

  #event(row: readonly unknown[], targets: ReadonlyMap<number, readonly string[]>): KeptEvent {
    const [seq, at, kind, team, app, person, token, fingerprint, operation, effect, status, source, id, digest, line] =
      row;
    const names = this.#names;
    const ofTeam = names.of(team);
    const ofApp = names.of(app);
    return {
      seq: Number(seq),
      digest: bytesOf(digest),
      line: line === null ? undefined : String(line),
      targets: targets.get(Number(seq)) ?? NO_TARGETS,
      columns: {
        at: Number(at),
        kind: names.of(kind).name,
        teamId: ofTeam.name,
        team: ofTeam.alias,
        appId: ofApp.name,
        app: ofApp.alias,
        personId: names.of(person).name,
        tokenId: names.of(token).name,
        keyFingerprint: names.of(fingerprint).name,
        operation: names.of(operation).name,
        effect: names.of(effect).name,
        status: status === null ? undefined : Number(status),
        errorSource: names.of(source).name,
        requestId: id === null ? undefined : plainName(String(id)),
      },
    };
  }
}

const NO_TARGETS: readonly string[] = [];

interface BatchRow {
  readonly n: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly link: Uint8Array;
  readonly lowAt: number;
  readonly highAt: number;
}

function batchRows(db: DatabaseSync, afterSeq: number): { rows: BatchRow[]; isEnd: boolean } {
  const rows: BatchRow[] = [];
  let events = 0;
  for (const row of db.prepare('SELECT * FROM batch WHERE first_seq > ? ORDER BY first_seq').iterate(afterSeq)) {
    if (events >= CHUNK_EVENTS) return { rows, isEnd: false };
    const firstSeq = Number(row['first_seq']);
    const lastSeq = Number(row['last_seq']);
    events += Math.max(1, lastSeq - firstSeq + 1);
    rows.push({
      n: Number(row['n']),
      firstSeq,
      lastSeq,
      link: bytesOf(row['link']),
      lowAt: Number(row['low_at']),
      highAt: Number(row['high_at']),
    });
  }
  return { rows, isEnd: true };
}

/** Ranges stand for the whole segment up to a batch. */
function rangeBefore(db: DatabaseSync, afterSeq: number): { lowAt: number; highAt: number } {
  const row = db.prepare('SELECT * FROM batch WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1').get(afterSeq);
  if (row === undefined) return { lowAt: Number.POSITIVE_INFINITY, highAt: Number.NEGATIVE_INFINITY };
  return { lowAt: Number(row['low_at']), highAt: Number(row['high_at']) };
}

function targetsBetween(
  db: DatabaseSync,
  first: number,
  last: number,
  names: SegmentNames,
): Map<number, readonly string[]> {
  const targets = new Map<number, string[]>();
  const rows = db.prepare('SELECT seq, kind, name FROM target WHERE seq BETWEEN ? AND ? ORDER BY seq, n');
  for (const row of rows.all(first, last)) {
    const list = targets.getOrInsertComputed(Number(row['seq']), () => []);
    list.push(names.of(row['kind']).name ?? '', plainName(String(row['name'])) ?? '');
  }
  return targets;
}

/** Rows of no batch: nothing links them, and yet a query would show them. */
function orphansOf(db: DatabaseSync, { head, firstSeq, events }: SegmentHead): string[] {
  const faults: string[] = [];
  for (const table of ['event', 'target']) {
    const row = db.prepare(`SELECT count(*) AS count FROM ${table} WHERE seq < ? OR seq > ?`).get(firstSeq, head.seq);
    const count = Number(row?.['count'] ?? 0);
    if (count > 0) faults.push(`${count} rows of "${table}" stand outside of every batch`);
  }
  if (events !== undefined && events !== head.seq - firstSeq + 1) faults.push(`it says that it has ${events} events`);
  return faults;
}

function faultsOnly({ head }: SegmentHead, faults: readonly string[]): KeptBatch {
  return { n: head.batch, firstSeq: head.seq + 1, lastSeq: head.seq, link: head.link, events: [], faults };
}
