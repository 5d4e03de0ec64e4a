import type { Gateways } from './gateways.ts';
import type { OneRedis } from './one-redis.ts';
import type { FleetOptions } from './options.ts';
import type { AppTally, BudgetTally } from './tally.ts';

export interface Waits {
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What became of a run; of its measured part, where nothing else is said. Undefined: there was nothing to tell it by. */
export interface FleetReport {
  readonly options: FleetOptions;
  readonly events: number;
  readonly measuredSeconds: number;
  /** Lanes that were made: pairs of a gateway and a budget. */
  readonly lanes: number;
  /** Calls that Mason took. */
  readonly served: number;
  /** Answers 429 of Mason's, from the first call on. */
  readonly refused: number;
  /** Of those, in the measured part. */
  readonly refusedLater: number;
  /** Calls that the gateways did not let stand in line, because the line was longer than the call may wait. */
  readonly turnedAway: number;
  readonly budgets: {
    readonly called: number;
    /** Those for which somebody waited all the time; what follows is about them. */
    readonly inDemand: number;
    /** Of the limit: mean and least. */
    readonly used: number | undefined;
    readonly usedLeast: number | undefined;
    /** Of what can be used with the spread of the way to Mason as the gateways measured it. */
    readonly usedOfUsable: number | undefined;
    readonly spreadMs: number | undefined;
  };
  readonly shares: {
    /** By app, the one with most callers first, at the budgets in demand. */
    readonly byApp: readonly Waits[];
    /** At all other budgets. */
    readonly elsewhere: Waits;
    /** Longest p50 by the shortest. */
    readonly worstToBest: number | undefined;
    /** Jain's index of the calls of those apps that waited all the time, for each budget in demand: mean and least. */
    readonly jain: number | undefined;
    readonly jainLeast: number | undefined;
  };
  readonly redis: {
    /** From the first call on. */
    readonly asks: number;
    /** Of those: by gateways that needed no slot, which keep a lease or give slots back. */
    readonly asksForNothing: number;
    readonly asksPerCall: number | undefined;
    readonly asksPerSecond: number;
    readonly asksInBusiestSecond: number;
    /** Of one processor; 1: asks queue before it. */
    readonly busy: number;
    /** Most gateways that a budget knew. */
    readonly gatewaysOfOneBudget: number;
    /** Lanes that could not reach it at the end. */
    readonly lanesWithoutIt: number;
  };
}

/** What there is to report on. */
export interface Ran {
  readonly tallies: ReadonlyMap<number, BudgetTally>;
  readonly gateways: Gateways;
  readonly redis: OneRedis;
  readonly events: number;
  readonly measuredFromMs: number;
  readonly untilMs: number;
}

export function reportOf(options: FleetOptions, ran: Ran): FleetReport {
  const { tallies, gateways, untilMs, measuredFromMs } = ran;
  const budgets = [...tallies].sort(([a], [b]) => a - b);
  const isInDemand = ([, tally]: [number, BudgetTally]) => tally.waiting.wasAlways(untilMs);
  const inDemand = budgets.filter(isInDemand);
  const elsewhere = budgets.filter((budget) => !isInDemand(budget)).map(([, tally]) => tally);
  const sum = (count: (tally: BudgetTally) => number) => budgets.reduce((all, [, tally]) => all + count(tally), 0);
  const served = sum(({ accepted }) => accepted);
  const measuredSeconds = (untilMs - measuredFromMs) / 1_000;
  const { calls, windowMs } = options.limit;
  const used = inDemand.map(([, { accepted }]) => accepted / ((calls * measuredSeconds * 1_000) / windowMs));
  const spreads = inDemand.map(([budget]) => mean(gateways.lanesOf(budget).map((lane) => lane.stats().spreadMs)) ?? 0);
  const small = calls <= 20 ? (calls - 1) / calls : 1;
  const usedOfUsable = used.map((part, i) => part / ((small * windowMs) / (windowMs + (spreads[i] as number))));
  const lanes = gateways.all;
  return {
    options,
    events: ran.events,
    measuredSeconds,
    lanes: lanes.length,
    served,
    refused: sum(({ refused }) => refused),
    refusedLater: sum(({ refusedLater }) => refusedLater),
    turnedAway: sum(({ apps }) => [...apps.values()].reduce((all, { turnedAway }) => all + turnedAway, 0)),
    budgets: {
      called: budgets.length,
      inDemand: inDemand.length,
      used: mean(used),
      usedLeast: least(used),
      usedOfUsable: mean(usedOfUsable),
      spreadMs: mean(spreads),
    },
    shares: sharesOf(
      options.apps,
      inDemand.map(([, tally]) => tally),
      elsewhere,
      untilMs,
    ),
    redis: { ...redisOf(ran, served), lanesWithoutIt: lanes.filter((lane) => isCutOff(lane.stats().mode)).length },
  };
}

function sharesOf(
  apps: number,
  inDemand: readonly BudgetTally[],
  elsewhere: readonly BudgetTally[],
  untilMs: number,
): FleetReport['shares'] {
  const ofApp = (app: number) => inDemand.flatMap((tally) => tally.apps.get(app) ?? []);
  const byApp = Array.from({ length: apps }, (_, app) => waitsOf(ofApp(app)));
  const middles = byApp.filter(({ calls }) => calls > 0).map(({ p50Ms }) => p50Ms);
  const indices = inDemand.flatMap((tally) => {
    const waited = [...tally.apps.values()].filter(({ waiting }) => waiting.wasAlways(untilMs));
    return waited.length < 2 ? [] : jain(waited.map(({ waitsMs }) => waitsMs.length));
  });
  return {
    byApp,
    elsewhere: waitsOf(elsewhere.flatMap((tally) => [...tally.apps.values()])),
    worstToBest: middles.length === 0 ? undefined : Math.max(...middles) / Math.min(...middles),
    jain: mean(indices),
    jainLeast: least(indices),
  };
}

function redisOf(
  { redis, measuredFromMs, untilMs }: Ran,
  served: number,
): Omit<FleetReport['redis'], 'lanesWithoutIt'> {
  const seconds = Array.from(redis.asksOfSecond, (asks = 0) => asks);
  const measured = seconds.slice(Math.floor(measuredFromMs / 1_000));
  const total = (asks: readonly number[]) => asks.reduce((a, b) => a + b, 0);
  return {
    asks: total(seconds),
    asksForNothing: redis.asksForNothing,
    asksPerCall: served === 0 ? undefined : total(measured) / served,
    asksPerSecond: total(measured) / ((untilMs - measuredFromMs) / 1_000),
    asksInBusiestSecond: Math.max(0, ...seconds),
    busy: redis.busyMs / untilMs,
    gatewaysOfOneBudget: redis.membersMost,
  };
}

function isCutOff(mode: string): boolean {
  return mode === 'silent' || mode === 'alone';
}

function waitsOf(apps: readonly AppTally[]): Waits {
  const all = new Float64Array(apps.reduce((calls, { waitsMs }) => calls + waitsMs.length, 0));
  let at = 0;
  for (const { waitsMs } of apps) {
    all.set(waitsMs, at);
    at += waitsMs.length;
  }
  all.sort();
  const quantile = (part: number) => all[Math.min(all.length - 1, Math.floor(part * all.length))] ?? 0;
  return { calls: all.length, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0);
  return sum ** 2 / (shares.length * shares.reduce((a, b) => a + b * b, 0));
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
}

function least(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.min(...values);
}
