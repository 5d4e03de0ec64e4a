import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ArchiveClient } from '../../../src/audit/archive-client.ts';
import { type ExportAsked, exportRecord } from '../../../src/audit/export/export-record.ts';
import { signedExport } from '../../../src/audit/export/signed-export.ts';
import { openRecord } from '../../../src/audit/open-record.ts';
import { SegmentArchive } from '../../../src/audit/segments/segment-archive.ts';
import type { KeptBatch } from '../../../src/domain/archive.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import { verifyText } from '../export-text.ts';
import { sampleIntent, sampleOutcome } from '../sample-events.ts';
import { sampleRuns } from '../sample-runs.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { plainSigner, writeRun } from '../signed-record.ts';

const THREAD = new URL('../../../src/audit/segments/archive-thread.ts', import.meta.url);

describe('an export of a record that is being written', () => {
  test('has all that was accepted before it, ends where it was begun, and verifies', async () => {
    using scratch = scratchDirectory();
    const signer = await plainSigner();
    const record = await openRecord({
      directory: join(scratch.path, 'audit'),
      gatewayId: 'gw-1',
      clock: systemClock,
      intentMsMax: 5_000,
      lagEventsMax: 10_000,
      lagBytesMax: 10_000_000,
      signer,
      checkpointMs: 10,
    });
    for (let n = 0; n < 300; n += 1) record.append(sampleOutcome({ requestId: `before-${n}` }));
    const asked: ExportAsked = { format: 'ndjson', filter: {}, at: Date.now(), keys: signer.keys() };
    let text = '';
    for await (const piece of signedExport(record.exported(asked), signer)) {
      // What comes meanwhile is not in it.
      await record.intend(sampleIntent({ requestId: 'meanwhile' }));
      text += piece.text;
    }
    await record.close();
    expect(text.match(/before-\d+/g)).toHaveLength(300);
    expect(text).not.toContain('meanwhile');
    expect(await verifyText(scratch.path, text)).toMatchObject({ ok: true, events: 301 });
  });

  test('has what happened before a time also of runs whose clock was ahead when they began', async () => {
    using scratch = scratchDirectory('memory');
    mkdirSync(scratch.path, { recursive: true });
    const signer = await plainSigner();
    const at = Date.parse('2026-01-01T00:00:00Z');
    const startedAt = Date.parse('2036-01-01T00:00:00Z');
    writeRun(scratch.path, signer, { startedAt, batches: [[sampleOutcome({ at, requestId: 'set-back' })]] });
    const filter = { until: at + 1 };
    let text = '';
    const pieces = exportRecord(new SegmentArchive(scratch.path), {
      format: 'ndjson',
      filter,
      at,
      keys: signer.keys(),
    });
    for await (const piece of signedExport(pieces, signer)) text += piece.text;
    expect(text).toContain('set-back');
  });

  test('reads in a thread of its own what the same reading gives here, and lets go of what nobody reads to its end', async () => {
    using scratch = scratchDirectory('memory');
    mkdirSync(scratch.path, { recursive: true });
    const [first] = sampleRuns(scratch.path, await plainSigner());
    const archive = new ArchiveClient(THREAD, scratch.path);
    const batches: KeptBatch[] = [];
    for await (const batch of archive.batches(first.chain, 0)) batches.push(batch);
    expect(batches.map(({ firstSeq }) => firstSeq)).toEqual(batches.map((_, n) => (batches[n - 1]?.lastSeq ?? 0) + 1));
    const place = batches[4]?.lastSeq ?? 0;
    for await (const batch of archive.batches(first.chain, place)) {
      expect(batch.firstSeq).toBe(place + 1);
      break;
    }
    let checkpoints = 0;
    for await (const _ of archive.checkpoints(first.chain)) checkpoints += 1;
    expect(checkpoints).toBe(first.checkpoints.length);
    expect((await archive.chains()).map(({ gatewayId }) => gatewayId)).toEqual(['gw-1', 'gw-2', 'gw-1']);
    await archive.close();
    await expect(Array.fromAsync(archive.checkpoints(first.chain))).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });
});
