import { setTimeout as sleep } from 'node:timers/promises';
import { type Contestant, OTHER_CORE, PATH, PROXY_CORE } from '../contestants/contestant.ts';
import { coreTicks, processorMs, residentBytes } from '../machine/processor.ts';
import { type LoadResult, load } from '../machine/wrk.ts';

/** What one contestant did in one round. */
export interface Round extends LoadResult {
  /** Processor time of the proxy a call, microseconds. */
  readonly processorMicros: number;
  /** Part of its processor's time in which the processor had something to do. */
  readonly coreBusy: number;
  readonly residentBytes: number;
}

export interface RoundOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly token: string;
}

/** One round of one contestant: connections anew, some seconds to get warm, then the measurement. */
export async function playRound(contestant: Contestant, options: RoundOptions): Promise<Round> {
  const work = { ...options, url: contestant.url + PATH, core: OTHER_CORE };
  await load({ ...work, seconds: options.warmUpSeconds });
  const [core, used] = [coreTicks(PROXY_CORE), processorMs(contestant.pid)];
  const result = await load(work);
  const [coreAfter, usedAfter] = [coreTicks(PROXY_CORE), processorMs(contestant.pid)];
  const round = {
    ...result,
    processorMicros: ((usedAfter - used) * 1_000) / result.requests,
    coreBusy: 1 - (coreAfter.idle - core.idle) / Math.max(1, coreAfter.all - core.all),
    residentBytes: residentBytes(contestant.pid),
  };
  contestant.tidy?.();
  await sleep(100);
  return round;
}

/** The client and the upstream alone: what no contestant can reach. */
export async function playDirect(url: string, options: RoundOptions): Promise<LoadResult> {
  return load({ ...options, url: url + PATH, core: OTHER_CORE });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
