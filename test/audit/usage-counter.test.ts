import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { eventLine } from '../../src/audit/event-line.ts';
import { type RunState, RunWriter } from '../../src/audit/segments/run-writer.ts';
import { SegmentArchive } from '../../src/audit/segments/segment-archive.ts';
import { UsageCounter } from '../../src/audit/usage-counter.ts';
import { UsageRecount } from '../../src/audit/usage-recount.ts';
import { UsageTally } from '../../src/audit/usage-tally.ts';
import type { OutcomeEvent } from '../../src/domain/event.ts';
import type { UsageStore } from '../../src/domain/usage.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { sampleIntent, sampleOutcome } from './sample-events.ts';
import { scratchDirectory } from './scratch-directory.ts';

const scratch = scratchDirectory('memory');
const AT = 1_790_000_000_000;
let store: Store;
let plays = 0;

beforeAll(async () => {
  store = await openStore({ file: join(scratch.path, 'gateway.db') });
});

afterAll(async () => {
  await store.close();
  scratch[Symbol.dispose]();
});

type Away = 'before' | 'after' | undefined;

/** A gateway's writer and counter, with what may befall them; synchronous where threads would be. */
class Play {
  readonly teamId = `team-${++plays}`;
  readonly directory = join(scratch.path, this.teamId);
  readonly archive = new SegmentArchive(this.directory);
  readonly ends: OutcomeEvent[] = [];
  away: Away;
  #writer: RunWriter | undefined;
  #counter = new UsageCounter(this.#flakyStore());
  #heard: RunState | undefined;
  #batch = 0;

  /** @param isHeard false: the thread dies between the commit and its answer, and the batch is sent again */
  write(events: readonly Partial<OutcomeEvent>[], isHeard: boolean): void {
    const ends = events.map((fields) => sampleOutcome({ ...fields, teamId: this.teamId }));
    const appends = ends.map(eventLine).join('');
    this.ends.push(...ends);
    // As at the start: whether writing is possible.
    if (this.#heard === undefined) this.#hear(this.#commit(''));
    this.#batch += 1;
    const state = this.#commit(appends + eventLine(sampleIntent()));
    if (isHeard) {
      this.#hear(state);
      return;
    }
    this.#writer?.close();
    this.#writer = undefined;
    // The intent was refused meanwhile: what is sent again is less than what is there.
    this.#hear(this.#commit(appends));
  }

  async flush(away: Away): Promise<void> {
    this.away = away;
    await this.#counter.flush(this.archive).catch(() => undefined);
    this.away = undefined;
  }

  /** Another gateway takes this one for dead, while it lives. */
  async countByAnother(): Promise<void> {
    for (const { chain } of await this.archive.chains()) {
      const recount = await UsageRecount.begin(store.usage, chain);
      for await (const batch of this.archive.batches(chain, 0)) await recount.see(batch);
      await recount.end();
    }
  }

  crash(): void {
    this.#writer?.close();
    this.#writer = undefined;
    this.#heard = undefined;
    this.#batch = 0;
    this.#counter = new UsageCounter(this.#flakyStore());
  }

  #commit(text: string): RunState {
    this.#writer ??= new RunWriter({
      directory: this.directory,
      gatewayId: 'gw-1',
      startedAt: AT,
      segmentEventsMax: 7,
      segmentAgeMsMax: 1e9,
      busyMsMax: 100,
      resume: this.#heard,
    });
    return this.#writer.write(this.#batch, text);
  }

  #hear(state: RunState): void {
    this.#heard = state;
    this.#counter.hear(`gw-1/${state.run}`, state.head.batch, this.#writer?.tally.take());
    this.#writer?.rest();
  }

  #flakyStore(): UsageStore {
    return {
      ...store.usage,
      add: async (...given) => {
        if (this.away === 'before') throw new Error('the store is away');
        const reached = await store.usage.add(...given);
        if (this.away === 'after') throw new Error('the answer got lost');
        return reached;
      },
    };
  }
}

const someEnd = fc.record({
  at: fc.integer({ min: AT, max: AT + 200_000 }),
  operation: fc.constantFrom('device.list', 'device.reboot', undefined),
  kind: fc.constantFrom('outcome' as const, 'refused' as const),
  result: fc.constantFrom('answered' as const, 'unknown' as const, 'not_sent' as const),
  status: fc.constantFrom(200, 404),
  bytesOut: fc.nat(1_000),
  masonMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
  actor: fc.constantFrom<OutcomeEvent['actor']>(
    { kind: 'app', appId: 'app_1' },
    { kind: 'person', personId: 'per_1' },
    { kind: 'unknown' },
  ),
});

const someStep = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('write' as const), fc.array(someEnd, { maxLength: 4 }), fc.boolean()) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constant('flush' as const), fc.constantFrom<Away>('before', 'after', undefined)),
  },
  fc.tuple(fc.constant('crash' as const)),
  fc.tuple(fc.constant('another' as const)),
);

test('usage is what the record says, whatever fails between a call and its count, and whoever counts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someStep, { minLength: 4, maxLength: 14 }), async (steps) => {
      const play = new Play();
      for (const step of steps) {
        if (step[0] === 'write') play.write(step[1], step[2]);
        else if (step[0] === 'flush') await play.flush(step[1]);
        else if (step[0] === 'another') await play.countByAnother();
        else play.crash();
      }
      await play.flush(undefined);
      play.crash();
      await play.countByAnother();
      const truth = new UsageTally();
      for (const end of play.ends) truth.add(JSON.parse(eventLine(end)));
      const rows = await store.usage.rows('minute', { since: 0, until: 1e15 }, { teamIds: [play.teamId] });
      expect(sorted(rows.map(({ at, ...sums }) => ({ minute: at, ...sums })))).toEqual(sorted(truth.take() ?? []));
    }),
    { numRuns: 40 },
  );
});

test('a store that is away for long holds no more than a bound, and the record is counted instead', async () => {
  const play = new Play();
  for (let n = 0; n < 3; n += 1) {
    play.write(
      Array.from({ length: 2_000 }, (_, each) => ({ at: AT, operation: `operation-${n}-${each}` })),
      true,
    );
    await play.flush('before');
  }
  await play.flush(undefined);
  const rows = await store.usage.rows('day', { since: 0, until: 1e15 }, { teamIds: [play.teamId] });
  expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(6_000);
});

function sorted(rows: readonly object[]): string[] {
  return rows.map((row) => JSON.stringify(row, Object.keys({ ...row }).sort())).sort();
}
