import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { SegmentArchive } from '../../../src/audit/segments/segment-archive.ts';
import { publicKeysInPem } from '../../../src/audit/signing-key.ts';
import { ArchiveEvidence } from '../../../src/audit/verify/archive-evidence.ts';
import { ExportEvidence } from '../../../src/audit/verify/export-evidence.ts';
import { verifyRecord } from '../../../src/audit/verify/verify-record.ts';
import { exportText } from '../export-text.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { plainSigner } from '../signed-record.ts';

/**
 * Written once, by the first release with this format, and never again: what stands in somebody's archive must verify as long as
 * there are gateways. Two runs, the first of them killed; two signing keys, of which `signing.pem` is the first.
 */
const FORMAT_1 = join(import.meta.dirname, 'format-1');
const publicKeys = publicKeysInPem(readFileSync(join(FORMAT_1, 'signing.pem'), 'latin1'));

function segmentsIn(directory: string): SegmentArchive {
  mkdirSync(directory, { recursive: true });
  for (const name of readdirSync(FORMAT_1).filter((one) => one.endsWith('.gz'))) {
    writeFileSync(join(directory, name.replace(/\.gz$/, '')), gunzipSync(readFileSync(join(FORMAT_1, name))));
  }
  return new SegmentArchive(directory);
}

describe('what earlier releases wrote', () => {
  test('exports of format 1 verify', async () => {
    const whole = await verifyRecord({ evidence: new ExportEvidence(join(FORMAT_1, 'export.ndjson')), publicKeys });
    expect(whole).toMatchObject({
      ok: true,
      events: 8,
      batches: 7,
      checkpoints: 3,
      chains: [{ lastSeq: 4 }, { lastSeq: 4 }],
    });
    const filtered = await verifyRecord({
      evidence: new ExportEvidence(join(FORMAT_1, 'filtered.ndjson')),
      publicKeys,
      witnesses: [join(FORMAT_1, 'export.ndjson')],
    });
    expect(filtered).toMatchObject({ ok: true, findings: [] });
  });

  test('segments of format 1 verify, with an export as their witness, and are exported as they were', async () => {
    using scratch = scratchDirectory();
    const archive = segmentsIn(scratch.path);
    const keys = JSON.parse(readFileSync(join(FORMAT_1, 'signing-keys.json'), 'utf8'));
    const found = await verifyRecord({
      evidence: new ArchiveEvidence(archive, keys),
      publicKeys,
      witnesses: [join(FORMAT_1, 'export.ndjson')],
    });
    expect(found).toMatchObject({ ok: true, events: 8, chains: [{ witnessedSeq: 4 }, { witnessedSeq: 4 }] });
    const again = await exportText(archive, {
      ...(await plainSigner()),
      keys: () => keys,
      sign: () => ({ keyId: '', signature: '' }),
    });
    const body = (text: string): string => text.slice(0, text.indexOf('{"manifest"'));
    expect(body(again)).toBe(body(readFileSync(join(FORMAT_1, 'export.ndjson'), 'latin1')));
  });
});
