import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ArchiveClient } from '../../../src/audit/archive-client.ts';
import { SegmentArchive } from '../../../src/audit/segments/segment-archive.ts';
import { listSegments } from '../../../src/audit/segments/segment-file.ts';
import type { Sink } from '../../../src/audit/sinks/sink.ts';
import { type FollowerOptions, SinkFollower } from '../../../src/audit/sinks/sink-follower.ts';
import { undelivered } from '../../../src/audit/sinks/undelivered.ts';
import type { Positions } from '../../../src/domain/positions.ts';
import { eventually } from '../../support/eventually.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { exportText, verifyText } from '../export-text.ts';
import { sampleRuns } from '../sample-runs.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { plainSigner } from '../signed-record.ts';

const THREAD = new URL('../../../src/audit/segments/archive-thread.ts', import.meta.url);

/** Positions as a store that can fail keeps them. */
class MemoryPositions implements Positions {
  readonly kept = new Map<string, string>();
  isAway = false;

  async get(name: string): Promise<string | undefined> {
    if (this.isAway) throw new Error('the store is away');
    return this.kept.get(name);
  }

  async set(name: string, value: string): Promise<void> {
    if (this.isAway) throw new Error('the store is away');
    this.kept.set(name, value);
  }
}

/** A receiver that fails when it is told to. */
class ShakySink implements Sink {
  readonly kind = 'file';
  text = '';
  deliveries = 0;
  fails: (delivery: number) => boolean = () => false;

  async deliver(text: string): Promise<void> {
    this.deliveries += 1;
    if (this.fails(this.deliveries)) throw new Error('no room left');
    this.text += text;
  }

  async close(): Promise<void> {}
}

let scratch: ReturnType<typeof scratchDirectory>;
let client: ArchiveClient;
afterEach(async () => {
  await client.close();
  scratch[Symbol.dispose]();
});

async function following(overrides: Partial<FollowerOptions> = {}) {
  scratch = scratchDirectory();
  const signer = await plainSigner();
  sampleRuns(scratch.path, signer);
  client = new ArchiveClient(THREAD, scratch.path);
  const sink = new ShakySink();
  const positions = new MemoryPositions();
  const said: string[] = [];
  const clock = new VirtualClock();
  const options: FollowerOptions = {
    id: 'siem',
    gatewayId: 'gw-1',
    format: 'ndjson',
    bytesMax: 4_000,
    sink,
    record: { archive: client, delivered: (asked) => client.delivered(asked), head: () => undefined },
    positions,
    clock,
    onTrouble: (problem) => said.push(problem),
    onWell: (words) => said.push(words),
    ...overrides,
  };
  return { options, sink, positions, said, clock, signer };
}

/** `<run>/<seq>` of each event, as it came. */
function eventsIn(text: string): string[] {
  return [...text.matchAll(/^\{"chain":"gw-1\/(\w+)","seq":(\d+),/gm)].map(([, run, seq]) => `${run}/${seq}`);
}

async function allOnRecord(): Promise<string[]> {
  const chains = await new SegmentArchive(scratch.path).chains();
  return chains
    .filter(({ gatewayId }) => gatewayId === 'gw-1')
    .flatMap(({ run, head }) => Array.from({ length: head.seq }, (_, place) => `${run}/${place + 1}`));
}

const delivered = (follower: SinkFollower): Promise<unknown> =>
  eventually(
    'all is delivered',
    () => (follower.health().chain !== undefined && follower.health().lagEvents === 0) || undefined,
  );

describe('a sink', () => {
  test('is given all runs of its gateway, the dead ones too, in order, once, and with checkpoints that witness', async () => {
    const { options, sink, positions, signer } = await following();
    const follower = new SinkFollower(options);
    await delivered(follower);
    await follower[Symbol.asyncDispose]();
    expect(eventsIn(sink.text)).toEqual(await allOnRecord());
    const checkpoints = sink.text.match(/^\{"checkpoint":/gm) ?? [];
    expect(checkpoints).toHaveLength(2);
    expect(await undelivered(['siem'], client, positions)).toMatchObject([{ chain: expect.stringMatching(/^gw-2/) }]);
    // What it was given stands against a record whose end was cut off since.
    writeFileSync(`${scratch.path}/sink.ndjson`, sink.text);
    const whole = await exportText(new SegmentArchive(scratch.path), signer);
    const witnessed = await verifyText(scratch.path, whole, { witnesses: [`${scratch.path}/sink.ndjson`] });
    expect(witnessed.ok).toBe(true);
    expect(witnessed.chains.filter(({ witnessedSeq }) => witnessedSeq > 0)).toHaveLength(2);
  });

  test('goes on where its position stands: what was delivered before a crash may come again, and nothing is left out', async () => {
    const { options, sink, positions } = await following({ bytesMax: 1_000 });
    const before = new SinkFollower(options);
    await delivered(before);
    await before[Symbol.asyncDispose]();
    const all = await allOnRecord();
    const name = [...positions.kept.keys()][0] as string;
    const [first = ''] = all[0]?.split('/') ?? [];
    // As it stood when a gateway was killed between a delivery and the position behind it.
    for (const seq of [0, ...(await batchEnds(`gw-1/${first}`)).slice(4, 7)]) {
      positions.kept.set(name, JSON.stringify({ doneRun: '', chains: { [`gw-1/${first}`]: { seq, checkpoint: 0 } } }));
      sink.text = '';
      const after = new SinkFollower(options);
      await delivered(after);
      await after[Symbol.asyncDispose]();
      expect(eventsIn(sink.text)).toEqual(all.slice(seq));
    }
  });

  test('that fails in the middle is tried again, says so once, and then has everything', async () => {
    const { options, sink, said, clock } = await following();
    sink.fails = (delivery) => delivery >= 3 && delivery < 6;
    const follower = new SinkFollower(options);
    await eventually('there is trouble', () => follower.health().problem);
    expect(follower.health()).toMatchObject({ problem: 'no room left', lagEvents: expect.any(Number) });
    expect(follower.health().lagEvents).toBeGreaterThan(0);
    await eventually('it is well again', async () => {
      await clock.advance(10_000);
      return said.length === 2 || undefined;
    });
    await follower[Symbol.asyncDispose]();
    expect(said).toEqual([
      'the sink siem cannot deliver: no room left; it is tried again, and what it missed is delivered then',
      expect.stringMatching(/^the sink siem delivers again, after \d+ s$/),
    ]);
    expect([...new Set(eventsIn(sink.text))]).toEqual(await allOnRecord());
    expect(follower.health()).toMatchObject({ lagEvents: 0, lagSeconds: 0, problem: undefined });
  });

  test('is given all the rest where somebody made a checkpoint unreadable', async () => {
    const { options, sink, said } = await following();
    for (const { path } of listSegments(scratch.path)) {
      using db = new DatabaseSync(path);
      db.exec(`UPDATE checkpoint SET text = 'no checkpoint'`);
    }
    const follower = new SinkFollower(options);
    await delivered(follower);
    await follower[Symbol.asyncDispose]();
    expect([eventsIn(sink.text), said]).toEqual([await allOnRecord(), []]);
  });

  test('whose position cannot be kept delivers again later rather than never', async () => {
    const { options, sink, positions, clock } = await following();
    positions.isAway = true;
    const follower = new SinkFollower(options);
    await eventually('there is trouble', () => follower.health().problem);
    expect(sink.text).toBe('');
    positions.isAway = false;
    await eventually('all is delivered', async () => {
      await clock.advance(10_000);
      return follower.health().lagEvents === 0 && follower.health().chain !== undefined ? true : undefined;
    });
    await follower[Symbol.asyncDispose]();
    expect(eventsIn(sink.text)).toEqual(await allOnRecord());
  });

  test.each([
    ['event', 1_000],
    ['checkpoint', 1e6],
  ])('that never answers holds up neither the end of the process nor anything else (next: %s)', async (_, bytesMax) => {
    const { options, clock } = await following({ bytesMax });
    const taken = Promise.withResolvers<void>();
    let deliveries = 0;
    let ended = 0;
    const follower = new SinkFollower({
      ...options,
      record: {
        ...options.record,
        async *delivered(asked) {
          try {
            yield* options.record.delivered(asked);
          } finally {
            ended += 1;
          }
        },
      },
      sink: {
        kind: 'webhook',
        deliver() {
          deliveries += 1;
          return taken.promise;
        },
        close: async () => undefined,
      },
    });
    await eventually('it has begun', () => deliveries > 0);
    const closed = follower[Symbol.asyncDispose]();
    await clock.advance(2_000);
    await closed;
    expect(follower.health().chain).toBeUndefined();
    // What it was given is taken at last: a sink that is closed is given nothing more.
    taken.resolve();
    await eventually('reading has ended', () => ended > 0);
    // As long as it takes to look for a checkpoint.
    const [{ chain } = { chain: '' }] = await client.chains();
    expect(await Array.fromAsync(client.checkpoints(chain))).not.toEqual([]);
    expect(deliveries).toBe(1);
  });
});

async function batchEnds(chain: string): Promise<number[]> {
  const ends: number[] = [];
  for await (const batch of client.batches(chain, 0)) ends.push(batch.lastSeq);
  return ends;
}
