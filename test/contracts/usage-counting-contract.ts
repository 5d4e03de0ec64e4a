import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { eventLine } from '../../src/audit/event-line.ts';
import { UsageCounter } from '../../src/audit/usage-counter.ts';
import { UsageRecount } from '../../src/audit/usage-recount.ts';
import { UsageTally } from '../../src/audit/usage-tally.ts';
import type { BatchesWriter, WriterState } from '../../src/audit/writer-protocol.ts';
import type { RecordArchive } from '../../src/domain/archive.ts';
import type { OutcomeEvent } from '../../src/domain/event.ts';
import type { UsageStore } from '../../src/domain/usage.ts';
import type { Store } from '../../src/store/open-store.ts';
import { sampleIntent, sampleOutcome } from '../audit/sample-events.ts';

const AT = 1_790_000_000_000;

type Away = 'before' | 'after' | undefined;

/** Where a record and a store are, for as many gateways as come. */
export interface CountedPlace {
  readonly store: Store;
  readonly archive: RecordArchive;
  /** Of a gateway of this name. */
  openWriter(gatewayId: string, resume: WriterState | undefined): BatchesWriter<WriterState>;
  /** Ends what a writer holds open, as the end of its thread does: it can do nothing more. */
  kill(writer: BatchesWriter<WriterState>): void | Promise<void>;
  remove(): Promise<void>;
}

/** A gateway's writer and counter, with what may befall them; one after the other where threads would be. */
class Play {
  readonly teamId: string;
  readonly ends: OutcomeEvent[] = [];
  readonly #place: CountedPlace;
  readonly #gatewayId: string;
  #away: Away;
  #writer: BatchesWriter<WriterState> | undefined;
  #counter: UsageCounter;
  #heard: WriterState | undefined;
  #batch = 0;

  constructor(place: CountedPlace, n: number) {
    this.#place = place;
    this.teamId = `team-${n}`;
    this.#gatewayId = `gw-${n}`;
    this.#counter = new UsageCounter(this.#flakyStore());
  }

  /** @param isHeard false: the thread dies between the commit and its answer, and the batch is sent again */
  async write(events: readonly Partial<OutcomeEvent>[], isHeard: boolean): Promise<void> {
    const ends = events.map((fields) => sampleOutcome({ ...fields, teamId: this.teamId }));
    const appends = ends.map(eventLine).join('');
    this.ends.push(...ends);
    // As at the start: whether writing is possible.
    if (this.#heard === undefined) await this.#hear(await this.#commit(''));
    this.#batch += 1;
    const state = await this.#commit(appends + eventLine(sampleIntent()));
    if (isHeard) {
      await this.#hear(state);
      return;
    }
    await this.#die();
    // The intent was refused meanwhile: what is sent again is less than what is there.
    await this.#hear(await this.#commit(appends));
  }

  async flush(away: Away): Promise<void> {
    this.#away = away;
    await this.#counter.flush(this.#place.archive).catch(() => undefined);
    this.#away = undefined;
  }

  /** Another gateway takes this one for dead, while it lives. */
  async countByAnother(): Promise<void> {
    for (const { chain, gatewayId } of await this.#place.archive.chains()) {
      if (gatewayId !== this.#gatewayId) continue;
      const recount = await UsageRecount.begin(this.#place.store.usage, chain);
      for await (const batch of this.#place.archive.batches(chain, 0)) await recount.see(batch);
      await recount.end();
    }
  }

  async crash(): Promise<void> {
    await this.#die();
    this.#heard = undefined;
    this.#batch = 0;
    this.#counter = new UsageCounter(this.#flakyStore());
  }

  async #die(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer !== undefined) await this.#place.kill(writer);
  }

  async #commit(text: string): Promise<WriterState> {
    this.#writer ??= this.#place.openWriter(this.#gatewayId, this.#heard);
    return await this.#writer.write(this.#batch, text);
  }

  async #hear(state: WriterState): Promise<void> {
    this.#heard = state;
    this.#counter.hear(`${this.#gatewayId}/${state.run}`, state.head.batch, this.#writer?.tally.take());
    await this.#writer?.rest();
  }

  #flakyStore(): UsageStore {
    const { usage } = this.#place.store;
    return {
      ...usage,
      add: async (...given) => {
        if (this.#away === 'before') throw new Error('the store is away');
        const reached = await usage.add(...given);
        if (this.#away === 'after') throw new Error('the answer got lost');
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

/**
 * What usage says of what is on record, wherever both are.
 *
 * @param numRuns sequences of events that are tried
 */
export function usageCountingContract(name: string, open: () => Promise<CountedPlace>, numRuns: number): void {
  describe(`${name}: usage`, () => {
    let place: CountedPlace;
    let plays = 0;

    beforeAll(async () => {
      place = await open();
    });

    afterAll(() => place.remove());

    test('usage is what the record says, whatever fails between a call and its count, and whoever counts', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(someStep, { minLength: 4, maxLength: 14 }), async (steps) => {
          const play = new Play(place, ++plays);
          for (const step of steps) {
            if (step[0] === 'write') await play.write(step[1], step[2]);
            else if (step[0] === 'flush') await play.flush(step[1]);
            else if (step[0] === 'another') await play.countByAnother();
            else await play.crash();
          }
          await play.flush(undefined);
          await play.crash();
          await play.countByAnother();
          const truth = new UsageTally();
          for (const end of play.ends) truth.add(JSON.parse(eventLine(end)));
          const rows = await place.store.usage.rows('minute', { since: 0, until: 1e15 }, { teamIds: [play.teamId] });
          expect(sorted(rows.map(({ at, ...sums }) => ({ minute: at, ...sums })))).toEqual(sorted(truth.take() ?? []));
        }),
        { numRuns },
      );
    });

    test('a store that is away for long holds no more than a bound, and the record is counted instead', async () => {
      const play = new Play(place, ++plays);
      for (let n = 0; n < 3; n += 1) {
        await play.write(
          Array.from({ length: 2_000 }, (_, each) => ({ at: AT, operation: `operation-${n}-${each}` })),
          true,
        );
        await play.flush('before');
      }
      await play.flush(undefined);
      const rows = await place.store.usage.rows('day', { since: 0, until: 1e15 }, { teamIds: [play.teamId] });
      expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(6_000);
    });
  });
}

function sorted(rows: readonly object[]): string[] {
  return rows.map((row) => JSON.stringify(row, Object.keys({ ...row }).sort())).sort();
}
