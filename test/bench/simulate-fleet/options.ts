import { parseArgs } from 'node:util';
import { parseRateLimit, type RateLimit } from '../../../src/domain/budget.ts';
import { LIMITER_KINDS, type LimiterKind } from '../../../src/simulator/limit/make-limiter.ts';
import type { Range } from '../../../src/simulator/options.ts';
import { choice, parseRange, UsageError, wholeNumber, wrong } from '../../../src/simulator/parse-values.ts';

export interface FleetOptions {
  readonly gateways: number;
  readonly budgets: number;
  /** Apps that call each budget. */
  readonly apps: number;
  /** Of Zipf's law, for callers over budgets and over a budget's apps. */
  readonly skew: number;
  /** Of each budget. */
  readonly limit: RateLimit;
  readonly kind: LimiterKind;
  /** Of a token bucket, calls. */
  readonly depth: number;
  /** Of the way to Mason, milliseconds, beside half the latency. */
  readonly jitter: Range;
  /** Spread of the way to Mason that gateways are told, milliseconds; undefined: they measure it. */
  readonly spreadMs: number | undefined;
  /** To Mason and back, milliseconds. */
  readonly latencyMs: number;
  /** Simulated. */
  readonly seconds: number;
  readonly seed: number;
  /** Each calls, waits for the answer, thinks, and calls again. */
  readonly callers: number;
  /** Mean of an exponential distribution, milliseconds. */
  readonly thinkMs: number;
  /** Gateways that the calls of one budget come to. */
  readonly reach: number;
  /** Longest that a call may stand in line, milliseconds. */
  readonly waitMs: number;
  /** Round trip to Redis, milliseconds, mean. */
  readonly redisRttMs: number;
  /** Processor time of Redis, as a multiple of what was measured. */
  readonly redisCost: number;
  /** Most that an event loop fires a timer late, milliseconds. */
  readonly lateMs: number;
  /** Whether gateways know of each other. */
  readonly shared: boolean;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const OPTIONS = {
  gateways: text,
  budgets: text,
  apps: text,
  skew: text,
  limit: text,
  kind: text,
  depth: text,
  jitter: text,
  spread: text,
  latency: text,
  seconds: text,
  seed: text,
  callers: text,
  think: text,
  reach: text,
  wait: text,
  'redis-rtt': text,
  'redis-cost': text,
  late: text,
  unshared: flag,
  json: flag,
  help: { ...flag, short: 'h' },
} as const;
const CALLERS_A_GATEWAY = 100;
const REACH = 4;
/** What a bucket must hold above one call for calls that were sent apart and arrive together. */
const DEPTH_MARGIN_MS = 30;
const MS_MAX = 3_600_000;

/** @throws UsageError one line: what was expected, what came */
export function parseFleetOptions(argv: readonly string[]): { options: FleetOptions; json: boolean } | 'help' {
  const values = parse(argv);
  if (values.help) return 'help';
  const gateways = wholeNumber('--gateways', values.gateways, 1, 1_000, 100);
  const limit = readLimit(values.limit ?? '100/1s');
  const kind = choice('--kind', values.kind, LIMITER_KINDS, 'sliding-log');
  const jitter = parseRange('--jitter', values.jitter ?? '0..50');
  if (values.depth !== undefined && kind !== 'token-bucket') {
    throw new UsageError(`--depth: expected --kind token-bucket besides, got ${kind}`);
  }
  const depth = Math.ceil(1 + ((jitter.max - jitter.min + DEPTH_MARGIN_MS) * limit.calls) / limit.windowMs);
  const options = {
    gateways,
    budgets: wholeNumber('--budgets', values.budgets, 1, 10_000, 1_000),
    apps: wholeNumber('--apps', values.apps, 1, 1_000, 20),
    skew: decimal('--skew', values.skew, 5, 1.1),
    limit,
    kind,
    depth: wholeNumber('--depth', values.depth, 1, 1_000_000, depth),
    jitter,
    spreadMs: values.spread === undefined ? undefined : decimal('--spread', values.spread, MS_MAX, 0),
    latencyMs: decimal('--latency', values.latency, MS_MAX, 20),
    seconds: wholeNumber('--seconds', values.seconds, 1, 86_400, 60),
    seed: wholeNumber('--seed', values.seed, 0, 0xffff_ffff, 1),
    callers: wholeNumber('--callers', values.callers, 1, 1_000_000, gateways * CALLERS_A_GATEWAY),
    thinkMs: decimal('--think', values.think, MS_MAX, 1_000),
    reach: wholeNumber('--reach', values.reach, 1, gateways, Math.min(REACH, gateways)),
    waitMs: 1_000 * decimal('--wait', values.wait, MS_MAX / 1_000, 30),
    redisRttMs: decimal('--redis-rtt', values['redis-rtt'], MS_MAX, 0.6),
    redisCost: decimal('--redis-cost', values['redis-cost'], 1_000, 1),
    lateMs: decimal('--late', values.late, MS_MAX, 1),
    shared: !values.unshared,
  };
  return { options, json: values.json };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.replaceAll('\n', ' '));
  }
}

function readLimit(given: string): RateLimit {
  const limit = parseRateLimit(given);
  if (limit === undefined) throw wrong('--limit', 'calls per window like 100/1s, 600/60s or 1000/1h', given);
  return limit;
}

function decimal(name: string, given: string | undefined, max: number, absent: number): number {
  if (given === undefined) return absent;
  const value = /^\d{1,9}(?:\.\d{1,6})?$/.test(given) ? Number(given) : Number.NaN;
  if (!(value <= max)) throw wrong(name, `a number from 0 to ${max}`, given);
  return value;
}

/** Printed by `--help`. */
export const USAGE = `Usage: npm run simulate-fleet -- [options]

Many gateways that share their rate budgets through one Redis, in virtual time on one processor: the real line, the real
arithmetic of reservations, a simulated network, Redis and Mason. The same options give the same numbers. docs/fleet.md
says what they mean and where they stop being true.

  --gateways N        1 to 1000 (100)
  --budgets N         1 to 10000 (1000)
  --apps N            apps that call each budget, 1 to 1000 (20)
  --skew S            of Zipf's law, for callers over budgets and over a budget's apps; 0: all alike (1.1)
  --reach N           gateways that the calls of one budget come to (4)
  --callers N         each calls, waits for the answer, thinks, and calls again (100 a gateway)
  --think MS          mean time between an answer and the next call (1000)
  --wait SECONDS      longest that a call may stand in line (30)
  --seconds N         how long to simulate; the last three quarters are measured (60)
  --seed N            (1)

Mason
  --limit CALLS/TIME  of each budget: 100/1s, 600/60s, 1000/1h (100/1s)
  --kind KIND         ${LIMITER_KINDS.join(', ')} (sliding-log)
  --depth N           of a token bucket (1 + (jitter + 30 ms) x calls / window)
  --jitter MS         of the way to Mason: 50, 0..50 (0..50)
  --latency MS        to Mason and back, without the jitter (20)
  --spread MS         of the way to Mason, as gateways are told it (they measure it)

Redis and gateways
  --redis-rtt MS      mean round trip to Redis (0.6)
  --redis-cost N      Redis' processor time, as a multiple of what was measured; 0: none (1)
  --late MS           most that a gateway's timers fire late (1)
  --unshared          gateways know nothing of each other: what happens without Redis' arithmetic

  --json              the report as JSON
  --help

Example: two hundred gateways, each budget called through twenty of them
  npm run simulate-fleet -- --gateways 200 --budgets 2000 --reach 20 --seconds 60`;
