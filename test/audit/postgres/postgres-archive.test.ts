import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportRecord } from '../../../src/audit/export/export-record.ts';
import { openPostgresArchive } from '../../../src/audit/postgres/postgres-archive.ts';
import { ArchiveEvidence } from '../../../src/audit/verify/archive-evidence.ts';
import { type Verification, verifyRecord } from '../../../src/audit/verify/verify-record.ts';
import type { RecordArchive } from '../../../src/domain/archive.ts';
import type { Signer } from '../../../src/domain/checkpoint.ts';
import { type SomePostgres, somePostgres } from '../../support/postgres-server.ts';
import { sampleAct, sampleIntent, sampleOutcome } from '../sample-events.ts';
import { plainSigner } from '../signed-record.ts';
import { RecordDatabase } from './record-database.ts';

const AT = sampleIntent().at;
const DAY_MS = 86_400_000;

let postgres: SomePostgres;
let database: RecordDatabase;
let archive: RecordArchive;
let signer: Signer;

beforeAll(async () => {
  postgres = await somePostgres();
  database = new RecordDatabase(await postgres.freshDatabase());
  signer = await plainSigner();
  archive = await openPostgresArchive(database.settings);
  const record = await database.open({ signer, checkpointMs: 20, flushMsMax: 5 });
  for (let n = 0; n < 30; n += 1) {
    record.append(sampleOutcome({ requestId: `read ${n}`, at: AT + n * (DAY_MS / 4), errorSource: 'mason' }));
    if (n % 3 === 0) await record.intend(sampleIntent({ requestId: `change ${n}` }));
  }
  const targets = ['ä', '\ud800', 'x\0'].map((name) => ({ kind: 'device', name }) as const);
  await record.intend(sampleIntent({ requestId: 'odd\0', team: '\u2028', teamId: undefined, targets }));
  await record.intend(sampleAct({ teamId: 'team_1', actor: { kind: 'person', personId: 'per_1' } }));
  await record.close();
  const other = await database.open({ signer, gatewayId: 'gw-2' });
  await other.intend(sampleIntent());
  await other.close();
  await copyAside();
});

beforeEach(restore);

afterAll(async () => {
  await archive.close();
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const TABLES = ['chain', 'batch', 'event', 'target', 'checkpoint'].map((name) => `record_${name}`);

async function copyAside(): Promise<void> {
  await database.ask(TABLES.map((table) => `CREATE TABLE as_written_${table} AS SELECT * FROM ${table}`).join(';'));
}

async function restore(): Promise<void> {
  const identity = (table: string): string => (table === 'record_chain' ? ' OVERRIDING SYSTEM VALUE' : '');
  await database.ask(
    TABLES.map(
      (table) => `DELETE FROM ${table}; INSERT INTO ${table}${identity(table)} SELECT * FROM as_written_${table}`,
    ).join(';'),
  );
}

/** What is found once somebody did something to the tables. */
async function verifyAfter(sql: string): Promise<Verification> {
  await database.ask(sql);
  return await verifyRecord({ evidence: new ArchiveEvidence(archive, signer.keys()) });
}

describe('a record in PostgreSQL', () => {
  test('verifies as it was written, whatever names it holds, and says how far its checkpoints reach', async () => {
    const found = await verifyAfter('SELECT 1');
    expect(found).toMatchObject({ ok: true, findings: [], events: 30 + 10 + 4 + 3 });
    expect(found.chains.map(({ signedSeq, lastSeq }) => signedSeq === lastSeq)).toEqual([true, true]);
  });

  const ONE = `WHERE line LIKE '%"read 7"%'`;
  test.each([
    ['an event that was edited', `UPDATE record_event SET line = replace(line, 'ops', 'dev') ${ONE}`],
    ['one that was taken out', `DELETE FROM record_event ${ONE}`],
    ['its instant', `UPDATE record_event SET at = at + 1 ${ONE}`],
    ['its caller', `UPDATE record_event SET caller = caller + 1 ${ONE}`],
    ['its owner', `UPDATE record_event SET owner = owner + 1 ${ONE}`],
    ['its operation', `UPDATE record_event SET operation = operation + 1 ${ONE}`],
    ['its class', `UPDATE record_event SET class = class + 1 ${ONE}`],
    ['its request', `UPDATE record_event SET request = '\\x00' ${ONE}`],
    ['its digest', `UPDATE record_event SET digest = sha256(digest) ${ONE}`],
    ['a target under another name', "UPDATE record_target SET name = 'other' WHERE n = 1"],
    ['a target that was taken out', 'DELETE FROM record_target WHERE n = 2'],
    ['a range of time', 'UPDATE record_batch SET low_at = low_at - 1 WHERE first_seq = 2'],
    ['a batch that was taken out', 'DELETE FROM record_batch WHERE first_seq = 2'],
    ['a link', 'UPDATE record_batch SET link = sha256(link) WHERE first_seq = 2'],
    ['a chain that says it ends earlier', 'UPDATE record_chain SET seq = seq - 1'],
    [
      'an event that was put in behind the end',
      'INSERT INTO record_event SELECT id + 100, at, caller, owner, operation, class, request, digest, line FROM record_event LIMIT 1',
    ],
    [
      'one that stands there twice, in another week',
      `INSERT INTO record_event SELECT id, at + ${8 * DAY_MS}, caller, owner, operation, class, request, digest, line
       FROM record_event WHERE at = ${AT} LIMIT 1`,
    ],
    ['a target of no event', `INSERT INTO record_target SELECT id + 100, at, n, kind, name FROM record_target LIMIT 1`],
  ])('what somebody altered is found: %s', async (_, sql) => {
    const found = await verifyAfter(sql);
    expect(found.ok).toBe(false);
    expect(found.findings.length).toBeGreaterThan(0);
  });

  test('is read behind any batch, and exported whole', async () => {
    const [chain] = await archive.chains();
    const all = await Array.fromAsync(archive.batches(chain?.chain ?? '', 0));
    const middle = all[Math.floor(all.length / 2)];
    const rest = await Array.fromAsync(archive.batches(chain?.chain ?? '', middle?.lastSeq ?? 0));
    expect(rest).toEqual(all.slice(Math.floor(all.length / 2) + 1));
    expect(await archive.newest()).toEqual([]);
    const asked = { format: 'ndjson', filter: {}, at: AT, keys: signer.keys() } as const;
    const pieces = await Array.fromAsync(exportRecord(archive, asked));
    expect(pieces.at(-1)).toMatchObject({ kind: 'end', events: 47 });
  });
});
