import { execFileSync } from 'node:child_process';
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from '@jest/globals';
import { openRecord } from '../../src/audit/open-record.ts';
import { systemClock } from '../../src/domain/clock.ts';
import type { AuditRecord } from '../../src/domain/record.ts';
import { readChains } from './read-chain.ts';
import { sampleIntent, sampleOutcome } from './sample-events.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { until } from './until.ts';

const INTENT_MS_MAX = 600;

const opened: AuditRecord[] = [];

// A test that failed would leave threads behind, and jest waiting for them.
afterEach(() => Promise.all(opened.splice(0).map((record) => record.close())));

async function open(directory: string, problems: string[]): Promise<AuditRecord> {
  const record = await openRecord({
    directory,
    gatewayId: 'gw-1',
    clock: systemClock,
    intentMsMax: INTENT_MS_MAX,
    flushMsMax: 20,
    lagEventsMax: 20,
    lagBytesMax: 100_000,
    onProblem: (problem) => problems.push(problem),
  });
  opened.push(record);
  return record;
}

async function refusedWithinBound(record: AuditRecord): Promise<void> {
  const from = performance.now();
  await expect(record.intend(sampleIntent({ requestId: 'refused' }))).rejects.toMatchObject({
    code: 'record_unavailable',
    retryAfterMs: expect.any(Number),
  });
  // Half as much again for a busy machine; the bound itself is proven on virtual time.
  expect(performance.now() - from).toBeLessThan(INTENT_MS_MAX * 1.5);
}

/** Appends more than is held, waits for recovery, and says what is on record. */
async function gapAndRecovery(record: AuditRecord, recover: () => void): Promise<void> {
  for (let n = 0; n < 30; n += 1) record.append(sampleOutcome({ requestId: `read ${n}` }));
  await until(() => !record.health().writable && record.health().gap === 10, 'ten events are a gap');
  expect(record.health().problem).toEqual(expect.any(String));
  await refusedWithinBound(record);
  recover();
  await until(() => record.health().writable && record.health().lagEvents === 0, 'it writes again');
  await record.intend(sampleIntent({ requestId: 'after' }));
}

test('a directory that is taken away: refused within the bound, counted, recovered, recorded', async () => {
  using scratch = scratchDirectory();
  const directory = join(scratch.path, 'audit');
  const problems: string[] = [];
  const record = await open(directory, problems);
  await record.intend(sampleIntent({ requestId: 'before' }));
  renameSync(directory, join(scratch.path, 'away'));
  writeFileSync(directory, 'in the way');
  await refusedWithinBound(record);
  await gapAndRecovery(record, () => {
    rmSync(directory);
    renameSync(join(scratch.path, 'away'), directory);
  });
  await record.close();
  const [chain] = readChains(directory);
  expect(chain?.faults).toEqual([]);
  const ids = chain?.events.map(({ requestId, act }) => act ?? requestId);
  expect(ids).toEqual(
    expect.arrayContaining(['before', ...Array.from({ length: 20 }, (_, n) => `read ${n}`), 'gateway.gap', 'after']),
  );
  expect(ids).not.toContain('refused');
  expect(chain?.events.find(({ act }) => act === 'gateway.gap')).toMatchObject({
    details: { events: 10, since: sampleOutcome().at, until: sampleOutcome().at },
  });
  expect(problems.length).toBeGreaterThan(0);
});

test('a directory that cannot be had from the start: the record opens, says so, and recovers', async () => {
  using scratch = scratchDirectory();
  const directory = join(scratch.path, 'audit');
  writeFileSync(directory, 'in the way');
  const problems: string[] = [];
  const record = await open(directory, problems);
  expect(record.health()).toMatchObject({ writable: false, problem: expect.stringContaining('ENOTDIR') });
  expect(problems).toHaveLength(1);
  await gapAndRecovery(record, () => rmSync(directory));
  await record.close();
  const [chain] = readChains(directory);
  expect(chain?.faults).toEqual([]);
  expect(chain?.events[0]).toMatchObject({ act: 'gateway.start' });
});

test('a disk that may only be read, from the start: the record opens, says so, and recovers', async () => {
  using scratch = scratchDirectory();
  const isMounted = mountReadOnly(scratch.path);
  // Root may write wherever it is; where nothing may be mounted the test above stands for this one.
  if (!isMounted) return;
  let record: AuditRecord;
  try {
    const problems: string[] = [];
    record = await open(scratch.path, problems);
    expect(record.health()).toMatchObject({ writable: false, problem: expect.any(String) });
    expect(problems).toHaveLength(1);
    await refusedWithinBound(record);
  } finally {
    execFileSync('umount', ['-l', scratch.path]);
  }
  await until(() => record.health().writable, 'it writes again');
  await record.intend(sampleIntent({ requestId: 'after' }));
  expect(record.health().problem).toBeUndefined();
  await record.close();
  const [chain] = readChains(scratch.path);
  expect(chain?.faults).toEqual([]);
  expect(chain?.events.map(({ requestId, act }) => act ?? requestId)).toEqual([
    'gateway.start',
    'after',
    'gateway.stop',
  ]);
});

function mountReadOnly(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('another process that holds the file: refused within the bound, and written when it lets go', async () => {
  using scratch = scratchDirectory();
  const record = await open(scratch.path, []);
  await record.intend(sampleIntent({ requestId: 'before' }));
  using other = new DatabaseSync(join(scratch.path, readdirSync(scratch.path)[0] ?? ''));
  other.exec('BEGIN EXCLUSIVE');
  await refusedWithinBound(record);
  // Reading goes on.
  expect((await record.query({ requestId: 'before' }, { limit: 1 })).events).toHaveLength(1);
  await gapAndRecovery(record, () => other.exec('ROLLBACK'));
  await record.close();
  expect(readChains(scratch.path).flatMap(({ faults }) => faults)).toEqual([]);
});

test('a record that cannot be read says so', async () => {
  using scratch = scratchDirectory();
  const record = await open(join(scratch.path, 'audit'), []);
  writeFileSync(
    join(scratch.path, 'audit', '01M84SP6Y92KMA0VCA3BERJX7E-1.db'),
    'this is no database, and long enough to be seen as one'.repeat(50),
  );
  await expect(record.query({}, { limit: 1 })).rejects.toMatchObject({ code: 'store_unavailable' });
  await record.close();
});
