import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sealSegment } from '../../../src/audit/segments/seal-segment.ts';
import { SegmentArchive } from '../../../src/audit/segments/segment-archive.ts';
import { listSegments } from '../../../src/audit/segments/segment-file.ts';
import { ArchiveEvidence } from '../../../src/audit/verify/archive-evidence.ts';
import { type Verification, verifyRecord } from '../../../src/audit/verify/verify-record.ts';
import type { Signer } from '../../../src/domain/checkpoint.ts';
import { sampleAct } from '../sample-events.ts';
import { RUNS_AT, sampleRuns, type WrittenRun } from '../sample-runs.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { plainSigner, writeRun } from '../signed-record.ts';

const scratch = scratchDirectory('memory');
const original = join(scratch.path, 'original');
let signer: Signer;
let runs: readonly [WrittenRun, WrittenRun, WrittenRun];

beforeAll(async () => {
  signer = await plainSigner();
  runs = sampleRuns(original, signer);
  // Some sealed, some not, as everywhere.
  for (const { path } of listSegments(original).filter(({ n }) => n === 1)) sealSegment(path);
});

afterAll(() => scratch[Symbol.dispose]());

function runOf({ chain }: WrittenRun): string {
  return chain.slice(chain.indexOf('/') + 1);
}

/** What is found once somebody did something to a copy. */
async function verifyAfter(change: (directory: string) => void): Promise<Verification> {
  const directory = join(scratch.path, 'copy');
  cpSync(original, directory, { recursive: true });
  try {
    change(directory);
    return await verifyRecord({ evidence: new ArchiveEvidence(new SegmentArchive(directory), signer.keys()) });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** As somebody does who can write the files, and knows SQL. */
function inSegment(directory: string, run: WrittenRun, n: number, sql: string): void {
  using db = new DatabaseSync(join(directory, `${runOf(run)}-${n}.db`));
  expect(db.prepare(sql).run().changes).toBeGreaterThan(0);
}

const EVENT_COLUMNS = [
  'at',
  'kind',
  'team',
  'app',
  'person',
  'token',
  'fingerprint',
  'operation',
  'effect',
  'status',
  'error_source',
] as const;

describe('a record in files', () => {
  test('verifies as it was written, and says how far its checkpoints reach', async () => {
    const found = await verifyAfter(() => undefined);
    expect(found).toMatchObject({ ok: true, findings: [] });
    expect(found.chains.map(({ chain, signedSeq, lastSeq }) => [chain, lastSeq === signedSeq])).toEqual(
      runs.map(({ chain }) => [chain, true]),
    );
    expect(found.events).toBeGreaterThan(100);
  });

  test.each(EVENT_COLUMNS)('a column that says something else than its event: %s', async (column) => {
    for (const [seq, n] of [
      [8, 1],
      [25, 2],
    ] as const) {
      const found = await verifyAfter((directory) =>
        inSegment(directory, runs[2], n, `UPDATE event SET ${column} = coalesce(${column}, 0) + 1 WHERE seq = ${seq}`),
      );
      expect(found.findings[0]).toMatchObject({ chain: runs[2].chain, seq });
    }
  });

  test.each([
    ['an event was rewritten', 'UPDATE event SET line = replace(line, \'"v":1\', \'"v":2\') WHERE seq = 8', 8],
    ['its digest too', "UPDATE event SET line = '{}', digest = unhex(hex(zeroblob(32))) WHERE seq = 8", 8],
    ['another digest', 'UPDATE event SET digest = zeroblob(32) WHERE seq = 8', 8],
    ['another request id', "UPDATE event SET request_id = 'other' WHERE seq = 8", 8],
    ['the bytes of an event are gone', 'UPDATE event SET line = NULL WHERE seq = 8', undefined],
    ['an event is gone', 'DELETE FROM event WHERE seq = 8', 8],
    ['an event stands elsewhere', 'UPDATE event SET seq = 9999 WHERE seq = 8', 8],
    ['a target is gone', 'DELETE FROM target WHERE seq = (SELECT min(seq) FROM target)', undefined],
    [
      'a target has another name',
      "UPDATE target SET name = 'SERIAL-X' WHERE seq = (SELECT min(seq) FROM target)",
      undefined,
    ],
    ['a target was added', "INSERT INTO target VALUES (8, 77, 1, 'SERIAL-X')", undefined],
    ['a target of no event', "INSERT INTO target VALUES (777, 0, 1, 'SERIAL-X')", undefined],
    ['a name stands for another', "UPDATE term SET name = 'other' WHERE id = 1", 1],
    [
      'an event of no batch',
      'INSERT INTO event (seq, at, digest, line) VALUES (999, 1, zeroblob(32), \'{"at":1}\')',
      undefined,
    ],
    ['a batch is gone', 'DELETE FROM batch WHERE first_seq = 2', 2],
    ['a batch begins later', 'UPDATE batch SET first_seq = first_seq + 1 WHERE first_seq = 3', 3],
    ['a batch ends earlier', 'UPDATE batch SET last_seq = last_seq - 1 WHERE last_seq = 6', 6],
    ['a batch has another link', 'UPDATE batch SET link = zeroblob(32) WHERE first_seq = 3', 3],
    ['a batch has another number', 'UPDATE batch SET n = 0 WHERE first_seq = 3', 3],
    ['a batch hides from the past', 'UPDATE batch SET low_at = low_at + 1 WHERE first_seq = 3', 3],
    ['a batch hides from the present', 'UPDATE batch SET high_at = 1 WHERE first_seq = 3', 3],
    ['a checkpoint says something else', 'UPDATE checkpoint SET text = replace(text, \'"v":1\', \'"v":2\')', undefined],
    ['a checkpoint is none', "UPDATE checkpoint SET text = 'no checkpoint'", undefined],
    ['a checkpoint is signed by nobody', "UPDATE checkpoint SET signature = 'AAAA'", undefined],
    ['the chain has another name', "UPDATE segment SET chain = 'gw-1/other'", undefined],
    ['the gateway has another name', "UPDATE segment SET gateway_id = 'gw-3'", undefined],
    ['it begins with another link', 'UPDATE segment SET previous_link = zeroblob(32)', 1],
    ['it begins with another event', 'UPDATE segment SET first_seq = 2', undefined],
    ['it says that it has more', 'UPDATE segment SET events = 1000', undefined],
  ] as const)('%s', async (_what, sql, seq) => {
    const found = await verifyAfter((directory) => inSegment(directory, runs[2], 1, sql));
    expect(found.ok).toBe(false);
    if (seq !== undefined) expect(found.findings.map((finding) => finding.seq)).toContain(seq);
  });

  test('a stretch of it was taken out, or the files of a whole run', async () => {
    const [first, , second] = runs;
    const without = (run: WrittenRun, n: number): Promise<Verification> =>
      verifyAfter((directory) => rmSync(join(directory, `${runOf(run)}-${n}.db`)));
    const beginning = await without(second, 1);
    expect(beginning.findings).toMatchObject([
      { chain: second.chain, message: expect.stringContaining('no event on record') },
    ]);
    const middle = await without(second, 2);
    expect(middle.findings).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('are missing') }),
    );
    // What the checkpoint of another gateway, and the next run, saw of it is left.
    const tail = await verifyAfter((directory) => {
      for (const { path, run, n } of listSegments(directory)) if (run === runOf(first) && n > 1) rmSync(path);
    });
    expect(tail.findings).toContainEqual(
      expect.objectContaining({ chain: first.chain, message: expect.stringContaining('the tail is cut') }),
    );
    const all = await verifyAfter((directory) => {
      for (const { path, run } of listSegments(directory)) if (run === runOf(first)) rmSync(path);
    });
    expect(all.findings).toMatchObject([{ chain: first.chain, message: expect.stringContaining('it is not there') }]);
  });

  test('a run that only the next one knows of was taken out', async () => {
    const directory = join(scratch.path, 'two-runs');
    const taken = writeRun(directory, signer, { startedAt: RUNS_AT, batches: [[sampleAct()]] });
    writeRun(directory, signer, { startedAt: RUNS_AT + 1, batches: [[sampleAct()]] });
    rmSync(join(directory, `${runOf(taken)}-1.db`));
    const found = await verifyRecord({ evidence: new ArchiveEvidence(new SegmentArchive(directory), signer.keys()) });
    expect(found.findings).toMatchObject([
      { chain: taken.chain, message: expect.stringContaining('the beginning of gw-1/') },
    ]);
  });

  test('a file that is no record any more is told of, and the rest is judged', async () => {
    const found = await verifyAfter((directory) => {
      using db = new DatabaseSync(join(directory, `${runOf(runs[1])}-1.db`));
      db.exec('DROP TABLE event');
    });
    expect(found.findings).toContainEqual({ chain: runs[1].chain, message: expect.stringContaining('cannot be read') });
    expect(found.chains.map(({ chain }) => chain)).toEqual(runs.map(({ chain }) => chain));
  });

  test('what retention took is missing rightly when it stands on record, and only that', async () => {
    const chain = runs[0].chain;
    const taken = (details: object, left?: string): Promise<Verification> =>
      verifyAfter((directory) => {
        rmSync(join(directory, `${runOf(runs[0])}-1.db`));
        const gone = ['line', 'request_id', ...EVENT_COLUMNS].filter((column) => column !== 'at' && column !== left);
        inSegment(directory, runs[2], 1, `UPDATE event SET ${gone.join(' = NULL, ')} = NULL WHERE seq = 8`);
        const act = sampleAct({ act: 'audit.prune', details: { chain, firstSeq: 1, taken: 'events', ...details } });
        const bytes = { chain: runs[2].chain, firstSeq: 1, lastSeq: 20, taken: 'bytes', events: 1 };
        writeRun(directory, signer, {
          startedAt: RUNS_AT + 9_000,
          batches: [[act], [sampleAct({ act: 'audit.erase', details: bytes })]],
        });
      });
    expect((await taken({ lastSeq: 30 })).findings).toEqual([]);
    expect((await taken({ lastSeq: 5 })).findings).toMatchObject([
      { chain, message: expect.stringContaining('missing') },
    ]);
    expect((await taken({ lastSeq: 30 }, 'status')).findings).toMatchObject([
      { seq: 8, message: 'its bytes are gone, but beside it are left: status' },
    ]);
  });

  test('keys succeed each other: one that nobody signed is found, and what it signed is worth nothing', async () => {
    const rotated = await plainSigner();
    const [oldest] = rotated.keys();
    await rotated.rotate();
    const directory = join(scratch.path, 'rotated');
    writeRun(directory, rotated, { startedAt: RUNS_AT, batches: [[sampleAct()], [sampleAct()]] });
    const archive = new SegmentArchive(directory);
    const own = [Buffer.from(oldest?.publicKey ?? '', 'base64')];
    const ofKeys = (keys: ReturnType<Signer['keys']>): Promise<Verification> =>
      verifyRecord({ evidence: new ArchiveEvidence(archive, keys), publicKeys: own });
    expect(await ofKeys(rotated.keys())).toMatchObject({ ok: true, keys: { fromOutside: true } });
    const unsigned = rotated.keys().map(({ signedBy, ...key }) => key);
    expect((await ofKeys(unsigned)).findings.map(({ message }) => message).join()).toContain('not one that you trust');
    const forged = rotated
      .keys()
      .map((key) => (key.signedBy ? { ...key, signedBy: { ...key.signedBy, signature: 'AAAA' } } : key));
    expect((await ofKeys(forged)).findings.map(({ message }) => message).join()).toContain(
      'is not signed by the key before it',
    );
  });
});
