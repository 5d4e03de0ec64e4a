import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ExportAsked, exportRecord } from '../../src/audit/export/export-record.ts';
import { signedExport } from '../../src/audit/export/signed-export.ts';
import { ExportEvidence } from '../../src/audit/verify/export-evidence.ts';
import { type Verification, type VerifyOptions, verifyRecord } from '../../src/audit/verify/verify-record.ts';
import type { RecordArchive } from '../../src/domain/archive.ts';
import type { Signer } from '../../src/domain/checkpoint.ts';

/** An export, as somebody who asked for it has it. */
export async function exportText(
  archive: RecordArchive,
  signer: Signer,
  asked: Partial<ExportAsked> = {},
): Promise<string> {
  const whole: ExportAsked = { format: 'ndjson', filter: {}, at: 1_790_000_900_000, keys: signer.keys(), ...asked };
  let text = '';
  for await (const piece of signedExport(exportRecord(archive, whole), signer)) text += piece.text;
  return text;
}

/** What `audit verify --export` finds in a text. */
export async function verifyText(
  directory: string,
  text: string,
  options: Omit<VerifyOptions, 'evidence'> = {},
): Promise<Verification> {
  const file = join(directory, 'export.ndjson');
  writeFileSync(file, text, 'latin1');
  return await verifyRecord({ ...options, evidence: new ExportEvidence(file) });
}
