import { setImmediate as nextTurn } from 'node:timers/promises';
import { USAGE_SPANS, type UsageDelta, type UsageRow, type UsageSpan, type UsageStore } from '../domain/usage.ts';
import { addSums } from '../domain/usage-sums.ts';
import { read, write } from './access.ts';
import type { Change, Database, UsageTableRow } from './schema.ts';
import { addToUsageText, type UsageEntry, usageFromText } from './usage-text.ts';

/** So many rows are read and written at once; then whatever else this thread has to do, which is to serve calls, has its turn. */
const ROWS_AT_ONCE = 20;
const TEAMS_MAX = 1_000;

/** A row is what one caller did in one span, operation by operation: a month of days is read in a thousand rows. */
export function storedUsage(database: Database): UsageStore {
  return {
    async add(deltas, { chain, batch }, after) {
      return await write(database, async (tx) => {
        // One transaction at a time: nobody counts between this look and the end.
        const last = await lastCounted(tx, chain);
        if (batch <= last || (after !== undefined && after !== last)) return last;
        for (const span of SPANS) await addToSpan(tx, span, deltas);
        await tx
          .insertInto('usage_counted')
          .values({ chain, batch })
          .onConflict((conflict) => conflict.column('chain').doUpdateSet({ batch }))
          .execute();
        return batch;
      });
    },

    async countedTo(chain) {
      return await read(database, (db) => lastCounted(db, chain));
    },

    async rows(span, { since, until }, { teamIds, callerId, operation }) {
      if (teamIds !== undefined && teamIds.length > TEAMS_MAX) {
        throw new RangeError(`usage of at most ${TEAMS_MAX} teams at once, got ${teamIds.length}`);
      }
      if (teamIds?.length === 0) return [];
      const found = await read(database, (db) => {
        let query = db.selectFrom('usage').selectAll().where('span', '=', span);
        query = query.where('at', '>=', since).where('at', '<', until);
        if (teamIds !== undefined) query = query.where('team_id', 'in', teamIds);
        if (callerId !== undefined) query = query.where('caller_id', '=', callerId);
        return query.orderBy('at').orderBy('team_id').orderBy('caller_id').execute();
      });
      const rows: UsageRow[] = [];
      for (const row of found) addRows(rows, row, operation);
      return rows;
    },

    async prune(span, before) {
      return await write(database, async (tx) => {
        const result = await tx
          .deleteFrom('usage')
          .where('span', '=', span)
          .where('at', '<=', before - USAGE_SPANS[span])
          .executeTakeFirst();
        return Number(result.numDeletedRows);
      });
    },
  };
}

/** Field by field: a month has tens of thousands of them, and spreading takes longer than reading. */
function addRows(rows: UsageRow[], from: UsageTableRow, only: string | undefined): void {
  const { at, team_id: teamId, caller_id: callerId } = from;
  for (const { operation, outcome, sums } of usageFromText(from.entries, only)) {
    const { calls, attempts, bytesIn, bytesOut, queueMs, masonMs, gatewayMs } = sums;
    rows.push({
      at,
      teamId,
      callerId,
      operation,
      outcome,
      calls,
      attempts,
      bytesIn,
      bytesOut,
      queueMs,
      masonMs,
      gatewayMs,
    });
  }
}

/** No entries. */
const NOTHING = '[]';

const SPANS = Object.keys(USAGE_SPANS) as UsageSpan[];

async function lastCounted(db: Pick<Change, 'selectFrom'>, chain: string): Promise<number> {
  const row = await db.selectFrom('usage_counted').select('batch').where('chain', '=', chain).executeTakeFirst();
  return row?.batch ?? -1;
}

interface CallerSpan {
  readonly at: number;
  readonly teamId: string;
  readonly callerId: string;
  /** By {@link entryKey}. */
  readonly usage: Map<string, UsageEntry>;
}

async function addToSpan(tx: Change, span: UsageSpan, deltas: readonly UsageDelta[]): Promise<void> {
  const byInstant = Map.groupBy(gather(span, deltas), ({ at }) => at);
  for (const [at, callers] of byInstant) {
    for (let from = 0; from < callers.length; from += ROWS_AT_ONCE) {
      const some = callers.slice(from, from + ROWS_AT_ONCE);
      const ids = [...new Set(some.map(({ callerId }) => callerId))];
      const there = await tx
        .selectFrom('usage')
        .select(['team_id', 'caller_id', 'entries'])
        .where('span', '=', span)
        .where('at', '=', at)
        .where('caller_id', 'in', ids)
        .execute();
      const known = new Map(there.map((row) => [`${row.team_id} ${row.caller_id}`, row.entries]));
      await put(
        tx,
        some.map(({ teamId, callerId, usage }) => ({
          span,
          at,
          team_id: teamId,
          caller_id: callerId,
          entries: addToUsageText(known.get(`${teamId} ${callerId}`) ?? NOTHING, usage.values()),
        })),
      );
      await nextTurn();
    }
  }
}

/** Deltas of one caller in one span, added up. */
function gather(span: UsageSpan, deltas: readonly UsageDelta[]): CallerSpan[] {
  const callers = new Map<string, CallerSpan>();
  for (const { minute, teamId, callerId, operation, outcome, ...sums } of deltas) {
    const at = minute - (minute % USAGE_SPANS[span]);
    const caller = callers.getOrInsertComputed(`${at} ${teamId} ${callerId}`, () => ({
      at,
      teamId,
      callerId,
      usage: new Map(),
    }));
    addEntry(caller.usage, { operation, outcome, sums });
  }
  return [...callers.values()];
}

function entryKey({ operation, outcome }: UsageEntry): string {
  return `${outcome} ${operation}`;
}

function addEntry(usage: Map<string, UsageEntry>, entry: UsageEntry): void {
  const key = entryKey(entry);
  const before = usage.get(key);
  usage.set(key, before === undefined ? entry : { ...entry, sums: addSums(before.sums, entry.sums) });
}

async function put(tx: Change, rows: readonly UsageTableRow[]): Promise<void> {
  await tx
    .insertInto('usage')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['span', 'at', 'team_id', 'caller_id'])
        .doUpdateSet((row) => ({ entries: row.ref('excluded.entries') })),
    )
    .execute();
}
