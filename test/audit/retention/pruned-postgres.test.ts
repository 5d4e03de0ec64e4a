import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openPostgresArchive } from '../../../src/audit/postgres/postgres-archive.ts';
import type { RetentionPolicy, Undelivered } from '../../../src/audit/retention/record-pruner.ts';
import { type Pruned, Retention } from '../../../src/audit/retention/retention.ts';
import { ArchiveEvidence } from '../../../src/audit/verify/archive-evidence.ts';
import { type Verification, verifyRecord } from '../../../src/audit/verify/verify-record.ts';
import type { RecordArchive } from '../../../src/domain/archive.ts';
import type { Signer } from '../../../src/domain/checkpoint.ts';
import { type Clock, systemClock } from '../../../src/domain/clock.ts';
import { type SomePostgres, somePostgres } from '../../support/postgres-server.ts';
import { RecordDatabase } from '../postgres/record-database.ts';
import { sampleIntent, sampleOutcome } from '../sample-events.ts';
import { plainSigner } from '../signed-record.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** When the next partition begins: the run itself begins now, and events are not older than their run. */
const AT = Math.ceil(Date.now() / WEEK_MS) * WEEK_MS;

let postgres: SomePostgres;
let database: RecordDatabase;
let archive: RecordArchive;
let signer: Signer;

beforeAll(async () => {
  postgres = await somePostgres();
  database = new RecordDatabase(await postgres.freshDatabase());
  signer = await plainSigner();
  archive = await openPostgresArchive(database.settings);
});

beforeEach(() => database.empty());

afterAll(async () => {
  await archive.close();
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

function clockAt(days: number): Clock {
  return { ...systemClock, epochMs: () => AT + days * DAY_MS };
}

/** A run of three weeks and a half, in batches of half a day, one of which straddles the end of the first week. */
async function threeWeeks(): Promise<string> {
  const record = await database.open({ signer, checkpointMs: 20, clock: clockAt(24) });
  for (let at = AT; at < AT + 24 * DAY_MS; at += DAY_MS / 2) {
    const straddles = at === AT + WEEK_MS;
    for (let n = 0; n < 8; n += 1) {
      const team = n % 4 === 0 ? { team: 'shop', teamId: 'team_shop' } : { team: 'acme', teamId: 'team_acme' };
      const targets = [{ kind: 'device', name: `SN${n}` }] as const;
      record.append(
        sampleOutcome({ ...team, at: at + n * 1_000 - (straddles ? 10_000 : 0), requestId: `${at} ${n}`, targets }),
      );
    }
    await record.intend(sampleOutcome({ team: 'acme', at, requestId: `end ${at}` }));
  }
  await record.close();
  return (await archive.chains())[0]?.chain ?? '';
}

async function prune(policy: RetentionPolicy, days: number, undelivered: readonly Undelivered[] = []): Promise<Pruned> {
  const record = await database.open({ signer, gatewayId: 'gw-9', clock: clockAt(days) });
  const retention = new Retention({
    policy,
    pruner: record.pruner,
    record,
    positions: { get: async () => undefined, set: async () => undefined },
    clock: clockAt(days),
    undelivered: async () => undelivered,
    onPruned: () => undefined,
    onProblem: () => undefined,
  });
  const pruned = await retention.prune({ kind: 'operator' }, 'prune');
  await record.close();
  return pruned;
}

function verify(): Promise<Verification> {
  return verifyRecord({ evidence: new ArchiveEvidence(archive, signer.keys()) });
}

async function count(where: string): Promise<number> {
  return Number((await database.ask(`SELECT count(*) AS count FROM record_event WHERE ${where}`))[0]?.['count']);
}

describe('retention of a record in PostgreSQL', () => {
  test('whole weeks go, with what straddles their end; verify tells it from what somebody took', async () => {
    const chain = await threeWeeks();
    const { going, bytes, bytesAfter } = await prune({ days: 9 }, 24);
    expect(going[0]).toMatchObject({ chain, firstSeq: 1, taken: 'events' });
    expect(await count(`at < ${AT + 2 * WEEK_MS} AND line NOT LIKE '%gateway.s%'`)).toBe(0);
    // The second week is nobody's any more; the first one is the next for those who write now.
    expect(await database.ask(`SELECT to_regclass('record_event_w${AT / WEEK_MS + 1}') AS week`)).toEqual([
      { week: null },
    ]);
    expect(bytesAfter).toBeLessThan(bytes);
    expect(await verify()).toMatchObject({ ok: true, findings: [] });
    expect((await archive.chains())[0]?.firstSeq).toBe((going[0]?.lastSeq ?? 0) + 1);
    await database.ask("DELETE FROM record_event WHERE line LIKE '%audit.prune%'");
    expect((await verify()).findings.map(({ message }) => message).join()).toContain('no event on record says that');
  });

  test('of a team only bytes go, and the partitions are written anew without them', async () => {
    await threeWeeks();
    const own = await count("line LIKE '%team_shop%'");
    const { going, bytes, bytesAfter } = await prune({ teams: { shop: { days: 1 } } }, 30);
    expect(going.reduce((sum, { events }) => sum + events, 0)).toBe(own);
    expect([await count("line LIKE '%team_shop%'"), await count('line IS NULL')]).toEqual([0, own]);
    expect(bytesAfter).toBeLessThan(bytes);
    expect(await verify()).toMatchObject({ ok: true, findings: [] });
    expect((await prune({ teams: { shop: { days: 1 } } }, 30)).going).toEqual([]);
    await database.ask('UPDATE record_event SET owner = 1, class = 1 WHERE line IS NULL');
    const { findings } = await verify();
    expect(findings).toHaveLength(own);
    expect(findings[0]?.message).toContain('its bytes are gone, but beside it are left: kind');
  });

  test('a sink that is behind and a change without an end hold it back', async () => {
    const chain = await threeWeeks();
    const behind = await prune({ days: 9 }, 24, [{ chain, seq: 3, sink: 'the sink "siem"' }]);
    expect(behind).toMatchObject({ heldBack: [expect.stringContaining('only up to event 3')] });
    expect(behind.going.some((going) => going.chain === chain)).toBe(false);
    await database.empty();
    const record = await database.open();
    await record.intend(sampleIntent({ at: AT, requestId: 'open' }));
    await record.close();
    expect(await prune({ days: 9 }, 24)).toMatchObject({
      heldBack: [expect.stringContaining('1 intended')],
    });
  });
});
