import { describe, expect, test } from '@jest/globals';
import { type LimiterKind, makeLimiter } from '../../../src/simulator/limit/make-limiter.ts';
import { LearningFleet } from './learning-fleet.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const IDS = ['a', 'b', 'c', 'd'] as const;

/** Gateways, four unless it is said otherwise, and a line of calls at each. */
async function startFour(
  kind: LimiterKind,
  calls = 60,
  windowMs = SECOND,
  ids: readonly string[] = IDS,
): Promise<LearningFleet> {
  const depth = kind === 'token-bucket' ? Math.max(8, Math.ceil(calls / 10)) : undefined;
  const fleet = new LearningFleet(makeLimiter(kind, calls, windowMs, depth));
  await fleet.start(...ids);
  for (const id of ids) fleet.keepBusy(id, 8);
  return fleet;
}

function one<T>(values: readonly T[]): T {
  for (const value of values) expect(value).toEqual(values[0]);
  return values[0] as T;
}

describe('four gateways learn one limit together', () => {
  test.each<LimiterKind>(['fixed', 'token-bucket'])(
    '60/s, judged by %s, is found within a minute; halved, it is followed within ten seconds',
    async (kind) => {
      const fleet = await startFour(kind);
      await fleet.clock.run(2 * MINUTE);
      expect(fleet.taken(MINUTE, 2 * MINUTE) / 60).toBeGreaterThan(0.9 * 60);
      expect(fleet.refused(0)).toBeLessThanOrEqual(20);
      expect(fleet.refused(0)).toBeGreaterThan(0);
      fleet.judge = makeLimiter(kind, 30, SECOND, kind === 'token-bucket' ? 8 : undefined);
      await fleet.clock.run(3 * MINUTE);
      expect(fleet.refused(2 * MINUTE, 2 * MINUTE + 10 * SECOND)).toBeLessThanOrEqual(25);
      expect(fleet.refused(2 * MINUTE + 10 * SECOND)).toBeLessThanOrEqual(3);
      expect(fleet.taken(2 * MINUTE + 10 * SECOND, 3 * MINUTE) / 50).toBeGreaterThan(0.65 * 30);
      expect(fleet.failed).toEqual([]);
    },
  );

  test('a spread that is given holds at each of them at once, and none goes back to its own', async () => {
    const fleet = await startFour('sliding-log');
    await fleet.clock.run(20 * SECOND);
    await fleet.follow(undefined, 60);
    for (let at = 21; at <= 30; at++) {
      await fleet.clock.run(at * SECOND);
      expect(fleet.shown().map((shown) => shown?.spreadMs)).toEqual([60, 60, 60, 60]);
    }
    one(fleet.shown().map((shown) => shown?.limit));
    await fleet.follow(undefined);
    await fleet.clock.run(31 * SECOND);
    expect(fleet.shown().map((shown) => shown?.spreadMs)).toEqual([10, 10, 10, 10]);
    expect(fleet.failed).toEqual([]);
  });

  test('a spread that is given is a tenth of the learnt window at most, at each of them, and the limit is found beside it', async () => {
    const fleet = await startFour('sliding-log');
    await fleet.follow(undefined, 400);
    await fleet.clock.run(50 * SECOND);
    for (let at = 51; at <= 55; at++) {
      await fleet.clock.run(at * SECOND);
      expect(fleet.shown().map((shown) => shown?.spreadMs)).toEqual([100, 100, 100, 100]);
    }
    expect(one(fleet.shown().map((shown) => shown?.limit))).toMatchObject({ windowMs: SECOND });
    expect(fleet.shown()[0]?.limit.calls).toBeGreaterThan(54);
    expect(fleet.failed).toEqual([]);
  });

  test('600/60s is used whole', async () => {
    const fleet = await startFour('sliding-log', 600, MINUTE);
    await fleet.clock.run(6 * MINUTE);
    expect(fleet.refused(0)).toBeLessThanOrEqual(20);
    expect(fleet.taken(3 * MINUTE, 6 * MINUTE) / (3 * 600)).toBeGreaterThan(0.9);
    expect(fleet.failed).toEqual([]);
  });

  test('1000/1h is raced into once by two of them, and used evenly from then on', async () => {
    const fleet = await startFour('sliding-log', 1_000, 60 * MINUTE, ['a', 'b']);
    await fleet.clock.run(75 * MINUTE);
    expect(fleet.refused(0)).toBeGreaterThan(0);
    expect(fleet.refused(0)).toBeLessThanOrEqual(20);
    expect(fleet.taken(63 * MINUTE, 75 * MINUTE) / (1_000 / 5)).toBeGreaterThan(0.85);
    expect(one(fleet.shown().map((shown) => shown?.learning?.levels[0]?.windowMs))).toBe(60 * MINUTE);
  });
});

describe('what four gateways know of a limit', () => {
  test('is the same at each, whoever was asked', async () => {
    const fleet = await startFour('sliding-log');
    await fleet.clock.run(70 * SECOND);
    const { limit, learning } = one(
      fleet.shown().map((shown) => ({
        limit: shown?.limit,
        learning: { ...shown?.learning, probesAt: 0, refusals: shown?.learning?.refusals.map(({ taken }) => taken) },
      })),
    );
    expect(limit?.calls).toBeGreaterThan(54);
    expect(learning).toMatchObject({ mode: 'holding', refusalsSeen: fleet.refused(0), refusals: [expect.anything()] });
    expect(learning.levels?.[0]).toMatchObject({ from: 'learnt', windowMs: 1_000 });
  });

  test('is not changed by one that comes and knows less', async () => {
    const fleet = await startFour('sliding-log');
    await fleet.clock.run(70 * SECOND);
    const before = fleet.shown()[0]?.limit;
    fleet.loseStore();
    await fleet.start('0');
    fleet.keepBusy('0', 8);
    await fleet.clock.run(70 * SECOND + 300);
    expect(one(fleet.shown().map((shown) => shown?.limit))).toEqual(before);
    expect(one(fleet.shown().map((shown) => shown?.learning?.refusalsSeen))).toBe(fleet.refused(0));
    for (const id of IDS) fleet.kill(id);
    await fleet.clock.run(80 * SECOND);
    expect(fleet.learner).toBe('0');
    expect(fleet.shown()[0]?.limit).toEqual(before);
  });

  test('outlives the one that learns: another goes on within its lease, and nobody is refused for it', async () => {
    const fleet = await startFour('sliding-log');
    await fleet.clock.run(70 * SECOND);
    expect(fleet.learner).toBe('a');
    const before = fleet.shown()[1]?.learning?.levels;
    fleet.kill('a');
    await fleet.clock.run(73 * SECOND);
    expect(fleet.learner).toBe('b');
    await fleet.start('a');
    fleet.keepBusy('a', 8);
    await fleet.clock.run(90 * SECOND);
    // Whoever learns goes on, so that nothing is lost when a smaller one comes.
    expect(fleet.learner).toBe('b');
    expect(one(fleet.shown().map((shown) => shown?.learning?.levels))).toEqual(before);
    expect(fleet.refused(70 * SECOND)).toBe(0);
    fleet.judge = makeLimiter('sliding-log', 30, SECOND);
    await fleet.clock.run(2 * MINUTE);
    expect(fleet.refused(100 * SECOND)).toBeLessThanOrEqual(3);
    expect(fleet.taken(100 * SECOND, 2 * MINUTE) / 20).toBeGreaterThan(0.65 * 30);
  });

  test.each([true, false])(
    'outlives a restart of all (Redis keeps its keys: %s): nobody is refused for it',
    async (keeps) => {
      const fleet = await startFour('sliding-log');
      await fleet.clock.run(70 * SECOND);
      for (const id of IDS) await fleet.stop(id);
      await fleet.clock.run(72 * SECOND);
      if (!keeps) fleet.flush();
      await fleet.start(...IDS);
      for (const id of IDS) fleet.keepBusy(id, 8);
      await fleet.clock.run(100 * SECOND);
      expect(fleet.refused(70 * SECOND)).toBe(0);
      expect(fleet.taken(75 * SECOND, 100 * SECOND) / 25).toBeGreaterThan(0.88 * 60);
    },
  );

  test('while Redis is away each goes on with its part, nothing is learnt, and afterwards all goes on', async () => {
    const fleet = await startFour('sliding-log');
    await fleet.clock.run(70 * SECOND);
    const before = one(fleet.shown().map((shown) => shown?.learning?.levels));
    fleet.isRedisThere = false;
    await fleet.clock.run(110 * SECOND);
    expect(fleet.taken(80 * SECOND, 110 * SECOND) / 30).toBeGreaterThan(0.75 * 60);
    expect(fleet.shown().map((shown) => shown?.learning?.levels)).toEqual(IDS.map(() => before));
    fleet.isRedisThere = true;
    await fleet.clock.run(130 * SECOND);
    expect(fleet.taken(115 * SECOND, 130 * SECOND) / 15).toBeGreaterThan(0.9 * 60);
    expect(fleet.refused(70 * SECOND)).toBe(0);
  });

  test('once forgotten is forgotten by all, and learnt anew; a limit that is given holds at once', async () => {
    const fleet = await startFour('sliding-log');
    await fleet.clock.run(70 * SECOND);
    await fleet.forget();
    await fleet.clock.run(71 * SECOND);
    const { mode, refusalsSeen } = one(
      fleet.shown().map((shown) => ({ mode: shown?.learning?.mode, refusalsSeen: shown?.learning?.refusalsSeen })),
    );
    expect({ mode, refusalsSeen }).toEqual({ mode: 'searching', refusalsSeen: 0 });
    expect(fleet.taken(72 * SECOND, 76 * SECOND) / 4).toBeLessThan(12);
    await fleet.follow({ calls: 50, windowMs: SECOND });
    await fleet.clock.run(90 * SECOND);
    expect(one(fleet.shown().map((shown) => shown?.limit))).toEqual({ calls: 50, windowMs: SECOND });
    expect(fleet.taken(80 * SECOND, 90 * SECOND) / 10).toBeGreaterThan(0.94 * 50);
    await fleet.follow(undefined);
    await fleet.clock.run(95 * SECOND);
    expect(one(fleet.shown().map((shown) => shown?.learning?.mode))).toBe('searching');
  });
});

test('a gateway that sees all the refusals tells the one that learns', async () => {
  const fleet = new LearningFleet(makeLimiter('sliding-log', 20, SECOND, undefined));
  await fleet.start('a', 'b');
  fleet.keepBusy('a', 1);
  await fleet.clock.run(SECOND);
  expect(fleet.learner).toBe('a');
  fleet.keepBusy('b', 30);
  await fleet.clock.run(MINUTE);
  expect(fleet.taken(40 * SECOND, MINUTE) / 20).toBeGreaterThan(0.85 * 20);
  expect(one(fleet.shown().map((shown) => shown?.learning?.refusalsSeen))).toBe(fleet.refused(0));
});
