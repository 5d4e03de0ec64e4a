import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MASON_KEY, OTHER_CORE, PATH, PROXY_CORE } from '../contestants/contestant.ts';
import { type GatewayProcess, install } from '../contestants/gateway.ts';
import { startUpstream, type Upstream } from '../contestants/nginx.ts';
import { judge, type Part, percent, tell } from '../lane-bars/bar.ts';
import { provideTools } from '../machine/tools.ts';
import { type LoadResult, load } from '../machine/wrk.ts';
import { median } from '../throughput/rounds.ts';
import { APP, BOUNDLESS } from './installed.ts';
import { judgeIntents } from './intent-waits.ts';
import { paced } from './paced.ts';

const ROUNDS = 3;
const LONG_ROUNDS = 15;
const SECONDS = 8;
const CONNECTIONS = 64;
/** So small that some are sealed in each round. */
const SEGMENT_EVENTS = 20_000;
const COST_MAX = 0.25;
/** A third of what one processor carries: what shows then is not the queue before it. */
const PACE_PER_SECOND = 1_000;
const PACE_SECONDS = 10;
/** Two runs of the same gateway differ by as much. */
const P99_MORE_MS_MAX = 1;
const TELLING_MS_MAX = 20;

const NO_RECORD = new URL('no-record.ts', import.meta.url).href;

export const cost: Part = {
  name: 'cost',
  about: 'what the record costs: throughput on one processor, the slowest reads, the wait of a change',
  async run({ long }) {
    provideTools();
    await using upstream = await startUpstream();
    await using recording = await startPlace(upstream);
    await using silent = await startPlace(upstream, NO_RECORD);
    const isCheap = await judgeThroughput(recording, silent, long ? LONG_ROUNDS : ROUNDS);
    const isSmooth = await judgePaced(recording, silent, long ? LONG_ROUNDS : ROUNDS);
    return [isCheap, isSmooth, await judgeIntents()].every(Boolean);
  },
};

interface Place extends AsyncDisposable {
  readonly gateway: GatewayProcess;
  readonly token: string;
  /** Segments that are complete, with their indexes. */
  sealed(): number;
}

async function startPlace(upstream: Upstream, preload?: string): Promise<Place> {
  const options = { masonUrl: upstream.url, key: MASON_KEY, limit: BOUNDLESS, apps: [APP] };
  const { tokens, env, start } = await install({
    ...options,
    settings: { record: { segmentEventsMax: SEGMENT_EVENTS } },
  });
  const gateway = await start({ core: PROXY_CORE, ...(preload === undefined ? {} : { preload }) });
  const directory = join(env['GATEWAY_DATA_DIR'] ?? '', 'audit');
  return {
    gateway,
    token: tokens.get(APP) ?? '',
    sealed: () => readdirSync(directory).filter((name) => isReadOnly(join(directory, name))).length,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

function isReadOnly(path: string): boolean {
  return path.endsWith('.db') && ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0o200) & 0o200) === 0;
}

async function judgeThroughput(recording: Place, silent: Place, rounds: number): Promise<boolean> {
  const sealed = recording.sealed();
  const shares: number[] = [];
  for (let n = 0; n < rounds; n += 1) {
    const [off, on] = [await full(silent), await full(recording)];
    shares.push(1 - on.perSecond / off.perSecond);
    tell(`without ${off.perSecond.toFixed(0)} calls/s, with ${on.perSecond.toFixed(0)}`);
  }
  const sealedNow = recording.sealed() - sealed;
  const gap = /^mason_gateway_record_gap_events (\d+)$/m.exec(await recording.gateway.metrics())?.[1];
  const isHonest = judge(
    sealedNow > 0 && gap === '0',
    `${sealedNow} segments sealed meanwhile, ${gap} events missing; the bars are at least 1, and 0`,
  );
  const lost = median(shares);
  return (
    judge(lost <= COST_MAX, `the record costs ${percent(lost)} of the throughput; the bar is ${percent(COST_MAX)}`) &&
    isHonest
  );
}

function full({ gateway: { url, tidy }, token }: Place): Promise<LoadResult> {
  tidy?.();
  return load({ url: url + PATH, token, connections: CONNECTIONS, seconds: SECONDS, core: OTHER_CORE });
}

async function judgePaced(recording: Place, silent: Place, rounds: number): Promise<boolean> {
  const more: number[] = [];
  const without: number[] = [];
  for (let n = 0; n < rounds; n += 1) {
    const [off, on] = [await slowest(silent), await slowest(recording)];
    more.push(on - off);
    without.push(off);
    tell(`p99 at ${PACE_PER_SECOND} reads/s: without ${off.toFixed(2)} ms, with ${on.toFixed(2)} ms`);
  }
  const middle = median(more);
  const isKnown = judge(
    median(without) <= TELLING_MS_MAX,
    `p99 without a record is ${median(without).toFixed(2)} ms; above ${TELLING_MS_MAX} ms the machine is too busy to tell`,
  );
  const isSmooth = judge(
    middle <= P99_MORE_MS_MAX,
    `p99 of reads is ${middle.toFixed(2)} ms more; the bar is ${P99_MORE_MS_MAX} ms`,
  );
  return isKnown && isSmooth;
}

async function slowest({ gateway, token }: Place): Promise<number> {
  const times = await paced(`${gateway.url}${PATH}`, token, PACE_PER_SECOND, PACE_SECONDS);
  return times[Math.floor(times.length * 0.99)] ?? Number.NaN;
}
