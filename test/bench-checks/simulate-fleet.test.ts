import { describe, expect, test } from '@jest/globals';
import { LIMITER_KINDS } from '../../src/simulator/limit/make-limiter.ts';
import { Random } from '../../src/simulator/random.ts';
import { EventClock } from '../bench/simulate-fleet/event-clock.ts';
import { parseFleetOptions, USAGE } from '../bench/simulate-fleet/options.ts';
import { printReport } from '../bench/simulate-fleet/print-report.ts';
import type { FleetReport } from '../bench/simulate-fleet/report.ts';
import { simulate } from '../bench/simulate-fleet/simulate.ts';
import { Zipf } from '../bench/simulate-fleet/zipf.ts';

const TINY = '--gateways 4 --budgets 3 --apps 3 --callers 400 --seconds 8 --skew 0.5 --limit 50/1s';

function run(args: string): Promise<FleetReport> {
  const command = parseFleetOptions(args.split(' '));
  if (command === 'help') throw new Error('asked for help');
  return simulate(command.options);
}

describe('a fleet in virtual time', () => {
  test.each(LIMITER_KINDS)('%s: four gateways keep three budgets and use most of them', async (kind) => {
    const { refused, budgets, shares, redis } = await run(`${TINY} --kind ${kind} --jitter 0..8`);
    expect({ refused, inDemand: budgets.inDemand }).toEqual({ refused: 0, inDemand: 3 });
    expect(budgets.usedLeast).toBeGreaterThan(0.9);
    expect(budgets.usedOfUsable).toBeGreaterThan(0.95);
    expect(budgets.usedOfUsable).toBeLessThanOrEqual(1.01);
    expect(shares.jainLeast).toBeGreaterThan(0.97);
    expect(redis.gatewaysOfOneBudget).toBe(4);
    expect(redis.asksPerCall).toBeLessThan(0.3);
  });

  test('the same options give the same numbers, another seed gives others', async () => {
    const first = await run(TINY);
    expect(await run(TINY)).toEqual(first);
    const { served, events } = await run(`${TINY} --seed 2`);
    expect([served, events]).not.toEqual([first.served, first.events]);
  });

  test('gateways that do not share are refused by Mason', async () => {
    const { refused, redis } = await run(`${TINY} --unshared`);
    expect(refused).toBeGreaterThan(20);
    expect(redis.asks).toBe(0);
  });

  test('a Redis that is too slow for its asks shows: gateways are cut off', async () => {
    const { redis } = await run(`${TINY} --budgets 20 --redis-cost 1000`);
    expect(redis.busy).toBeGreaterThan(0.9);
    expect(redis.lanesWithoutIt).toBeGreaterThan(0);
  });

  test('calls that nobody else wants wait for one round trip to Redis', async () => {
    const { budgets, shares } = await run(`${TINY} --callers 4 --redis-rtt 10 --redis-cost 0`);
    expect(budgets.inDemand).toBe(0);
    expect(shares.elsewhere.p50Ms).toBeGreaterThan(5);
    expect(shares.elsewhere.p50Ms).toBeLessThan(15);
  });

  test('the report names every number with its unit', async () => {
    const text = printReport(await run(TINY), 1_234);
    expect(text).toMatch(/^429s {12}0 at Mason/m);
    expect(text).toMatch(/^took {12}1\.2 s for 8 s/m);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('the clock of events', () => {
  test('events come in order of their instants, then of their planning; what is cancelled does not come', async () => {
    const clock = new EventClock();
    const came: string[] = [];
    const note = (name: string) => () => came.push(`${name} at ${clock.now()}`);
    for (const at of [5, 3, 9, 1, 7]) clock.at(at, note(String(at)));
    for (const name of ['b', 'a', 'c']) clock.at(3, note(name));
    clock.after(4, note('cancelled'))();
    clock.after(2, () => void Promise.resolve().then(() => clock.after(0, note('promised'))));
    await clock.run(8);
    expect(came).toEqual(['1 at 1', 'promised at 2', '3 at 3', 'b at 3', 'a at 3', 'c at 3', '5 at 5', '7 at 7']);
    expect(clock.now()).toBe(8);
    await clock.run(10);
    expect(came.at(-1)).toBe('9 at 9');
  });

  test('a thousand events of any order come sorted', async () => {
    const clock = new EventClock();
    const came: number[] = [];
    for (let i = 0; i < 1_000; i++) clock.at((i * 7_919) % 1_009, () => came.push(clock.now()));
    await clock.run(2_000);
    expect(came).toHaveLength(1_000);
    expect(came).toEqual(came.toSorted((a, b) => a - b));
  });

  test('what an event throws ends the run', async () => {
    const clock = new EventClock();
    clock.at(1, () => {
      throw new Error('broken');
    });
    await expect(clock.run(2)).rejects.toThrow('broken');
  });
});

test.each([
  [0, [1, 1, 1]],
  [1, [6 / 11, 3 / 11, 2 / 11].map((part) => 3 * part)],
])('a skew of %d: the second has 1/2^skew of what the first has', (skew, expected) => {
  const zipf = new Zipf(3, skew, new Random(1));
  const drawn = [0, 0, 0];
  for (let i = 0; i < 30_000; i++) (drawn[zipf.draw()] as number)++;
  for (const [rank, count] of drawn.entries()) expect(count / 10_000).toBeCloseTo(expected[rank] as number, 1);
});

describe('the command line', () => {
  test.each([
    ['--gateways 0', '--gateways: expected a whole number from 1 to 1000, got "0"'],
    ['--budgets 10001', '--budgets: expected a whole number from 1 to 10000, got "10001"'],
    ['--gateways 5 --reach 6', '--reach: expected a whole number from 1 to 5, got "6"'],
    ['--limit fast', '--limit: expected calls per window like 100/1s, 600/60s or 1000/1h, got "fast"'],
    ['--skew -1', '--skew'],
    ['--skew=x', '--skew: expected a number from 0 to 5, got "x"'],
    ['--jitter 50..0', '--jitter: expected milliseconds like 20 or 20..80'],
    ['--kind leaky', '--kind: expected one of fixed,'],
    ['--depth 5', '--depth: expected --kind token-bucket besides, got sliding-log'],
    ['--gateway 5', "Unknown option '--gateway'"],
  ])('%s is refused by a line that says why', (args, message) => {
    expect(() => parseFleetOptions(args.split(' '))).toThrow(message);
  });

  test('the example in the help is accepted', () => {
    const example = /npm run simulate-fleet -- (--.*)$/m.exec(USAGE)?.[1] as string;
    expect(parseFleetOptions(example.split(' '))).toMatchObject({ options: { gateways: 200, reach: 20 } });
    expect(parseFleetOptions(['--help'])).toBe('help');
  });
});
