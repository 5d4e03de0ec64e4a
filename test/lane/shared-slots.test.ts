import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import type { BudgetAnswer, BudgetAsk } from '../../src/lane/budget-act.ts';
import { paceFor } from '../../src/lane/pace.ts';
import { budgetStep } from '../../src/lane/shared-slots.ts';
import type { SharedState } from '../../src/lane/shared-state.ts';
import { redisScript } from '../../src/redis/redis-script.ts';
import { RedisServer } from '../support/redis-server.ts';

const SCRIPT = redisScript('budgetSlots-2');
/** The script with the test's clock in place of Redis'. */
const LUA = SCRIPT.lua.replace("redis.call('TIME')", '{ 0, tonumber(ARGV[4]) * 1000 }');
/** What the key holds, as JSON with exact numbers. */
const DUMP = `
local function text(value)
  if type(value) == 'number' then return string.format('%.17g', value) end
  if type(value) ~= 'table' then return cjson.encode(value) end
  local parts = {}
  if next(value) == nil or value[1] ~= nil then
    for i, each in ipairs(value) do parts[i] = text(each) end
    return '[' .. table.concat(parts, ',') .. ']'
  end
  for key, each in pairs(value) do table.insert(parts, cjson.encode(key) .. ':' .. text(each)) end
  return '{' .. table.concat(parts, ',') .. '}'
end
local kept = redis.call('GET', KEYS[1])
if not kept then return 'null' end
local state = cmsgpack.unpack(kept)
state.learnt = redis.call('GET', KEYS[2]) or ''
return text(state)`;

const LIMITS = [
  { calls: 1, windowMs: 1_000 },
  { calls: 4, windowMs: 1_000 },
  { calls: 10, windowMs: 1_000 },
  { calls: 60, windowMs: 60_000 },
  { calls: 100, windowMs: 1_000 },
  { calls: 1_000, windowMs: 1_000 },
] as const;

const step = fc.record({
  afterMs: fc.oneof(
    { weight: 30, arbitrary: fc.integer({ min: 0, max: 160 }).map((eighths) => eighths / 8) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 70_000 }) },
    { weight: 1, arbitrary: fc.constantFrom(-3_600_000, 3_600_000) },
  ),
  gateway: fc.constantFrom(0, 0, 0, 1, 1, 2, 3),
  wants: fc.oneof(fc.constant(0), fc.constant(3), fc.integer({ min: 1, max: 80 })),
  apps: fc.uniqueArray(
    fc.tuple(
      fc.constantFrom('a', 'b', 'ö', '*', 'c', 'd', 'e'),
      fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 1, max: 90 })), {
        minLength: 1,
        maxLength: 3,
        selector: ([urgency]) => urgency,
      }),
    ),
    { maxLength: 4, selector: ([id]) => id },
  ),
  rttMs: fc.constantFrom(0, 0.4, 3.7, 120),
  stays: fc.oneof(
    { weight: 12, arbitrary: fc.constant('active' as const) },
    { weight: 1, arbitrary: fc.constantFrom('idle' as const, 'leave' as const) },
  ),
  tune: fc.option(fc.tuple(fc.constantFrom(...LIMITS), fc.constantFrom(0, 1, 5), fc.constantFrom(10, 37)), {
    freq: 8,
    nil: undefined,
  }),
  pauseMs: fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(90, 5_000, 1e12) },
  ),
  release: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.constantFrom(0.1, 0.5, 1) }),
  lateMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(900, 1_500) }),
  spentAlone: fc.oneof(
    { weight: 9, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 16, maxLength: 16 }) },
  ),
  spread: fc.option(fc.tuple(fc.integer({ min: 5, max: 90 }), fc.integer({ min: 0, max: 50 })), { nil: undefined }),
  flush: fc.oneof({ weight: 25, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  told: fc.boolean(),
  learning: fc.option(
    fc.record({
      seen: fc.constantFrom('', '', '{"gateway":"ö/"}', 'seen'),
      heardTo: fc.integer({ min: 0, max: 12 }),
      learnt: fc.constantFrom('', '', '', '"of 1/1s"'),
      learntNo: fc.integer({ min: 0, max: 3 }),
    }),
    { freq: 3, nil: undefined },
  ),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a gateway knows from its last answer. */
interface Known {
  answer: BudgetAnswer | undefined;
  held: number[];
  tuning: BudgetAsk['tuning'];
}

function askFor(id: number, known: Known, of: Step, timeMs: number, n: number): BudgetAsk {
  const { answer, tuning } = known;
  const now = timeMs - (answer?.origin ?? 0);
  const held = known.held.filter((at) => at > now - 50);
  known.held = held;
  const released = of.release > 0 ? held.splice(Math.floor(held.length * (1 - of.release))) : [];
  const steps = of.told && answer?.stale === true;
  return {
    gateway: `gateway-${id}`,
    run: of.rttMs > 100 ? 'second' : 'first',
    stays: of.stays,
    epoch: answer?.epoch ?? '',
    newEpoch: `epoch-${n}`,
    sentAt: answer === undefined ? -1 : Math.max(0, timeMs - answer.origin - of.lateMs),
    staleMs: 1_000,
    stepMs: steps ? 3_600_000 : 0,
    stepOrigin: steps ? answer.origin : 0,
    rttMs: of.rttMs,
    wants: of.wants,
    apps: of.apps.map(([app, readyAt]) => [
      app,
      readyAt.reduce((sum, [, calls]) => sum + calls, 0),
      app === 'b' ? 3 : 1 + (id % 2),
      readyAt.flat(),
    ]),
    tuning,
    pace: paceFor(tuning, tuning.burst || undefined, tuning.spreadMs),
    tune: of.tune !== undefined,
    pauseMs: of.pauseMs,
    pauseMsMax: 60_000,
    fastestMs: of.spread?.[0] ?? -1,
    slowestMs: of.spread === undefined ? -1 : of.spread[0] + of.spread[1],
    released,
    spentAlone: of.spentAlone,
    leaseMs: of.rttMs === 0.4 ? 10_000 : 2_000,
    learning: of.learning,
    memory: {
      gateways: answer?.gateways ?? 1,
      calls: answer?.calls ?? 0,
      pauseMs: Math.max(0, (answer?.pausedUntil ?? 0) - (answer?.now ?? 0)),
      spent: held.length === 0 ? [] : [held.length, ...Array.from({ length: 15 }, (_, i) => i % 3)],
    },
  };
}

function dumped(state: SharedState | undefined): unknown {
  if (state === undefined) return null;
  const { window, ...rest } = state;
  const buckets = window.buckets();
  return {
    ...rest,
    window: {
      opens: buckets.map(([open]) => open),
      lasts: buckets.map(([, last]) => last),
      counts: buckets.map(([, , calls]) => calls),
      total: window.total,
    },
  };
}

describe('the slots of a budget in Redis', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.port);
  });
  afterAll(async () => {
    redis.disconnect();
    await server[Symbol.asyncDispose]();
  });

  test('are those of the arithmetic here, whatever gateways ask, whatever the clock does, whenever the key is lost', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...LIMITS),
        fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
        async (limit, steps) => {
          const keys = [`{budget:${++run}}:slots`, `{budget:${run}}:learnt`];
          const first = { ...limit, burst: 0, spreadMs: 10 };
          const gateways = Array.from({ length: 4 }, (): Known => ({ answer: undefined, held: [], tuning: first }));
          let timeMs = 1_790_000_000_000.123;
          let state: SharedState | undefined;
          for (const [n, of] of steps.entries()) {
            timeMs += of.afterMs;
            if (of.flush) {
              state = undefined;
              await redis.del(...keys);
            }
            const known = gateways[of.gateway] as Known;
            if (of.tune !== undefined) {
              const [{ calls, windowMs }, burst, spreadMs] = of.tune;
              known.tuning = { calls, windowMs, burst, spreadMs };
            }
            const ask = askFor(of.gateway, known, of, timeMs, n);
            const time = Math.round(timeMs * 1_000) / 1_000;
            const here = budgetStep(state, time, structuredClone(ask));
            state = here.state;
            const there = await redis.eval(LUA, 2, ...keys, JSON.stringify(ask), 'news', '{"budget":"b"', String(time));
            expect(JSON.parse(String(there))).toEqual(here.answer);
            expect(JSON.parse(String(await redis.eval(DUMP, 2, ...keys)))).toEqual(dumped(state));
            known.answer = here.answer;
            known.held.push(...here.answer.slots);
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
