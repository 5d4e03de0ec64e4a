import type { ClientBase } from 'pg';
import { chainName } from '../chain.ts';
import type { FoundRow } from '../record-page.ts';
import { chainSql, idSql, seqSql } from './event-id.ts';
import { requestSql, spanSql } from './partitions.ts';
import type { ResolvedFilter } from './resolve-filter.ts';
import { SqlValues } from './sql-values.ts';

/** An event as it was found. */
export interface EventRow extends FoundRow {
  /** Number of its chain. */
  readonly chainId: number;
}

/** A stretch of time; `from` not included, chains in the order of their numbers. */
export interface RowsWanted {
  readonly filter: ResolvedFilter;
  readonly direction: 'older' | 'newer';
  /** Milliseconds since 1970: from the first on, before the second. */
  readonly lowAt: number;
  readonly highAt: number;
  readonly from: { readonly at: number; readonly chainId: number; readonly seq: number } | undefined;
  readonly count: number;
}

/**
 * The events of a stretch of time that are nearest to its one end, in the order of `direction`.
 *
 * One index leads to them, chosen here: of the request, of the target, or of the first of the filter's numbers, event by event
 * in order of time, for each number on its own where there are several. All other conditions only pass or drop what it found.
 *
 * @throws pg's error
 */
export function eventRows(client: ClientBase, wanted: RowsWanted): Promise<EventRow[]> {
  const { filter, direction, count } = wanted;
  const values = new SqlValues();
  const way = direction === 'older' ? 'DESC' : 'ASC';
  const limit = `LIMIT ${values.add(count)}`;
  const bySpan = `ORDER BY ${spanSql('e.at')} ${way}, e.at ${way}, e.id ${way} ${limit}`;
  const [target, ...otherTargets] = filter.targets;
  const [numbers] = filter.numbers;
  const where = (table: string): string =>
    [...range(values, wanted, table), ...conditions(values, filter)].join(' AND ');
  if (filter.request !== undefined) {
    // In no index's order, so that only the one by request is left.
    const order = `ORDER BY e.at + 0 ${way}, e.id ${way} ${limit}`;
    return found(client, `SELECT e.* FROM record_event e WHERE ${where('e')} ${order}`, values, way);
  }
  if (target !== undefined) {
    const span = spanSql('t.at');
    const its = [...range(values, wanted, 't'), isTarget(values, target, 't')].join(' AND ');
    // Distinct: a name may stand there twice, as a device and as a group, or because the caller wrote it twice.
    const named = `SELECT DISTINCT ${span} AS span, t.at, t.id FROM record_target t WHERE ${its}
      ORDER BY span ${way}, t.at ${way}, t.id ${way}`;
    const others = conditions(values, { ...filter, targets: otherTargets });
    const all = ['e.id = t.id AND e.at = t.at', ...range(values, wanted, 'e'), ...others].join(' AND ');
    const order = `ORDER BY t.span ${way}, t.at ${way}, t.id ${way} ${limit}`;
    return found(client, `SELECT e.* FROM (${named}) t JOIN record_event e ON ${all} ${order}`, values, way);
  }
  if (numbers !== undefined) {
    const of = `FROM record_event e WHERE e.${numbers.column} = asked.number AND ${where('e')}`;
    const asked = `unnest(${values.add(numbers.anyOf)}::integer[]) AS asked (number)`;
    const each = `SELECT each.* FROM ${asked} CROSS JOIN LATERAL (SELECT e.* ${of} ${bySpan}) each`;
    return found(client, `${each} ORDER BY each.at ${way}, each.id ${way} ${limit}`, values, way);
  }
  const order = `ORDER BY e.at ${way}, e.id ${way} ${limit}`;
  return found(client, `SELECT e.* FROM record_event e WHERE ${where('e')} ${order}`, values, way);
}

/**
 * Events of one chain behind `since`, up to `head`, in its order.
 *
 * @throws pg's error
 */
export async function eventRowsSince(
  client: ClientBase,
  filter: ResolvedFilter,
  chain: { readonly id: number; readonly since: number; readonly head: number },
  count: number,
): Promise<EventRow[]> {
  const { rows } = await client.query<{ low: number | null; high: number | null }>(
    `SELECT min(low_at) AS low, max(high_at) AS high FROM record_batch WHERE chain = $1 AND first_seq >= coalesce(
       (SELECT max(first_seq) FROM record_batch WHERE chain = $1 AND first_seq <= $2), 0)`,
    [chain.id, chain.since + 1],
  );
  const { low, high } = rows[0] ?? {};
  if (typeof low !== 'number' || typeof high !== 'number') return [];
  const values = new SqlValues();
  const [id, since, head] = [chain.id, chain.since, chain.head].map((value) => values.add(value));
  const all = [
    `e.id > ${idSql(String(id), String(since))} AND e.id <= ${idSql(String(id), String(head))}`,
    `e.at BETWEEN ${values.add(low)} AND ${values.add(high)}`,
    ...conditions(values, filter),
  ];
  const order = `ORDER BY e.id LIMIT ${values.add(count)}`;
  const found = await foundRows(
    client,
    `SELECT e.* FROM record_event e WHERE ${all.join(' AND ')} ${order}`,
    values,
    'ORDER BY e.id',
  );
  return found;
}

function range(values: SqlValues, { lowAt, highAt, from, direction, filter }: RowsWanted, table: string): string[] {
  const low = Math.max(lowAt, filter.since ?? lowAt, direction === 'newer' ? (from?.at ?? lowAt) : lowAt);
  const high = Math.min(
    highAt,
    filter.until ?? highAt,
    direction === 'older' && from !== undefined ? from.at + 1 : highAt,
  );
  const [first, behind] = [`${values.add(Math.ceil(low))}::bigint`, `${values.add(Math.ceil(high))}::bigint`];
  const at = `${table}.at`;
  const all = [`${at} >= ${first} AND ${at} < ${behind}`];
  // The same for the indexes that are in order of spans.
  all.push(`${spanSql(at)} BETWEEN ${spanSql(first)} AND ${spanSql(behind)}`);
  if (from !== undefined) {
    const id = idSql(values.add(from.chainId), values.add(from.seq));
    const side = direction === 'older' ? '<' : '>';
    all.push(`(${at}, ${table}.id) ${side} (${values.add(from.at)}::bigint, ${id})`);
  }
  return all;
}

/** All that a filter says, but for time. */
function conditions(values: SqlValues, { request, targets, numbers, since, until }: ResolvedFilter): string[] {
  const all = numbers.map(({ column, anyOf }) => `e.${column} = ANY (${values.add(anyOf)}::integer[])`);
  if (request !== undefined) {
    const id = `${values.add(request)}::bytea`;
    all.push(`e.request = ${id} AND ${requestSql('e.request')} = ${requestSql(id)}`);
  }
  if (since !== undefined) all.push(`e.at >= ${values.add(Math.ceil(since))}::bigint`);
  if (until !== undefined) all.push(`e.at < ${values.add(Math.ceil(until))}::bigint`);
  for (const target of targets) {
    const its = `o.id = e.id AND o.at = e.at AND ${isTarget(values, target, 'o')}`;
    all.push(`EXISTS (SELECT FROM record_target o WHERE ${its})`);
  }
  return all;
}

function isTarget(values: SqlValues, { name, kind }: ResolvedFilter['targets'][number], table: string): string {
  const named = `${table}.name = ${values.add(name)}`;
  return kind === undefined ? named : `${named} AND ${table}.kind = ${values.add(kind)}`;
}

function found(client: ClientBase, events: string, values: SqlValues, way: string): Promise<EventRow[]> {
  return foundRows(client, events, values, `ORDER BY e.at ${way}, e.id ${way}`);
}

interface Row {
  readonly at: number;
  readonly chain: number;
  readonly gateway_id: string;
  readonly run: string;
  readonly seq: number;
  readonly digest: Uint8Array;
  readonly line: string | null;
}

async function foundRows(client: ClientBase, events: string, values: SqlValues, order: string): Promise<EventRow[]> {
  const { rows } = await client.query<Row>(
    `SELECT e.at, c.id AS chain, c.gateway_id, c.run, ${seqSql('e.id')} AS seq, e.digest, e.line
     FROM (${events}) e JOIN record_chain c ON c.id = ${chainSql('e.id')} ${order}`,
    values.all,
  );
  return rows.map(({ at, chain, gateway_id, run, seq, digest, line }) => ({
    at,
    chain: chainName(gateway_id, run),
    chainId: chain,
    seq,
    digest,
    line: line ?? undefined,
  }));
}
