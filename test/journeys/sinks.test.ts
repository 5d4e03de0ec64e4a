import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { SegmentArchive } from '../../src/audit/segments/segment-archive.ts';
import { startGateway } from '../support/gateway.ts';

test('A gateway that ends in order has given its sinks everything: the last refusals, its own end, and the checkpoint of it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sinks-'));
  try {
    const path = join(directory, 'sink.ndjson');
    const sink = { id: 'archive', kind: 'file', format: 'ndjson', path, rotateBytes: 1e9, rotateMs: 1e9, keep: 1 };
    const gateway = await startGateway({
      masonUrl: 'http://127.0.0.1:9',
      dataDir: directory,
      settings: { sinks: [sink] },
    });
    for (let n = 0; n < 20; n += 1) {
      expect((await gateway.call('mgw_of-nobody', `/v1/default/device/${n}`)).status).toBe(401);
    }
    await gateway.close();
    const [chain] = await new SegmentArchive(join(directory, 'audit')).chains();
    const lines = (await readFile(path, 'latin1'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const events = lines.filter(({ event }) => event !== undefined);
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: Number(chain?.head.seq) }, (_, n) => n + 1));
    expect(events.filter(({ event }) => event.kind === 'refused')).toHaveLength(20);
    expect(events.at(-1)?.event).toMatchObject({ act: 'gateway.stop' });
    expect(JSON.parse(lines.at(-1).checkpoint.text)).toMatchObject({ chain: chain?.chain, seq: chain?.head.seq });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
