import { USAGE_SPANS, type UsageDelta, type UsageSpan, type UsageStore } from '../domain/usage.ts';
import { addSums } from '../domain/usage-sums.ts';
import { read, write } from './access.ts';
import type { Change, Database, UsageTableRow } from './schema.ts';
import { type UsageEntry, usageFromText, usageToText } from './usage-text.ts';

/** Far below what both databases take in one statement. */
const ROWS_MAX = 500;
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
      return found.flatMap(({ at, team_id: teamId, caller_id: callerId, entries }) =>
        usageFromText(entries)
          .filter((entry) => operation === undefined || entry.operation === operation)
          .map(({ operation, outcome, sums }) => ({ at, teamId, callerId, operation, outcome, ...sums })),
      );
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
    for (let from = 0; from < callers.length; from += ROWS_MAX) {
      const some = callers.slice(from, from + ROWS_MAX);
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
          entries: usageToText(together(known.get(`${teamId} ${callerId}`) ?? NOTHING, usage)),
        })),
      );
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

/** What stands there already, and what is new. */
function together(known: string, fresh: ReadonlyMap<string, UsageEntry>): Iterable<UsageEntry> {
  const usage = new Map(usageFromText(known).map((entry) => [entryKey(entry), entry]));
  for (const entry of fresh.values()) addEntry(usage, entry);
  return usage.values();
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
