import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredEvent } from '../../src/domain/event.ts';
import { type House, type HousePlace, openHouse } from '../audit/run-house.ts';
import { sampleIntent, sampleOutcome } from '../audit/sample-events.ts';
import { eventually } from '../support/eventually.ts';

const CHILD = new URL('../audit/house-child.ts', import.meta.url).pathname;

export interface RunPlace extends HousePlace {
  /** What does not fit in the chains that are kept there, in words. */
  faults(): Promise<string[]>;
  remove(): Promise<void>;
}

async function killedInTheMiddle({ directory, databaseUrl }: HousePlace): Promise<void> {
  const place = databaseUrl === undefined ? [directory] : [directory, databaseUrl];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, ...place], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  });
  await once(child.stdout, 'data');
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

/** Time passes, while none of them is at work, until they have closed so many runs. */
async function untilClosed(houses: readonly House[], runs: number): Promise<void> {
  await eventually(`${runs} runs are closed`, async () => {
    if (!houses.some((house) => house.isBusy())) for (const { clock } of houses) await clock.advance(5_000);
    return houses.reduce((sum, { closed }) => sum + closed.length, 0) >= runs;
  });
}

async function eventsOf(house: House, filter: object): Promise<StoredEvent['event'][]> {
  const { events } = await house.record.query(filter, { limit: 100 });
  return events.map(({ event }) => event).toReversed();
}

async function callsBy(house: House): Promise<Record<string, number>> {
  const rows = await house.store.usage.rows('day', { since: 0, until: 1e15 }, {});
  return Object.fromEntries(rows.map(({ operation, outcome, calls }) => [`${operation} ${outcome}`, calls]));
}

/** What gateways promise of the runs of others that died, wherever the record and the store are. */
export function runClosingContract(name: string, open: () => Promise<RunPlace>): void {
  describe(`${name}: runs that died`, () => {
    let place: RunPlace;

    beforeEach(async () => {
      place = await open();
    });

    afterEach(() => place.remove());

    test('what a killed gateway left open reads unknown once, and is counted so; two successors do not both say it', async () => {
      await killedInTheMiddle(place);
      const houses = [await openHouse(place, 'gw-1'), await openHouse(place, 'gw-2')] as const;
      const [one, other] = houses;
      for (const { life } of houses) life.watch();
      await untilClosed(houses, 1);
      const closings = await eventsOf(one, { operation: 'gateway.close' });
      expect(closings).toHaveLength(1);
      expect(closings[0]?.['details']).toEqual({ chain: [...one.closed, ...other.closed][0]?.[0], unknown: 3 });
      const [intent, end, ...more] = await eventsOf(one, { requestId: 'open-1' });
      const { kind, at, targets, ...facts } = intent ?? {};
      expect(end).toMatchObject({ ...facts, kind: 'outcome', result: 'unknown', closes: { seq: expect.any(Number) } });
      expect(end?.['targets']).toEqual(targets);
      expect([end?.['status'], end?.['queueMs'], more]).toEqual([undefined, undefined, []]);
      expect((await eventsOf(one, { requestId: 'act-1' })).map(({ result }) => result)).toEqual([
        'intended',
        'unknown',
      ]);
      expect((await eventsOf(one, { requestId: 'ended-1' })).map(({ kind }) => kind)).toEqual(['intent', 'outcome']);
      // Nothing is left for the next look, of either.
      for (const { clock } of houses) await clock.advance(200_000);
      for (const house of houses) await house.close();
      const last = await openHouse(place);
      expect(await callsBy(last)).toEqual({ 'device.reboot ok': 2, 'device.reboot unknown': 2 });
      expect(
        (await last.store.runs.list()).filter(({ endedAt, closedAt }) => (endedAt ?? closedAt) === undefined),
      ).toEqual([expect.objectContaining({ chain: last.record.chain() })]);
      await last.close();
      expect(await place.faults()).toEqual([]);
    });

    test('a closer that dies over it is succeeded: what it wrote is not written again', async () => {
      const dead = await openHouse(place);
      const ids = Array.from({ length: 40 }, (_, n) => `open-${n}`);
      await Promise.all(ids.map((requestId) => dead.record.intend(sampleIntent({ requestId }))));
      await dead.die();
      const closer = await openHouse(place);
      const { intend } = closer.record;
      let written = 0;
      // Its disk fails in the middle.
      closer.record.intend = async (event) => {
        written += 1;
        if (written > 35) throw new Error('no more');
        return intend(event);
      };
      closer.life.watch();
      await eventually('it fails', async () => {
        await closer.clock.advance(5_000);
        return closer.problems.some((problem) => problem.includes('no more'));
      });
      await closer.die();
      const next = await openHouse(place, 'gw-2');
      next.life.watch();
      await untilClosed([next], 2);
      const ends = (await eventsOf(next, { kind: 'outcome' })).map(({ requestId }) => requestId);
      expect(ends.toSorted()).toEqual(ids.toSorted());
      await next.close();
      const last = await openHouse(place);
      expect(await callsBy(last)).toEqual({ 'device.reboot unknown': 40 });
      await last.close();
    });

    test('a run that lives is not closed, whatever its clock says; one that ended in order is left alone', async () => {
      const ended = await openHouse(place, 'gw-0');
      await ended.record.intend(sampleIntent());
      await ended.close();
      const [lives, looks] = [await openHouse(place, 'gw-1'), await openHouse(place, 'gw-2')];
      await lives.record.intend(sampleIntent());
      // An hour behind, and set back once more while it runs.
      let setBackMs = 3_600_000;
      const { epochMs } = lives.clock;
      lives.clock.epochMs = () => epochMs.call(lives.clock) - setBackMs;
      looks.life.watch();
      for (let n = 0; n < 60; n += 1) {
        if (n === 30) setBackMs *= 2;
        for (const { clock } of [lives, looks]) await clock.advance(5_000);
      }
      expect([looks.closed, looks.problems]).toEqual([[], []]);
      for (const house of [lives, looks]) await house.close();
    });

    test('what ended while the store was away is counted by whoever comes next', async () => {
      const house = await openHouse(place);
      house.record.append(sampleOutcome());
      await eventually('it is durable', () => house.record.health().lagEvents === 0);
      await house.store.close();
      await house.close();
      expect(house.problems.length).toBeGreaterThan(0);
      const next = await openHouse(place);
      next.life.watch();
      await untilClosed([next], 1);
      expect(await callsBy(next)).toEqual({ 'device.list ok': 1 });
      await next.close();
    });
  });
}
