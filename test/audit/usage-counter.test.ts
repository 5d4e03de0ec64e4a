import { join } from 'node:path';
import { type RunState, RunWriter } from '../../src/audit/segments/run-writer.ts';
import { SegmentArchive } from '../../src/audit/segments/segment-archive.ts';
import { openStore } from '../../src/store/open-store.ts';
import { usageCountingContract } from '../contracts/usage-counting-contract.ts';
import { scratchDirectory } from './scratch-directory.ts';

const open: Parameters<typeof usageCountingContract>[1] = async () => {
  const scratch = scratchDirectory('memory');
  const store = await openStore({ file: join(scratch.path, 'gateway.db') });
  const directory = join(scratch.path, 'audit');
  return {
    store,
    archive: new SegmentArchive(directory),
    openWriter: (gatewayId, resume) =>
      new RunWriter({
        directory,
        gatewayId,
        startedAt: 1_790_000_000_000,
        segmentEventsMax: 7,
        segmentAgeMsMax: 1e9,
        busyMsMax: 100,
        // What one of these said.
        resume: resume as RunState | undefined,
      }),
    kill: (writer) => writer.close(),
    async remove() {
      await store.close();
      scratch[Symbol.dispose]();
    },
  };
};

usageCountingContract('files', open, 40);
