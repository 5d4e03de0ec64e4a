import type { ClientBase } from 'pg';
import type { EventColumns, KeptBatch, KeptEvent } from '../../domain/archive.ts';
import { plainName } from '../escaped-name.ts';
import { COMBINATIONS, columnsOf } from './combinations.ts';
import { idSql, seqSql } from './event-id.ts';
import { requestId } from './request-bytes.ts';

/** As many batches are read at once as have so many events; at least one. */
const PIECE_EVENTS = 512;
const PIECE_BATCHES = 128;

const JOINS = COMBINATIONS.map(
  ({ table, column }) => `LEFT JOIN ${table} AS of_${column} ON of_${column}.id = e.${column}`,
).join(' ');
const PARTS = COMBINATIONS.flatMap(({ column, parts }) =>
  parts.map((part) => `of_${column}.${part.column} AS ${part.column}`),
).join(', ');

const EVENTS = `SELECT ${seqSql('e.id')} AS seq, e.at, e.request, e.digest, e.line, ${PARTS}
  FROM record_event e ${JOINS}
  WHERE e.id BETWEEN ${idSql('$1', '$2')} AND ${idSql('$1', '$3')} AND e.at BETWEEN $4 AND $5
  ORDER BY e.id`;

const TARGETS = `SELECT ${seqSql('t.id')} AS seq, t.kind, t.name FROM record_target t
  WHERE t.id BETWEEN ${idSql('$1', '$2')} AND ${idSql('$1', '$3')} AND t.at BETWEEN $4 AND $5
  ORDER BY t.id, t.n`;

interface BatchRow {
  readonly n: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly link: Uint8Array;
  readonly low_at: number;
  readonly high_at: number;
}

interface EventRow extends Record<string, unknown> {
  readonly seq: number;
  readonly at: number;
  readonly request: Uint8Array;
  readonly digest: Uint8Array;
  readonly line: string | null;
}

/**
 * Some batches of a chain that begin behind an event; none when there are no more.
 *
 * @throws pg's error
 */
export async function keptBatches(
  client: ClientBase,
  chain: { readonly id: number },
  afterSeq: number,
): Promise<KeptBatch[]> {
  const rows = await batchRows(client, chain.id, afterSeq);
  const [first] = rows;
  if (first === undefined) return [];
  const place = [
    chain.id,
    first.first_seq,
    rows.reduce((last, row) => Math.max(last, row.last_seq), 0),
    rows.reduce((low, row) => Math.min(low, row.low_at), first.low_at),
    rows.reduce((high, row) => Math.max(high, row.high_at), first.high_at),
  ];
  const targets = await targetsOf(client, place);
  const found = await client.query<EventRow>(EVENTS, place);
  const events = found.rows.map((row) => keptEvent(row, targets));
  let at = 0;
  return rows.map(({ n, first_seq, last_seq, link, low_at, high_at }) => {
    const from = at;
    while (at < events.length && (events[at]?.seq ?? 0) <= last_seq) at += 1;
    const own = events.slice(from, at);
    const instants = own.map(({ columns }) => columns.at);
    const isRight = Math.min(...instants) === low_at && Math.max(...instants) === high_at;
    const faults = isRight ? [] : ['the time range that stands beside the batch is not the one of its events'];
    return { n, firstSeq: first_seq, lastSeq: last_seq, link, events: own, faults };
  });
}

async function batchRows(client: ClientBase, chain: number, afterSeq: number): Promise<BatchRow[]> {
  const { rows } = await client.query<BatchRow>(
    'SELECT * FROM record_batch WHERE chain = $1 AND first_seq > $2 ORDER BY first_seq LIMIT $3',
    [chain, afterSeq, PIECE_BATCHES],
  );
  let events = 0;
  const isOver = rows.findIndex(({ first_seq, last_seq }) => {
    const isFull = events >= PIECE_EVENTS;
    events += last_seq - first_seq + 1;
    return isFull;
  });
  return isOver === -1 ? rows : rows.slice(0, isOver);
}

async function targetsOf(client: ClientBase, place: readonly number[]): Promise<Map<number, string[]>> {
  const targets = new Map<number, string[]>();
  const { rows } = await client.query<{ seq: number; kind: string; name: string }>(TARGETS, [...place]);
  for (const { seq, kind, name } of rows) {
    targets.getOrInsertComputed(seq, () => []).push(plainName(kind) ?? '', plainName(name) ?? '');
  }
  return targets;
}

function keptEvent(row: EventRow, targets: ReadonlyMap<number, readonly string[]>): KeptEvent {
  const { seq, at, request, digest, line } = row;
  const columns: Partial<EventColumns> = Object.assign({}, ...COMBINATIONS.map((each) => columnsOf(row, each)));
  return {
    seq,
    digest,
    line: line ?? undefined,
    targets: targets.get(seq) ?? [],
    columns: { ...NO_COLUMNS, ...columns, at, requestId: requestId(Buffer.from(request)) },
  };
}

const NO_COLUMNS: Omit<EventColumns, 'at'> = {
  kind: undefined,
  teamId: undefined,
  team: undefined,
  appId: undefined,
  app: undefined,
  personId: undefined,
  tokenId: undefined,
  keyFingerprint: undefined,
  operation: undefined,
  effect: undefined,
  status: undefined,
  errorSource: undefined,
  requestId: undefined,
};
