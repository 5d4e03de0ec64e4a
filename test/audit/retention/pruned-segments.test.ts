import { chmodSync, copyFileSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RetentionPolicy, Undelivered } from '../../../src/audit/retention/record-pruner.ts';
import { Retention, type RetentionOptions } from '../../../src/audit/retention/retention.ts';
import { planSegments, pruneSegments } from '../../../src/audit/segments/prune-segments.ts';
import { queryRecord } from '../../../src/audit/segments/query.ts';
import { sealSegment } from '../../../src/audit/segments/seal-segment.ts';
import { SegmentArchive } from '../../../src/audit/segments/segment-archive.ts';
import { SegmentCatalog } from '../../../src/audit/segments/segment-catalog.ts';
import { listSegments } from '../../../src/audit/segments/segment-file.ts';
import { ArchiveEvidence } from '../../../src/audit/verify/archive-evidence.ts';
import { type Verification, verifyRecord } from '../../../src/audit/verify/verify-record.ts';
import type { Signer } from '../../../src/domain/checkpoint.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import type { RecordEvent } from '../../../src/domain/event.ts';
import { sampleIntent, sampleOutcome } from '../sample-events.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { plainSigner, writeRun } from '../signed-record.ts';

const DAY_MS = 86_400_000;
const AT = Date.parse('2026-01-01T00:00:00Z');

let scratch: ReturnType<typeof scratchDirectory>;
let signer: Signer;
let now: number;
let behind: readonly Undelivered[];

beforeEach(async () => {
  scratch = scratchDirectory('memory');
  signer = await plainSigner();
  now = AT;
  behind = [];
});

afterEach(() => scratch[Symbol.dispose]());

/** A run of so many days, a segment of some events each, sealed but for the last unless the run ended. */
function aRun(days: number, { gatewayId = 'gw-1', more = [] as readonly RecordEvent[] } = {}): string {
  const batches = Array.from({ length: days }, (_, day) => [
    ...Array.from({ length: 40 }, (_, n) => {
      const at = now + day * DAY_MS + n;
      const team = n % 4 === 0 ? { team: 'shop', teamId: 'team_shop' } : { team: 'acme', teamId: 'team_acme' };
      return sampleOutcome({
        ...team,
        at,
        requestId: `${now}-${day}-${n}`,
        targets: [{ kind: 'device', name: `SN${n}` }],
      });
    }),
    ...(day === 0 ? more : []),
  ]);
  const { chain } = writeRun(scratch.path, signer, { gatewayId, startedAt: now, batches, segmentEventsMax: 30 });
  now += days * DAY_MS;
  seal();
  return chain;
}

function seal(): void {
  for (const { path } of listSegments(scratch.path)) sealSegment(path);
}

/** Of a {@link Retention} that takes out of these files what it says to a test. */
function parts(said: RecordEvent[]): Omit<RetentionOptions, 'policy'> {
  return {
    pruner: {
      plan: async (asked) => planSegments(scratch.path, asked),
      carryOut: async (asked, going) => pruneSegments(scratch.path, asked, going),
    },
    record: { intend: async (event) => void said.push(event) },
    positions: { get: async () => undefined, set: async () => undefined },
    clock: { ...systemClock, epochMs: () => now },
    undelivered: async () => behind,
    onPruned: () => undefined,
    onProblem: () => undefined,
  };
}

function retention(policy: RetentionPolicy, said: RecordEvent[]): Retention {
  return new Retention({ ...parts(said), policy });
}

/** Prunes, and writes what it says as a run of its own. */
async function prune(policy: RetentionPolicy): Promise<RecordEvent[]> {
  const said: RecordEvent[] = [];
  await retention(policy, said).prune({ kind: 'gateway' }, `prune-${now}`);
  if (said.length > 0) writeRun(scratch.path, signer, { gatewayId: 'gw-9', startedAt: now, batches: [said] });
  now += DAY_MS;
  seal();
  return said;
}

function verify(): Promise<Verification> {
  return verifyRecord({ evidence: new ArchiveEvidence(new SegmentArchive(scratch.path), signer.keys()) });
}

function bytesOnDisk(): number {
  return readdirSync(scratch.path).reduce((sum, name) => sum + statSync(join(scratch.path, name)).size, 0);
}

function count(filter: object): number {
  return queryRecord(new SegmentCatalog(scratch.path), filter, { limit: 1_000 }).events.length;
}

describe('retention of a record in files', () => {
  test('by age: the oldest segments go, space is free, and verify tells it from what somebody took', async () => {
    const chain = aRun(10);
    aRun(2);
    const before = { bytes: bytesOnDisk(), events: count({}) };
    const said = await prune({ days: 6 });
    expect(said[0]).toMatchObject({
      act: 'audit.prune',
      result: 'intended',
      details: { chain, firstSeq: 1, taken: 'events', lastLink: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(count({ team: 'acme', until: now - 8 * DAY_MS })).toBe(0);
    expect(bytesOnDisk()).toBeLessThan(before.bytes);
    expect(await verify()).toMatchObject({ ok: true, findings: [] });
    expect(count({})).toBeLessThan(before.events);
  });

  test('a segment that somebody removed is still a finding', async () => {
    aRun(4);
    const [first] = listSegments(scratch.path).toReversed();
    pruneSegments(scratch.path, { now, before: 0, bytesMax: 0, teams: [], undelivered: [] }, [
      {
        chain: (await new SegmentArchive(scratch.path).chains())[0]?.chain ?? '',
        firstSeq: 1,
        lastSeq: 50,
        taken: 'events',
        events: 50,
      },
    ]);
    expect(listSegments(scratch.path).some(({ path }) => path === first?.path)).toBe(false);
    expect((await verify()).findings[0]?.message).toContain('no event on record says that retention took them');
  });

  test('by size: the oldest goes, over all runs, until what is left fits; what is written stays', async () => {
    aRun(3);
    aRun(3, { gatewayId: 'gw-2' });
    const said: RecordEvent[] = [];
    const bytesMax = bytesOnDisk() / 2;
    const { bytes, bytesAfter } = await retention({ bytesMax }, said).prune({ kind: 'operator' }, 'r');
    expect([bytes > bytesMax, bytesAfter <= bytesMax, bytesAfter === bytesOnDisk()]).toEqual([true, true, true]);
    writeRun(scratch.path, signer, { gatewayId: 'gw-9', startedAt: now, batches: [said] });
    expect(count({ since: now - 3 * DAY_MS })).toBeGreaterThan(0);
    expect(await verify()).toMatchObject({ ok: true, findings: [] });
  });

  test('of a team only bytes go: digests and links verify, names are in no byte, others keep theirs', async () => {
    const chain = aRun(5);
    const [acme, all] = [count({ team: 'acme' }), count({})];
    const said = await prune({ teams: { shop: { days: 1 } } });
    expect(said.every((event) => event.kind === 'admin' && event.details['taken'] === 'bytes')).toBe(true);
    expect([count({ team: 'shop' }), count({ team: 'acme' })]).toEqual([10, acme]);
    expect(count({})).toBe(all + said.length + 2);
    for (const { path, n } of listSegments(scratch.path).filter(({ run }) => run === chain.slice(5))) {
      expect(readFileSync(path, 'latin1').includes('team_shop')).toBe(n === 5);
    }
    expect(await verify()).toMatchObject({ ok: true, findings: [] });
    expect((await verify()).chains.reduce((sum, { bytesGone }) => sum + bytesGone, 0)).toBe(40);
    // The next day the last of them goes too, and what is gone does not go again.
    expect(await prune({ teams: { shop: { days: 1 } } })).toHaveLength(2);
    expect(await prune({ teams: { shop: { days: 1 } } })).toEqual([]);
  });

  test('what one who was killed over it left behind, under the same process id, is played into no copy', async () => {
    aRun(10);
    const path = listSegments(scratch.path).at(-1)?.path ?? '';
    const fresh = `${path}.rewritten-${process.pid}`;
    copyFileSync(path, fresh);
    chmodSync(fresh, 0o600);
    const killed = new DatabaseSync(fresh);
    killed.exec(`UPDATE event SET line = 'half'; PRAGMA cache_size = 1; BEGIN; UPDATE event SET line = 'way'`);
    // As SQLite leaves it: whoever opens a file beside it plays it into that.
    copyFileSync(`${fresh}-journal`, `${fresh}-left`);
    killed.close();
    renameSync(`${fresh}-left`, `${fresh}-journal`);
    await prune({ teams: { shop: { days: 1 } } });
    expect(await verify()).toMatchObject({ ok: true, findings: [] });
    expect(count({ team: 'shop', until: now - 5 * DAY_MS })).toBe(0);
  });

  test('bytes that somebody took are found, also where more were let go of events that are no more', async () => {
    aRun(10);
    await prune({ teams: { shop: { days: 1 } } });
    await prune({ days: 6 });
    const path = listSegments(scratch.path).at(-1)?.path;
    expect(await verify()).toMatchObject({ ok: true });
    chmodSync(path ?? '', 0o600);
    using stolen = new DatabaseSync(path ?? '');
    const { seq } = stolen.prepare('SELECT max(seq) AS seq FROM event WHERE line IS NOT NULL').get() ?? {};
    stolen.prepare('UPDATE event SET line = NULL WHERE seq = ?').run(Number(seq));
    stolen.prepare('DELETE FROM target WHERE seq = ?').run(Number(seq));
    const { findings } = await verify();
    expect(findings.map(({ message }) => message)).toContainEqual(expect.stringContaining('events are gone'));
  });

  test('what an earlier pruning said is said again before it goes itself, for ever', async () => {
    aRun(6);
    for (let pass = 0; pass < 6; pass += 1) {
      await prune({ days: 3, teams: { shop: { days: 1 } } });
      aRun(1, { gatewayId: 'gw-2' });
      expect(await verify()).toMatchObject({ ok: true, findings: [] });
    }
  });

  test('what a sink has not delivered stays, and so does a change of which nobody knows the end', async () => {
    const chain = aRun(4, { more: [sampleIntent({ requestId: 'open', at: AT })] });
    const held = await retention({ days: 1 }, []).plan();
    expect(held).toMatchObject({ going: [], heldBack: [expect.stringContaining('1 intended changes')] });
    writeRun(scratch.path, signer, { startedAt: now, batches: [[sampleOutcome({ requestId: 'open', at: now })]] });
    behind = [{ chain, seq: 45, sink: 'the sink "siem"' }];
    const plan = await retention({ days: 1 }, []).plan();
    expect(plan.heldBack).toEqual([expect.stringContaining('the sink "siem" has not delivered it yet')]);
    expect(plan.going.every(({ lastSeq }) => lastSeq <= 45)).toBe(true);
    behind = [];
    expect((await retention({ days: 1 }, []).plan()).going[0]?.lastSeq).toBeGreaterThan(45);
  });

  test('what is announced comes before it is done, so that a record that cannot be written loses nothing', async () => {
    aRun(4);
    const files = readdirSync(scratch.path).length;
    const record = { intend: async () => Promise.reject(new Error('full')) };
    const broken = new Retention({ ...parts([]), policy: { days: 1 }, record });
    await expect(broken.prune({ kind: 'operator' }, 'r')).rejects.toThrow('full');
    expect(readdirSync(scratch.path)).toHaveLength(files);
  });
});
