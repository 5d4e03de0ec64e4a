import type { ClientBase } from 'pg';
import type { RecordFilter, RecordPage } from '../../domain/record.ts';
import { runOf } from '../chain.ts';
import { plainName } from '../escaped-name.ts';
import { type Mark, parsePageKey } from '../page-key.ts';
import type { Position } from '../position.ts';
import { type FoundTarget, type PageAsked, recordPage, TARGETS_SHOWN_MAX } from '../record-page.ts';
import { pageSince } from '../runs-since.ts';
import type { ChainRow } from './chain-row.ts';
import { chainSql, idSql, seqSql } from './event-id.ts';
import { type EventRow, eventRows, eventRowsSince, type RowsWanted } from './event-rows.ts';
import { beginOfWeek, partitionWeeks, weekOf } from './partitions.ts';
import { type ResolvedFilter, resolveFilter } from './resolve-filter.ts';

/**
 * A page of the record of all gateways, newest first by (at, chain, seq), chains in the order in which they began. Its keys
 * name events, so what comes meanwhile moves nothing; that of the newest page names what there was, so what comes late is not
 * passed over.
 *
 * @param client within one snapshot
 * @param from from `parsedFrom`
 * @throws pg's error
 */
export async function queryRecord(
  client: ClientBase,
  filter: RecordFilter,
  { limit, before }: PageAsked,
  from: Position | Mark | undefined,
): Promise<RecordPage> {
  const resolved = await resolveFilter(client, filter);
  if (from !== undefined && 'heads' in from) {
    const { rows, mark } = await rowsSince(client, resolved, from, limit);
    return pageOf(client, rows, true, mark);
  }
  const direction = before === undefined ? 'older' : 'newer';
  // One more than asked for tells whether there are more.
  const found = resolved === undefined ? [] : await collect(client, resolved, direction, from, limit + 1);
  const hasMore = found.length > limit;
  const rows = found.slice(0, limit);
  const isNewest = direction === 'older' ? from === undefined : !hasMore;
  const mark = isNewest ? markOf(await chainsToSee(client)) : undefined;
  return pageOf(client, direction === 'older' ? rows : rows.reverse(), direction === 'newer' || hasMore, mark);
}

/** @throws GatewayError `invalid_request` when a page key is none of ours */
export function parsedFrom({ before, after }: PageAsked): Position | Mark | undefined {
  const key = before ?? after;
  return key === undefined ? undefined : parsePageKey(key, before === undefined ? 'after' : 'before');
}

/** Weeks are looked at from the nearest on, twice as many each time: most questions are answered by the first. */
async function collect(
  client: ClientBase,
  filter: ResolvedFilter,
  direction: RowsWanted['direction'],
  from: Position | undefined,
  count: number,
): Promise<EventRow[]> {
  const place = from && { at: from.at, seq: from.seq, chainId: await chainNumber(client, from.chain) };
  const [nearest, farthest] = [from?.at, direction === 'older' ? filter.since : filter.until];
  const weeks = (await partitionWeeks(client)).filter((week) => {
    const isNear = nearest === undefined || (direction === 'older' ? week <= weekOf(nearest) : week >= weekOf(nearest));
    return isNear && mayHold(week, direction === 'older' ? filter : { since: filter.since, until: farthest });
  });
  if (direction === 'older') weeks.reverse();
  const found: EventRow[] = [];
  for (let begin = 0, size = 1; begin < weeks.length && found.length < count; begin += size, size *= 2) {
    const window = weeks.slice(begin, begin + size);
    const stretch = { lowAt: beginOfWeek(Math.min(...window)), highAt: beginOfWeek(Math.max(...window) + 1) };
    found.push(
      ...(await eventRows(client, { filter, direction, from: place, count: count - found.length, ...stretch })),
    );
  }
  return found;
}

function mayHold(week: number, { since, until }: Pick<ResolvedFilter, 'since' | 'until'>): boolean {
  return (since === undefined || beginOfWeek(week + 1) > since) && (until === undefined || beginOfWeek(week) < until);
}

/** A chain that is gone has events on neither side. */
async function chainNumber(client: ClientBase, chain: string): Promise<number> {
  const { rows } = await client.query<{ id: number }>('SELECT id FROM record_chain WHERE run = $1', [runOf(chain)]);
  return rows[0]?.id ?? 0;
}

interface SeenChain extends Pick<ChainRow, 'id' | 'run' | 'seq' | 'is_open'> {
  readonly newest: string;
}

/** Chains that may still grow and, for a mark, those that could have grown since. */
async function chainsToSee(client: ClientBase, mark?: Mark): Promise<SeenChain[]> {
  const { rows } = await client.query<SeenChain>(
    `SELECT id, run, seq, is_open, newest FROM (SELECT max(run) AS newest FROM record_chain) of, record_chain
     WHERE is_open OR run = newest OR run > $1 OR run = ANY ($2)`,
    [mark?.newestRun ?? NO_RUN_BEHIND, Object.keys(mark?.heads ?? {})],
  );
  return rows;
}

/** Behind the names of all runs. */
const NO_RUN_BEHIND = '~';

/**
 * Runs appear in the order of their names (`beginChain`), so what is neither open nor behind the newest there was is complete.
 */
function markOf(chains: readonly SeenChain[]): Mark {
  const open = chains.filter(({ is_open }) => is_open);
  return {
    newestRun: chains[0]?.newest ?? '',
    heads: Object.fromEntries(open.map(({ run, seq }) => [run, seq])),
  };
}

async function rowsSince(
  client: ClientBase,
  filter: ResolvedFilter | undefined,
  mark: Mark,
  limit: number,
): Promise<{ rows: EventRow[]; mark: Mark }> {
  const chains = await chainsToSee(client, mark);
  const runs: { run: string; since: number; rows: EventRow[] }[] = [];
  for (const { id, run, seq: head } of chains) {
    if (mark.heads[run] === undefined && run <= mark.newestRun) continue;
    const since = mark.heads[run] ?? 0;
    if (filter === undefined || head <= since) continue;
    runs.push({ run, since, rows: await eventRowsSince(client, filter, { id, since, head }, limit + 1) });
  }
  const { rows, left } = pageSince(runs, limit);
  const now = markOf(chains);
  // Where something was left, the next page begins; elsewhere behind all there is, matching or not.
  return { rows, mark: { newestRun: now.newestRun, heads: { ...now.heads, ...left } } };
}

async function pageOf(
  client: ClientBase,
  rows: readonly EventRow[],
  hasOlder: boolean,
  mark: Mark | undefined,
): Promise<RecordPage> {
  const targets = await targetsOf(client, rows);
  return recordPage(rows, hasOlder, mark, ({ chainId, seq }) => targets.get(`${chainId} ${seq}`) ?? []);
}

async function targetsOf(client: ClientBase, rows: readonly EventRow[]): Promise<Map<string, FoundTarget[]>> {
  const targets = new Map<string, FoundTarget[]>();
  if (rows.length === 0) return targets;
  const found = await client.query<{ chain: number; seq: number; kind: string; name: string }>(
    `SELECT ${chainSql('t.id')} AS chain, ${seqSql('t.id')} AS seq, t.kind, t.name
     FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS asked (chain, seq, at)
     CROSS JOIN LATERAL (
       SELECT * FROM record_target t WHERE t.id = ${idSql('asked.chain', 'asked.seq')} AND t.at = asked.at ORDER BY n LIMIT $4
     ) t
     ORDER BY t.id, t.n`,
    [rows.map(({ chainId }) => chainId), rows.map(({ seq }) => seq), rows.map(({ at }) => at), TARGETS_SHOWN_MAX],
  );
  for (const { chain, seq, kind, name } of found.rows) {
    const list = targets.getOrInsertComputed(`${chain} ${seq}`, () => []);
    list.push({ kind: plainName(kind) ?? '', name: plainName(name) ?? '' });
  }
  return targets;
}
