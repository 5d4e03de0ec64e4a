import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SegmentArchive } from '../../../src/audit/segments/segment-archive.ts';
import type { KeptChain, RecordArchive } from '../../../src/domain/archive.ts';
import type { Checkpoint, SignedCheckpoint, Signer } from '../../../src/domain/checkpoint.ts';
import { exportText, verifyText } from '../export-text.ts';
import { sampleRuns, type WrittenRun } from '../sample-runs.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { plainSigner } from '../signed-record.ts';

const scratch = scratchDirectory('memory');
let signer: Signer;
let first: WrittenRun;
let other: WrittenRun;
let successor: WrittenRun;
/** Of the last but one of the first run's checkpoints, and of its last. */
let early: Checkpoint;
let late: Checkpoint;

beforeAll(async () => {
  signer = await plainSigner();
  [first, other, successor] = sampleRuns(scratch.path, signer);
  [early, late] = first.checkpoints.slice(-2).map(({ text }) => JSON.parse(text)) as [Checkpoint, Checkpoint];
});

afterAll(() => scratch[Symbol.dispose]());

/** The record as an export sees it that looked for heads when the first run had come to its last checkpoint but one. */
function lookedAtEarly(): RecordArchive {
  const archive = new SegmentArchive(scratch.path);
  const { seq, batch, link } = early;
  const atThen = (kept: KeptChain): KeptChain =>
    kept.chain === first.chain ? { ...kept, head: { seq, batch, link: Buffer.from(link, 'hex') } } : kept;
  const newest = (checkpoint: object): SignedCheckpoint => ({
    keyId: '',
    signature: '',
    text: JSON.stringify(checkpoint),
  });
  return {
    chains: async () => (await archive.chains()).filter(({ chain }) => chain !== successor.chain).map(atThen),
    // The other gateway had signed nothing of what it signed since, each time naming the last of the first run.
    newest: async () => [newest(early), newest({ chain: other.chain, seq: 0 })],
    batches: (chain, afterSeq) => archive.batches(chain, afterSeq),
    checkpoints: (chain) => archive.checkpoints(chain),
    close: () => archive.close(),
  };
}

test('a checkpoint that is signed while an export is read, by a clock that is behind, makes no other chain look cut', async () => {
  const text = await exportText(lookedAtEarly(), signer);
  expect(text).toContain(other.chain);
  expect((await verifyText(scratch.path, text)).findings).toEqual([]);
});

test('a witness by a clock that is behind looks like a cut, says what else it may be, and a later export has it', async () => {
  const log = join(scratch.path, 'gateway.log');
  writeFileSync(log, `${JSON.stringify({ checkpoint: first.checkpoints.at(-1) })}\n`);
  const verify = async (archive: RecordArchive, at: number) =>
    (await verifyText(scratch.path, await exportText(archive, signer, { at }), { witnesses: [log] })).findings;
  expect(await verify(lookedAtEarly(), late.at - 1)).toEqual([]);
  const cut = `the tail is cut: gateway.log saw event ${late.seq}, and the chain ends at ${early.seq}`;
  expect(await verify(lookedAtEarly(), late.at + 2_500)).toMatchObject([
    { chain: first.chain, message: expect.stringContaining(`${cut}; it saw that 3 s before the export: if clocks`) },
  ]);
  expect(await verify(lookedAtEarly(), late.at + 300_000)).toMatchObject([{ message: cut }]);
  expect(await verify(new SegmentArchive(scratch.path), late.at + 2_500)).toEqual([]);
});
