import { expect, test } from '@jest/globals';
import type { PrunePlan, RetentionPolicy } from '../../../src/audit/retention/record-pruner.ts';
import { Retention } from '../../../src/audit/retention/retention.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const POLICY: RetentionPolicy = { days: 90, teams: { shop: { days: 30 } } };

/** A record of an event an hour, of all teams, and gateways whose clock stands so far ahead of the right time. */
class World {
  readonly #positions = new Map<string, string>();
  readonly problems: string[] = [];
  readonly #hours = new VirtualClock();
  now = Date.parse('2026-06-01T00:00:00Z');
  aheadMs = 0;
  /** How often a gateway looked what goes. */
  looks = 0;
  failure: Error | undefined;
  #events: number[] = [];
  /** Of the team `shop`: from then on its events have bytes. */
  #bytesSince = 0;

  constructor() {
    this.live(120);
  }

  /** Time passes, and so much is written. */
  live(days: number): void {
    for (const end = this.now + days * DAY_MS; this.now < end; this.now += HOUR_MS) this.#events.push(this.now);
  }

  get count(): number {
    return this.#events.length;
  }

  get oldestDays(): number {
    return (this.now - Number(this.#events[0])) / DAY_MS;
  }

  get bytesDays(): number {
    return (this.now - Math.max(this.#bytesSince, Number(this.#events[0]))) / DAY_MS;
  }

  gateway(aheadMs: () => number = () => this.aheadMs): Retention {
    const plan: PrunePlan = { going: [], saidAgain: [], bytes: 0, heldBack: [] };
    const going = [{ chain: 'gw-1/a', firstSeq: 1, lastSeq: 9, taken: 'events' as const, events: 9 }];
    const retention = new Retention({
      policy: POLICY,
      pruner: {
        plan: async () => {
          this.looks += 1;
          if (this.failure !== undefined) throw this.failure;
          return { ...plan, going };
        },
        carryOut: async ({ before = 0, teams }) => {
          this.#events = this.#events.filter((at) => at >= before);
          this.#bytesSince = Math.max(this.#bytesSince, ...teams.map((team) => team.before));
          return 0;
        },
      },
      record: { intend: async () => undefined },
      positions: {
        get: async (name) => this.#positions.get(name),
        set: async (name, value) => void this.#positions.set(name, value),
      },
      clock: {
        now: () => this.#hours.now(),
        after: (delayMs, callback) => this.#hours.after(delayMs, callback),
        epochMs: () => this.now + aheadMs(),
      },
      undelivered: async () => [],
      onPruned: () => undefined,
      onProblem: (problem) => this.problems.push(problem),
    });
    retention.start();
    return retention;
  }

  async pass(hours: number): Promise<void> {
    for (let hour = 0; hour < hours; hour += 1) {
      this.live(1 / 24);
      await this.#hours.advance(HOUR_MS);
    }
  }
}

test('a clock that stands ten years ahead takes six hours in an hour, three days in a night, and is told of', async () => {
  const world = new World();
  const retention = world.gateway();
  await world.pass(1);
  expect([world.oldestDays, world.bytesDays]).toEqual([90, 30]);
  world.aheadMs = 3_650 * DAY_MS;
  await world.pass(1);
  expect([world.oldestDays, world.bytesDays]).toEqual([90 - 5 / 24, 30 - 5 / 24]);
  expect(world.problems).toEqual([
    expect.stringMatching(/^the clock is 3649 days ahead .* set the clock if it is wrong/),
  ]);
  await world.pass(11);
  expect(world.oldestDays).toBe(90 - (12 * 5) / 24);
  // A gateway that starts anew with the wrong clock goes on there.
  await retention.close();
  const next = world.gateway();
  await world.pass(1);
  expect(world.oldestDays).toBe(90 - (13 * 5) / 24);
  world.aheadMs = 0;
  world.problems.length = 0;
  await world.pass(100);
  expect([world.oldestDays, world.bytesDays, world.problems]).toEqual([90, 30, []]);
  await next.close();
});

test('a disk that fails under a pass ends no gateway: it is told, and the next hour tries again', async () => {
  const world = new World();
  const retention = world.gateway();
  world.failure = Object.assign(new Error('EIO: i/o error, unlink'), { code: 'EIO' });
  await world.pass(2);
  expect(world.problems).toEqual(Array(2).fill('the record could not be pruned: EIO: i/o error, unlink'));
  world.failure = undefined;
  await world.pass(1);
  expect(world.oldestDays).toBe(90);
  await retention.close();
});

test('of several gateways one looks, once an hour', async () => {
  const world = new World();
  const gateways = [world.gateway(), world.gateway(), world.gateway()];
  await world.pass(5);
  expect(world.looks).toBe(5);
  await Promise.all(gateways.map((each) => each.close()));
});

test('of several gateways one whose clock is ahead takes six hours, however long that lasts', async () => {
  const world = new World();
  const right = world.gateway();
  await world.pass(1);
  const wrong = world.gateway(() => 3_650 * DAY_MS);
  await world.pass(48);
  expect(world.oldestDays).toBeGreaterThanOrEqual(90 - 6 / 24);
  await Promise.all([right.close(), wrong.close()]);
});

test('a gateway that was off for a month prunes on its return: within a week, or at once when a person asks', async () => {
  const world = new World();
  const early = world.gateway();
  await world.pass(1);
  await early.close();
  world.now += 30 * DAY_MS;
  const late = world.gateway();
  await world.pass(1);
  expect(world.oldestDays).toBeLessThan(120);
  expect(world.problems).toHaveLength(1);
  await world.pass(6 * 24);
  expect([world.oldestDays, world.problems.at(-1)]).toEqual([90, expect.stringMatching(/^the clock is 1 days ahead/)]);
  await late.close();
  world.now += 30 * DAY_MS;
  const next = world.gateway();
  await next.prune({ kind: 'operator' }, 'request-1');
  expect(world.oldestDays).toBe(90);
  // The clock has been said to be right: nothing lags behind it any more.
  world.problems.length = 0;
  await world.pass(1);
  expect([world.oldestDays, world.problems]).toEqual([90, []]);
  await next.close();
});

test('a gateway that is off every night keeps up', async () => {
  const world = new World();
  for (let day = 0; day < 20; day += 1) {
    const retention = world.gateway();
    await world.pass(8);
    await retention.close();
    world.live(16 / 24);
  }
  const retention = world.gateway();
  await world.pass(4);
  expect([world.oldestDays, world.problems]).toEqual([90, []]);
  await retention.close();
});
