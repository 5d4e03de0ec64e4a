import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openStore } from '../../src/store/open-store.ts';
import { eventually } from '../support/eventually.ts';
import { openHouse } from './run-house.ts';
import { sampleIntent } from './sample-events.ts';
import { scratchDirectory } from './scratch-directory.ts';

const DAY_MS = 86_400_000;

test('a run that ended long ago is forgotten with its count, unless something of it is on record or it never ended', async () => {
  using scratch = scratchDirectory('memory');
  const earlier = await openHouse({ directory: scratch.path });
  await earlier.record.intend(sampleIntent());
  const onRecord = String(earlier.record.chain());
  await earlier.die();
  const house = await openHouse({ directory: scratch.path });
  const { runs, usage } = house.store;
  const daysAgo = (days: number): number => house.clock.epochMs() - days * DAY_MS;
  await runs.end(onRecord, daysAgo(31));
  for (const [chain, days] of [
    ['gw-0/long-ago', 31],
    ['gw-0/lately', 29],
    ['gw-0/died', 31],
  ] as const) {
    await runs.beat({ chain, gatewayId: 'gw-0' }, daysAgo(days));
    await usage.add([], { chain, batch: 7 });
    if (chain !== 'gw-0/died') await runs.end(chain, daysAgo(days));
  }
  const known = async (): Promise<string[]> => (await runs.list()).map(({ chain }) => chain).toSorted();
  const rest = ['gw-0/died', 'gw-0/lately', onRecord, String(house.record.chain())].toSorted();
  // A record that is elsewhere for the moment says nothing about what is kept.
  const audit = join(scratch.path, 'audit');
  renameSync(audit, `${audit}-away`);
  house.life.watch();
  await house.clock.advance(3_600_000);
  expect(await known()).toContain('gw-0/long-ago');
  // The run may have gone on meanwhile, in a directory of that name made anew.
  mkdirSync(audit, { recursive: true });
  for (const name of readdirSync(`${audit}-away`)) renameSync(join(`${audit}-away`, name), join(audit, name));
  await house.clock.advance(3_600_000);
  await eventually('it is forgotten', async () => !(await known()).includes('gw-0/long-ago'));
  expect(await known()).toEqual(rest);
  expect(await Promise.all(['gw-0/long-ago', 'gw-0/lately'].map((chain) => usage.countedTo(chain)))).toEqual([-1, 7]);
  await house.close();
});

test('a clock that stands ten years ahead takes neither usage by the hour nor what is known of runs, but six hours’ worth', async () => {
  using scratch = scratchDirectory('memory');
  const house = await openHouse({ directory: scratch.path });
  const { runs, usage, positions } = house.store;
  const right = house.clock.epochMs();
  const minute = right - 80 * DAY_MS;
  const none = { calls: 1, attempts: 0, bytesIn: 0, bytesOut: 0, queueMs: [], masonMs: [], gatewayMs: [] };
  const key = { teamId: 'team_1', callerId: 'app_1', operation: 'device.list', outcome: 'ok' as const };
  await usage.add([{ ...key, ...none, minute: minute - (minute % 60_000) }], { chain: 'gw-0/lately', batch: 7 });
  await runs.beat({ chain: 'gw-0/lately', gatewayId: 'gw-0' }, right - 29 * DAY_MS);
  await runs.end('gw-0/lately', right - 29 * DAY_MS);
  const date = async (): Promise<number> => Number(await positions.get('usage.date'));
  house.life.watch();
  await eventually('it has looked', async () => (await date()) === right);
  house.clock.epochMs = () => right + 3_650 * DAY_MS;
  await house.clock.advance(3_600_000);
  await eventually('it has looked again', async () => (await date()) > right);
  expect(await date()).toBe(right + 6 * 3_600_000);
  // Nor does one that starts again and again, or several of them.
  const again = await openHouse({ directory: scratch.path }, 'gw-2');
  again.clock.epochMs = house.clock.epochMs;
  again.life.watch();
  await again.close();
  expect(await date()).toBe(right + 6 * 3_600_000);
  await house.close();
  await using store = await openStore({ file: join(scratch.path, 'gateway.db') });
  expect(await store.usage.rows('hour', { since: 0, until: right }, {})).toHaveLength(1);
  expect(await store.usage.countedTo('gw-0/lately')).toBe(7);
});
