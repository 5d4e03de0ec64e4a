import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportRecord } from '../../../src/audit/export/export-record.ts';
import { signedExport } from '../../../src/audit/export/signed-export.ts';
import { SegmentArchive } from '../../../src/audit/segments/segment-archive.ts';
import type { SignedCheckpoint } from '../../../src/domain/checkpoint.ts';
import { plainSigner, writeRun } from '../../audit/signed-record.ts';
import { writtenEvent } from './written-events.ts';

const BEGUN_AT = 1_790_000_000_000;
const BATCH_EVENTS = 500;
const CHECKPOINT_EACH = 10;

/** Writes a record of one run of so many events into a directory, and a whole export of it. */
export async function writeExport(
  directory: string,
  events: number,
): Promise<{ readonly file: string; readonly checkpoints: readonly SignedCheckpoint[] }> {
  const signer = await plainSigner();
  const place = join(directory, 'audit');
  const { checkpoints } = writeRun(place, signer, {
    startedAt: BEGUN_AT,
    batches: Array.from({ length: Math.ceil(events / BATCH_EVENTS) }, (_, batch) =>
      Array.from({ length: BATCH_EVENTS }, (__, n) => event(batch * BATCH_EVENTS + n)),
    ),
    checkpointEach: CHECKPOINT_EACH,
  });
  const file = join(directory, 'export.ndjson');
  const asked = { format: 'ndjson', filter: {}, at: BEGUN_AT + 1e9, keys: signer.keys() } as const;
  const archive = new SegmentArchive(place);
  async function* texts(): AsyncIterable<Buffer> {
    for await (const { text } of signedExport(exportRecord(archive, asked), signer)) yield Buffer.from(text, 'latin1');
  }
  await pipeline(Readable.from(texts()), createWriteStream(file));
  return { file, checkpoints };
}

function event(n: number) {
  return writtenEvent(n, BEGUN_AT + n * 10);
}
