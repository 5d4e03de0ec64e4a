import type { LoadResult } from '../machine/wrk.ts';
import { median, type Round } from './rounds.ts';

/** Below this the proxy's processor had time left: then somebody else was the limit. */
const CORE_BUSY_MIN = 0.93;
/** How much faster the client and the upstream must be alone than the faster of the two that the bar compares. */
const HEADROOM_MIN = 1.5;
const BAR = { name: 'http-proxy-middleware', ratio: 1.5 } as const;
const GOAL = { name: 'nginx', ratio: 0.5 } as const;

const MEGABYTE = 1_000_000;

export type Rounds = ReadonlyMap<string, readonly Round[]>;

/** The gateway's throughput relative to another's: by round, since what disturbs one round disturbs both. */
export function ratioTo(rounds: Rounds, name: string): number {
  const others = rounds.get(name) ?? [];
  const own = rounds.get('gateway') ?? [];
  return median(own.map((round, n) => round.perSecond / (others[n]?.perSecond ?? Number.NaN)));
}

export function printTable(rounds: Rounds, direct: readonly LoadResult[]): void {
  const row = (cells: readonly string[]): string =>
    cells.map((cell, n) => (n === 0 ? cell.padEnd(23) : cell.padStart(11))).join('');
  console.log(row(['', 'calls/s', 'p50 ms', 'p99 ms', 'µs CPU/call', 'RSS MB', 'core busy', 'gateway is']));
  for (const [name, all] of rounds) {
    const middle = (pick: (round: Round) => number): number => median(all.map(pick));
    const ratio = ratioTo(rounds, name);
    console.log(
      row([
        name,
        middle((round) => round.perSecond).toFixed(0),
        middle((round) => round.p50Ms).toFixed(2),
        middle((round) => round.p99Ms).toFixed(2),
        middle((round) => round.processorMicros).toFixed(1),
        (middle((round) => round.residentBytes) / MEGABYTE).toFixed(0),
        `${(middle((round) => round.coreBusy) * 100).toFixed(0)} %${isClientsLimit(all) ? ' *' : ''}`,
        name === 'gateway' ? '' : `${ratio.toFixed(2)} ×`,
      ]),
    );
  }
  console.log(row(['(client and upstream)', median(direct.map(({ perSecond }) => perSecond)).toFixed(0)]));
  if ([...rounds.values()].some(isClientsLimit)) {
    console.log('* its processor had time left: limited by the client, it could do more than this');
  }
}

/** @returns whether the bar is met; undefined when the client was the limit, so that nobody knows */
export function judgeThroughput(rounds: Rounds, direct: readonly LoadResult[]): boolean | undefined {
  const ratio = ratioTo(rounds, BAR.name);
  const speed = (name: string): number => median((rounds.get(name) ?? []).map(({ perSecond }) => perSecond));
  const headroom = median(direct.map(({ perSecond }) => perSecond)) / Math.max(speed('gateway'), speed(BAR.name));
  const limited = [...rounds].some(([name, all]) => (name === 'gateway' || name === BAR.name) && isClientsLimit(all));
  if (limited || headroom < HEADROOM_MIN) {
    console.log(`limited by the client: alone it does ${headroom.toFixed(2)} × the faster of the two compared`);
    return undefined;
  }
  const met = ratio >= BAR.ratio;
  console.log(`${met ? 'met ' : 'MISS'}  ${ratio.toFixed(2)} × ${BAR.name}; the bar is ${BAR.ratio}`);
  if (rounds.has(GOAL.name)) {
    const goal = ratioTo(rounds, GOAL.name);
    console.log(`${goal >= GOAL.ratio ? 'met ' : 'open'}  ${goal.toFixed(2)} × nginx; the goal is ${GOAL.ratio}`);
  }
  return met;
}

function isClientsLimit(all: readonly Round[]): boolean {
  return median(all.map(({ coreBusy }) => coreBusy)) < CORE_BUSY_MIN;
}

const MEMORY_BAR = { first: 256, growth: 20 } as const;

/** @param resident bytes after 100,000 calls and after 300,000; the second is absent in a quick run */
export function judgeMemory([first = 0, second]: readonly number[]): boolean {
  const firstMet = first <= MEMORY_BAR.first * MEGABYTE;
  console.log(
    `${firstMet ? 'met ' : 'MISS'}  ${(first / MEGABYTE).toFixed(0)} MB after 100,000 calls; the bar is ${MEMORY_BAR.first}`,
  );
  if (second === undefined) return firstMet;
  const growth = (second - first) / MEGABYTE;
  const secondMet = growth <= MEMORY_BAR.growth;
  console.log(
    `${secondMet ? 'met ' : 'MISS'}  ${growth.toFixed(0)} MB more after 300,000 calls; the bar is ${MEMORY_BAR.growth}`,
  );
  return firstMet && secondMet;
}
