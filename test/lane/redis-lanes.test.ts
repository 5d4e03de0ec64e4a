import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { RateLimit } from '../../src/domain/budget.ts';
import { systemClock } from '../../src/domain/clock.ts';
import type { Lane, LaneStats } from '../../src/domain/lane.ts';
import { Lanes } from '../../src/lane/lanes.ts';
import { RedisClient } from '../../src/redis/redis-client.ts';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';
import { slidingLog } from './limit-judges.ts';

const LIMIT = { calls: 50, windowMs: 1_000 };
const TICK_MS = 10;
const stays = new AbortController().signal;
const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startRedis(): Promise<RedisServer> {
  const server = await RedisServer.start();
  ends.push(() => server[Symbol.asyncDispose]());
  return server;
}

interface Gateway {
  readonly lanes: Lanes;
  readonly lane: Lane;
  readonly client: RedisClient;
}

function startGateway(server: RedisServer, gatewayId: string, given: RateLimit | 'auto' = LIMIT): Gateway {
  const limit = given === 'auto' ? undefined : given;
  const client = new RedisClient({ settings: server.settings(), clock: systemClock, onProblem: () => {} });
  const lanes = new Lanes({
    ...{ engine: 'fair', clock: systemClock, waitingCallsMax: 1_000, waitingBytesMax: 1e6, pauseMsMax: 60_000 },
    spreadMs: 10,
    redis: { client, gatewayId },
  });
  ends.push(async () => {
    await lanes.close();
    client[Symbol.dispose]();
  });
  return { lanes, client, lane: lanes.laneFor({ id: 'budget-1', limit, burst: undefined, spreadMs: undefined }) };
}

/** Puts gateways under load. */
function load(gateways: readonly Gateway[]): { sentAt: number[]; lost: unknown[] } {
  const [sentAt, lost]: [number[], unknown[]] = [[], []];
  const again = async (lane: Lane): Promise<void> => {
    for (;;) {
      using place = lane.join({
        appId: 'app',
        weight: 1,
        urgency: 3,
        deadlineAt: systemClock.now() + 60_000,
        heldBytes: 1,
      });
      (await place.turn(stays)).sent();
      sentAt.push(systemClock.now());
    }
  };
  for (const { lane } of gateways) {
    for (let i = 0; i < 10; i++) {
      again(lane).catch((error: { code?: string }) => {
        if (error.code !== 'shutting_down') lost.push(error);
      });
    }
  }
  return { sentAt, lost };
}

function modes(gateways: readonly Gateway[]): LaneStats['mode'][] {
  return gateways.map(({ lane }) => lane.stats().mode);
}

/** All know of each other, and have asked twice since: by then each was told its part. */
async function knowTheirParts(gateways: readonly Gateway[]): Promise<void> {
  await eventually('they share', () => gateways.every(({ lane }) => lane.stats().gateways === gateways.length));
  const asked = gateways.map(({ lane }) => lane.stats().asked);
  await eventually('each asks twice', () => gateways.every(({ lane }, i) => lane.stats().asked > (asked[i] ?? 0) + 2));
}

/**
 * Time as timers of this process count it: where the machine is busy they are late, and so is all that is measured by them.
 *
 * @returns milliseconds since it was called
 */
function ownTime(): () => number {
  let ticks = 0;
  const timer = setInterval(() => ticks++, TICK_MS);
  ends.push(async () => clearInterval(timer));
  return () => ticks * TICK_MS;
}

function excess(sentAt: readonly number[]): number {
  const judge = slidingLog(LIMIT);
  return sentAt.filter((at) => !judge(at)).length;
}

describe('three gateways on one Redis', () => {
  test('send from one budget, and a pause of one stops all', async () => {
    const server = await startRedis();
    const gateways = ['a', 'b', 'c'].map((id) => startGateway(server, id));
    const { sentAt, lost } = load(gateways);
    await eventually('they share', () => gateways.every(({ lane }) => lane.stats().gateways === 3));
    await eventually('they send', () => sentAt.length > LIMIT.calls);
    expect(excess(sentAt)).toBe(0);
    for (const { lane } of gateways) expect(lane.stats().sent).toBeGreaterThan(sentAt.length / 6);
    gateways[1]?.lane.pause(1_000);
    await eventually('all heard', () => gateways.every(({ lane }) => lane.stats().pausedUntil > 0));
    const heardAt = systemClock.now();
    const until = Math.min(...gateways.map(({ lane }) => lane.stats().pausedUntil));
    const sent = sentAt.length;
    await eventually('they go on', () => sentAt.length > sent + 10);
    expect(until - heardAt).toBeGreaterThan(0);
    expect(sentAt.filter((at) => at > heardAt && at < until)).toEqual([]);
    expect(lost).toEqual([]);
  });

  /** Harm that is done to Redis, and its end. Each takes seconds of waiting, and so all are done at once. */
  const harms: Record<string, [(server: RedisServer) => unknown, (server: RedisServer) => unknown]> = {
    'is killed and comes back empty': [(server) => server.kill(), (server) => server.restart()],
    'freezes and thaws': [(server) => server.freeze(), (server) => server.thaw()],
    'takes no writes': [(server) => server.readOnly(true), (server) => server.readOnly(false)],
    'is out of memory': [(server) => server.outOfMemory(true), (server) => server.outOfMemory(false)],
  };

  test('whatever Redis does, nobody is refused, nothing is sent too much, the shared pace is back in two seconds', async () => {
    const found = Object.entries(harms).map(async ([name, [harm, heal]]) => {
      const server = await startRedis();
      const gateways = ['a', 'b', 'c'].map((id) => startGateway(server, id));
      const { sentAt, lost } = load(gateways);
      await knowTheirParts(gateways);
      const sentIn = async (ms: number): Promise<number> => {
        const before = sentAt.length;
        await sleep(ms);
        return sentAt.length - before;
      };
      const sentBefore = await sentIn(1_000);
      await harm(server);
      await eventually(`${name}: they go on alone`, () => modes(gateways).every((mode) => mode === 'alone'));
      const sentAlone = await sentIn(1_000);
      await heal(server);
      const sinceHealedMs = ownTime();
      await eventually(`${name}: they share again`, () => modes(gateways).every((mode) => mode === 'shared'));
      const tookMs = sinceHealedMs();
      const sentBack = (await sentIn(2_000)) / 2;
      return { name, lost, tooMany: excess(sentAt), sentBefore, sentAlone, tookMs, sentBack };
    });
    for (const { name, lost, tooMany, sentBefore, sentAlone, tookMs, sentBack } of await Promise.all(found)) {
      expect({ name, lost, tooMany }).toEqual({ name, lost: [], tooMany: 0 });
      expect(sentAlone).toBeGreaterThan(0.3 * sentBefore);
      expect(tookMs).toBeLessThan(2_000);
      expect(sentBack).toBeGreaterThan(0.4 * sentBefore);
    }
  });

  test('Redis forgets everything, scripts too: nothing is sent too much, and nobody stands still', async () => {
    const server = await startRedis();
    const gateways = ['a', 'b', 'c'].map((id) => startGateway(server, id));
    const { sentAt, lost } = load(gateways);
    await eventually('they share', () => gateways.every(({ lane }) => lane.stats().gateways === 3));
    await eventually('they send', () => sentAt.length > 25);
    await server.flush();
    await server.command('SCRIPT', 'FLUSH');
    const sent = sentAt.length;
    await sleep(2_000);
    expect(sentAt.length).toBeGreaterThan(sent + 25);
    expect(excess(sentAt)).toBe(0);
    expect(lost).toEqual([]);
  });

  test('learn a limit together that nobody told: each shows the same, and one that comes later too', async () => {
    const server = await startRedis();
    const start = (id: string) => startGateway(server, id, 'auto');
    const gateways = ['a', 'b'].map(start);
    const { lost } = load(gateways);
    const limits = () => gateways.map(({ lanes }) => lanes.paceOf('budget-1'));
    await eventually('both know a higher limit', () =>
      limits().every((shown) => (shown?.learning?.levels[0]?.calls ?? 0) >= 6 && (shown?.limit.calls ?? 0) > 5),
    );
    gateways.push(start('c'));
    load(gateways.slice(2));
    await eventually('the third knows it too', () => (limits()[2]?.learning?.levels[0]?.calls ?? 0) >= 6);
    expect(lost).toEqual([]);
  });

  test('a budget that is gone leaves nothing in Redis', async () => {
    const server = await startRedis();
    const { lanes, lane, client } = startGateway(server, 'a');
    using place = lane.join({
      appId: 'app',
      weight: 1,
      urgency: 3,
      deadlineAt: systemClock.now() + 9_000,
      heldBytes: 1,
    });
    (await place.turn(stays)).sent();
    const key = client.keys.budgetSlots('budget-1');
    expect(await server.command('EXISTS', key)).toBe(1);
    expect(await server.command('TTL', key)).toBe(-1);
    await lanes.drop('budget-1');
    expect(await server.command('EXISTS', key)).toBe(0);
  });
});
