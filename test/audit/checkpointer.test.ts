import { describe, expect, test } from '@jest/globals';
import { chainBegin } from '../../src/audit/chain.ts';
import { Checkpointer } from '../../src/audit/checkpointer.ts';
import { openRecord, type RecordOptions } from '../../src/audit/open-record.ts';
import { SegmentArchive } from '../../src/audit/segments/segment-archive.ts';
import { ArchiveEvidence } from '../../src/audit/verify/archive-evidence.ts';
import { verifyRecord } from '../../src/audit/verify/verify-record.ts';
import type { Checkpoint, SignedCheckpoint } from '../../src/domain/checkpoint.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from './manual-clock.ts';
import { sampleIntent } from './sample-events.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { keptInMemory, plainSigner } from './signed-record.ts';

function said({ text }: SignedCheckpoint): Checkpoint {
  return JSON.parse(text);
}

describe('checkpoints', () => {
  test('come while events do, see other gateways, reach to the end of the chain, and stand in the record', async () => {
    using scratch = scratchDirectory();
    const signer = await plainSigner();
    const heard: SignedCheckpoint[] = [];
    const options = (gatewayId: string): RecordOptions => ({
      directory: scratch.path,
      gatewayId,
      clock: systemClock,
      intentMsMax: 5_000,
      lagEventsMax: 1_000,
      lagBytesMax: 1_000_000,
      signer,
      checkpointMs: 20,
      onCheckpoint: (checkpoint) => heard.push(checkpoint),
    });
    const one = await openRecord(options('gw-1'));
    const two = await openRecord(options('gw-2'));
    await one.intend(sampleIntent({ requestId: 'a' }));
    await eventually('its checkpoint is kept', async () =>
      (await two.archive.newest()).some(
        (checkpoint) => said(checkpoint).chain.startsWith('gw-1/') && said(checkpoint).seq === 2,
      ),
    );
    await two.intend(sampleIntent({ requestId: 'b' }));
    await eventually('the other gateway saw it', () =>
      heard.some((checkpoint) =>
        said(checkpoint).seen.some(({ chain, seq }) => chain.startsWith('gw-1/') && seq === 2),
      ),
    );
    await one.close();
    await two.close();
    const last = heard.map((checkpoint) => [said(checkpoint).chain.slice(0, 4), said(checkpoint).seq] as const);
    expect(Object.fromEntries(last)).toEqual({ 'gw-1': 3, 'gw-2': 3 });
    // Nothing new, nothing said.
    expect(new Set(heard.map((checkpoint) => `${said(checkpoint).chain} ${said(checkpoint).seq}`)).size).toBe(
      heard.length,
    );
    const found = await verifyRecord({
      evidence: new ArchiveEvidence(new SegmentArchive(scratch.path), signer.keys()),
    });
    expect(found).toMatchObject({ ok: true, checkpoints: heard.length });
    expect(found.chains.map(({ signedSeq, lastSeq, isEnded }) => [signedSeq, lastSeq, isEnded])).toEqual([
      [3, 3, true],
      [3, 3, true],
    ]);
  });

  test('are told to witnesses although they cannot be kept, and one problem is told once', async () => {
    const clock = new ManualClock();
    const problems: string[] = [];
    const heard: SignedCheckpoint[] = [];
    let seq = 1;
    const checkpointer = new Checkpointer(
      {
        clock,
        signer: await plainSigner(),
        checkpointMs: 5_000,
        onCheckpoint: (checkpoint) => heard.push(checkpoint),
        onProblem: (problem) => problems.push(problem),
      },
      {
        head: () => ({ ...chainBegin('gw/run'), chain: 'gw/run', seq, batch: seq }),
        keep: () => Promise.reject(new Error('the disk is full')),
        newest: async () => [],
      },
    );
    for (; seq < 4; seq += 1) await checkpointer.sign();
    await checkpointer.close();
    expect(heard.map((checkpoint) => said(checkpoint).seq)).toEqual([1, 2, 3, 4]);
    expect(problems).toEqual(['a checkpoint of the record: the disk is full']);
  });

  test('another gateway’s checkpoint that somebody made unreadable keeps nobody from saying how far he has come', async () => {
    const signed = { keyId: '', signature: '' };
    const heard: SignedCheckpoint[] = [];
    const problems: string[] = [];
    const checkpointer = new Checkpointer(
      {
        clock: new ManualClock(),
        signer: await plainSigner(),
        checkpointMs: 5_000,
        onCheckpoint: (checkpoint) => heard.push(checkpoint),
        onProblem: (problem) => problems.push(problem),
      },
      {
        head: () => ({ ...chainBegin('gw/run'), chain: 'gw/run', seq: 1, batch: 1 }),
        keep: async () => undefined,
        newest: async () => [
          { ...signed, text: 'no checkpoint' },
          { ...signed, text: '{"chain":"gw/run","seq":1,"link":"aa"}' },
          { ...signed, text: '{"chain":"gw-2/run","seq":7,"link":"bb"}' },
        ],
      },
    );
    await checkpointer.close();
    expect(heard.map((checkpoint) => said(checkpoint).seen)).toEqual([[{ chain: 'gw-2/run', seq: 7, link: 'bb' }]]);
    expect(problems).toEqual([]);
  });

  test('gateways of one store sign with one key, also after one of them made a new one', async () => {
    const keys = keptInMemory();
    const [one, two] = [await plainSigner(keys), await plainSigner(keys)];
    expect(two.sign('text')).toEqual(one.sign('text'));
    const made = await one.rotate();
    expect(made.signedBy?.keyId).toBe(two.sign('text').keyId);
    await two.refresh();
    expect(two.sign('text')).toEqual({ keyId: made.id, signature: one.sign('text').signature });
    // Both at once: one comes first, the other is told so.
    const both = await Promise.allSettled([one.rotate(), two.rotate()]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});
