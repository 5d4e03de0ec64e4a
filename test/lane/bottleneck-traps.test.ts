import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import { GatewayError } from '../../src/domain/errors.ts';
import type { Lane, LaneSettings } from '../../src/domain/lane.ts';
import { BottleneckLane } from '../../src/lane/bottleneck-lane.ts';
import { RedisClient } from '../../src/redis/redis-client.ts';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const SETTINGS: LaneSettings = {
  budgetId: 'budget-1',
  limit: { calls: 100, windowMs: 1_000 },
  burst: undefined,
  spreadMs: 10,
  waitingCallsMax: 10_000,
  waitingBytesMax: 1_000_000,
  pauseMsMax: 60_000,
};

const stays = new AbortController().signal;
const stack: (() => unknown)[] = [];

const stalls = monitorEventLoopDelay({ resolution: 1 });

beforeEach(() => {
  stalls.reset();
  stalls.enable();
});

afterEach(async () => {
  stalls.disable();
  jest.restoreAllMocks();
  for (const end of stack.splice(0).reverse()) await end();
});

async function startRedis(): Promise<RedisServer> {
  const server = await RedisServer.start();
  stack.push(() => server[Symbol.asyncDispose]());
  return server;
}

/** A gateway of its own, as far as Redis can tell. */
function open(server: RedisServer, settings: Partial<LaneSettings> = {}, port = server.port): Lane {
  const redis = new RedisClient({ settings: server.settings({ port }), clock: systemClock, onProblem: () => {} });
  stack.push(() => redis[Symbol.dispose]());
  const lane = new BottleneckLane({ ...SETTINGS, ...settings }, systemClock, redis);
  stack.push(() => lane.close());
  return lane;
}

/** Sends one call; what became of it, and when, is written down. */
async function send(lane: Lane, log: (number | string)[], waitMs = 120_000): Promise<void> {
  try {
    using place = lane.join({
      appId: 'app',
      weight: 1,
      urgency: 3,
      deadlineAt: systemClock.now() + waitMs,
      heldBytes: 10,
    });
    (await place.turn(stays)).sent();
    log.push(systemClock.now());
  } catch (error) {
    log.push(error instanceof GatewayError ? error.code : String(error));
  }
}

const sendMany = (lane: Lane, log: (number | string)[], count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, () => send(lane, log)));

/**
 * An exact sliding log, as Mason may have one. The library's timers cannot do better than the processor lets them: by as much
 * as this process stood still, and Redis may have, a window is longer.
 */
function expectWithinBudget(log: readonly (number | string)[]): void {
  const { calls, windowMs } = SETTINGS.limit;
  const at = log.map(Number).sort((a, b) => a - b);
  const stoodStillMs = stalls.max / 1e6 + 50;
  let most = 0;
  for (let first = 0, last = 0; last < at.length; last++) {
    while ((at[last] as number) - (at[first] as number) >= windowMs) first++;
    most = Math.max(most, last - first + 1);
  }
  expect(most).toBeLessThanOrEqual((calls * (windowMs + stoodStillMs)) / windowMs);
}

const goesThrough = async (lane: Lane): Promise<void> => {
  const log: (number | string)[] = [];
  await send(lane, log);
  expect(log).toEqual([expect.any(Number)]);
};

describe('one budget over several gateways, engine bottleneck', () => {
  test('two gateways together keep to the budget in every window, and use most of it', async () => {
    const server = await startRedis();
    const lanes = [open(server), open(server)];
    for (const lane of lanes) await goesThrough(lane);
    const log: (number | string)[] = [];
    const from = systemClock.now();
    await Promise.all(lanes.map((lane) => sendMany(lane, log, 100)));
    expectWithinBudget(log);
    expect(systemClock.now() - from).toBeGreaterThan(1_500);
    expect(lanes[0]?.stats()).toMatchObject({ mode: 'shared', sent: 101, waiting: 0 });
  });

  test('each of two gateways that both have calls waiting gets its part', async () => {
    const server = await startRedis();
    const [one, other] = [open(server), open(server)];
    const [first, second]: (number | string)[][] = [[], []];
    await Promise.all([send(one, []), send(other, [])]);
    void sendMany(one, first as (number | string)[], 200);
    void sendMany(other, second as (number | string)[], 200);
    await eventually('half of them went', () => (first?.length ?? 0) + (second?.length ?? 0) >= 100);
    expect(Math.min(first?.length ?? 0, second?.length ?? 0)).toBeGreaterThan(30);
  });

  test('a pause that one gateway learns of holds for the other, at once', async () => {
    const server = await startRedis();
    const [one, other] = [open(server), open(server)];
    await Promise.all([goesThrough(one), goesThrough(other)]);
    one.pause(5_000);
    await eventually('the other pauses', () => other.stats().pausedUntil > systemClock.now() + 3_000);
    expect(other.share('app', 1).remaining).toBe(0);
  });
});

describe('the traps of Bottleneck', () => {
  test('1: what Redis kept of the budget vanishes, and calls go on, those that wait in their places', async () => {
    const server = await startRedis();
    const [one, other] = [open(server), open(server)];
    await Promise.all([goesThrough(one), goesThrough(other)]);
    const log: (number | string)[] = [];
    const waiting = [sendMany(one, log, 50), sendMany(other, log, 50)];
    await eventually('some went', () => log.length > 10);
    await server.flush();
    await Promise.all(waiting);
    expect(log.filter((each) => typeof each === 'string')).toEqual([]);
    expectWithinBudget(log);
  });

  test('1: Redis is killed and starts empty under load: nobody goes meanwhile, nobody is lost', async () => {
    const server = await startRedis();
    const lane = open(server);
    await goesThrough(lane);
    const log: (number | string)[] = [];
    const waiting = sendMany(lane, log, 60);
    await eventually('some went', () => log.length > 10);
    await server.kill();
    await eventually('it is silent', () => lane.stats().mode === 'silent');
    const before = log.length;
    await sleep(300);
    expect(log).toHaveLength(before);
    await server.restart();
    await waiting;
    expect(log.filter((each) => typeof each === 'string')).toEqual([]);
    expect(lane.stats().mode).toBe('shared');
  });

  test('2: a gateway that was silent for long is unknown to Redis, and is used again', async () => {
    const server = await startRedis();
    const lane = open(server);
    await goesThrough(lane);
    const key = 'test:b_test:{budget:budget-1}:limiter_client_last_seen';
    expect(await server.command('ZCARD', key)).toBe(1);
    await server.command('DEL', key);
    await goesThrough(lane);
  });

  test('3: Redis is absent at the start: calls wait, keep to their deadlines, and go once it is there', async () => {
    const server = await startRedis();
    await server.kill();
    const lane = open(server);
    const log: (number | string)[] = [];
    const waiting = send(lane, log);
    await send(lane, log, 100);
    expect(log).toEqual(['deadline_unreachable']);
    expect(lane.stats()).toMatchObject({ mode: 'silent', waiting: 1 });
    await server.restart();
    await waiting;
    expect(log[1]).toEqual(expect.any(Number));
  });

  test('3: Redis is frozen under load: a call under way finishes, and those that wait go afterwards', async () => {
    const server = await startRedis();
    const lane = open(server);
    using place = lane.join({ appId: 'app', weight: 1, urgency: 3, deadlineAt: 1e12, heldBytes: 1 });
    const turn = await place.turn(stays);
    server.freeze();
    const log: (number | string)[] = [];
    const waiting = sendMany(lane, log, 10);
    await eventually('it is silent', () => lane.stats().mode === 'silent');
    turn.sent();
    server.thaw();
    await waiting;
    expect(log.filter((each) => typeof each === 'string')).toEqual([]);
  });

  test('3: one gateway is cut off: it is silent, the other is not, and both go on together', async () => {
    const server = await startRedis();
    const proxy = await TcpProxy.before(server.port);
    stack.push(() => proxy[Symbol.asyncDispose]());
    const [cut, whole] = [open(server, {}, proxy.port), open(server)];
    await Promise.all([goesThrough(cut), goesThrough(whole)]);
    proxy.cut();
    const log: (number | string)[] = [];
    const waiting = send(cut, log);
    await goesThrough(whole);
    expect(cut.stats()).toMatchObject({ mode: 'silent', waiting: 1 });
    proxy.mend();
    await waiting;
    expect(log).toEqual([expect.any(Number)]);
    await goesThrough(whole);
  });

  test('3: a network that is 100 ms slow costs time, not the budget', async () => {
    const server = await startRedis();
    const proxy = await TcpProxy.before(server.port);
    stack.push(() => proxy[Symbol.asyncDispose]());
    proxy.delayMs = 100;
    const [slow, near] = [open(server, {}, proxy.port), open(server)];
    const log: (number | string)[] = [];
    await Promise.all([sendMany(slow, log, 10), sendMany(near, log, 60)]);
    expect(log.filter((each) => typeof each === 'string')).toEqual([]);
    expectWithinBudget(log);
  });

  test('4: however many wait, two grants at most are booked: who comes late and is urgent goes before', async () => {
    const server = await startRedis();
    const lane = open(server, { limit: { calls: 10, windowMs: 1_000 } });
    await goesThrough(lane);
    const log: (number | string)[] = [];
    void sendMany(lane, log, 50);
    await eventually('grants are booked', async () => (await running(server)) > 0);
    expect(await running(server)).toBeLessThanOrEqual(2);
    using urgent = lane.join({ appId: 'app', weight: 1, urgency: 0, deadlineAt: 1e12, heldBytes: 1 });
    await urgent.turn(stays);
    expect(log.length).toBeLessThan(10);
  });

  test('4: a hundred callers who leave book nothing: the one who stays goes next', async () => {
    const server = await startRedis();
    const lane = open(server, { limit: { calls: 10, windowMs: 1_000 } });
    await goesThrough(lane);
    const leaver = new AbortController();
    const places = Array.from({ length: 100 }, () =>
      lane.join({ appId: 'app', weight: 1, urgency: 3, deadlineAt: 1e12, heldBytes: 1 }),
    );
    for (const place of places) place.turn(leaver.signal).catch(() => {});
    const log: (number | string)[] = [];
    const stayed = send(lane, log);
    leaver.abort();
    const from = systemClock.now();
    await stayed;
    expect(Number(log[0]) - from).toBeLessThan(2_000);
  });

  test('5: a gateway dies with a grant booked: its row and its slot are gone after a while', async () => {
    const server = await startRedis();
    const lane = open(server, { limit: { calls: 1, windowMs: 60_000 } });
    await goesThrough(lane);
    void send(lane, []);
    await eventually('it is booked', async () => (await running(server)) === 1);
    // What it has running ends by itself in Redis, whoever asks next: no limit on what runs is ever filled by the dead.
    const expirations = 'test:b_test:{budget:budget-1}:limiter_job_expirations';
    await eventually('it will expire', async () => (await server.command('ZCARD', expirations)) === 1);
    const booked = (await server.command('ZRANGE', expirations, 0, -1, 'WITHSCORES')) as unknown[];
    const [grant, expiresAt] = booked.flat() as [string, string];
    expect(Number(expiresAt) - Date.now()).toBeLessThanOrEqual(5_000);
    await server.command('ZADD', expirations, 1, grant);
    void send(open(server, { limit: { calls: 1, windowMs: 60_000 } }), [], 1e9);
    await eventually('only that of the living runs', async () => {
      const left = (await server.command('ZRANGE', expirations, 0, -1)) as string[];
      return left.length === 1 && left[0] !== grant && (await running(server)) === 1;
    });
  });

  test('6: the first gateway wrote another limit: the pace is that of the last who said', async () => {
    const server = await startRedis();
    const slow = open(server, { limit: { calls: 1, windowMs: 60_000 } });
    await eventually('it is ready', () => slow.stats().mode === 'shared');
    const lane = open(server);
    const log: (number | string)[] = [];
    await sendMany(lane, log, 20);
    expect(log.filter((each) => typeof each === 'string')).toEqual([]);
    expect(Number(log.at(-1)) - Number(log[0])).toBeLessThan(8_000);
  });

  test('6: another limit comes while Redis is still being asked for the first: it holds all the same', async () => {
    const lane = open(await startRedis(), { limit: { calls: 1, windowMs: 60_000 } });
    lane.retune({ limit: SETTINGS.limit, burst: undefined, spreadMs: 10 });
    const log: (number | string)[] = [];
    await sendMany(lane, log, 20);
    expect(log.filter((each) => typeof each === 'string')).toEqual([]);
    expect(Number(log.at(-1)) - Number(log[0])).toBeLessThan(8_000);
  });

  test.each([3_600_000, -3_600_000])(
    '7 and 12: the clock of this machine jumps by %d ms: nothing changes',
    async (jumpMs) => {
      const server = await startRedis();
      const [one, other] = [open(server), open(server)];
      await Promise.all([goesThrough(one), goesThrough(other)]);
      const real = Date.now;
      const log: (number | string)[] = [];
      const waiting = [sendMany(one, log, 30), sendMany(other, log, 30)];
      await eventually('some went', () => log.length > 10);
      jest.spyOn(Date, 'now').mockImplementation(() => real() + jumpMs);
      await Promise.all(waiting);
      expect(log.filter((each) => typeof each === 'string')).toEqual([]);
      expectWithinBudget(log);
      expect(Number(log.at(-1)) - Number(log[0])).toBeLessThan(8_000);
    },
  );

  test('12: in process too: the clock jumps back, and the next call does not wait for the old time', async () => {
    const lane = new BottleneckLane(SETTINGS, systemClock);
    stack.push(() => lane.close());
    await goesThrough(lane);
    const real = Date.now;
    jest.spyOn(Date, 'now').mockImplementation(() => real() - 3_600_000);
    const from = systemClock.now();
    await goesThrough(lane);
    expect(systemClock.now() - from).toBeLessThan(3_000);
  });

  test('8: rows of dead gateways, so many that no limiter starts: they are swept', async () => {
    const server = await startRedis();
    const seen = 'test:b_test:{budget:budget-1}:limiter_client_last_seen';
    const first = open(server);
    await goesThrough(first);
    await first.close();
    const dead = (score: number): (string | number)[] =>
      Array.from({ length: 10_000 }, (_, n) => [score, `dead-${n}`]).flat();
    await server.command('ZADD', seen, ...dead(1));
    await server.command('ZADD', 'test:b_test:{budget:budget-1}:limiter_client_running', ...dead(0));
    const lane = open(server);
    await goesThrough(lane);
    expect(await server.command('ZCARD', seen)).toBe(1);
  });

  test('8: a lane that is closed leaves no connection behind', async () => {
    const server = await startRedis();
    const lane = open(server);
    await goesThrough(lane);
    const connections = async (): Promise<number> =>
      String(await server.command('CLIENT', 'LIST')).split('name=mason-gateway').length - 1;
    expect(await connections()).toBe(3);
    await lane.close();
    await eventually('only the client of the gateway is left', async () => (await connections()) === 1);
  });

  test('9: all that is kept of a budget has one hash tag, and the prefix before it', async () => {
    const server = await startRedis();
    await goesThrough(open(server));
    const keys = ((await server.command('KEYS', '*')) as string[]).filter((key) => key !== 'test:beat');
    expect(keys.length).toBeGreaterThan(3);
    expect(keys.filter((key) => !/^test:[^{]*\{budget:budget-1\}/.test(key))).toEqual([]);
  });

  test('10: Redis goes wrong in every way, again and again: no error gets out, and calls go on', async () => {
    const stray: unknown[] = [];
    const onStray = (error: unknown): void => void stray.push(error);
    process.on('unhandledRejection', onStray);
    stack.push(() => process.off('unhandledRejection', onStray));
    const server = await startRedis();
    const lane = open(server);
    const log: (number | string)[] = [];
    const waiting = sendMany(lane, log, 100);
    const key = 'test:b_test:{budget:budget-1}:limiter_settings';
    const wrongs: (() => Promise<unknown>)[] = [
      () => server.killClients(),
      () => server.command('SCRIPT', 'FLUSH'),
      () => server.readOnly(true),
      () => server.readOnly(false),
      () => server.outOfMemory(true),
      () => server.outOfMemory(false),
      () => server.command('SET', key, 'not a hash'),
      () => server.flush(),
      () => server.restart(),
    ];
    for (const wrong of wrongs) {
      await wrong();
      await sleep(120);
    }
    await waiting;
    expect(log.filter((each) => typeof each === 'string')).toEqual([]);
    expect(stray).toEqual([]);
  });
});

async function running(server: RedisServer): Promise<number> {
  return Number(await server.command('HGET', 'test:b_test:{budget:budget-1}:limiter_settings', 'running'));
}
