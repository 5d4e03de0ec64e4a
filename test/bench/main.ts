import { parseArgs } from 'node:util';
import { checkContestant } from './contestants/check.ts';
import { type Contestant, MASON_KEY, PROXY_CORE } from './contestants/contestant.ts';
import { type GatewayProcess, startGatewayProcess } from './contestants/gateway.ts';
import { startNginxProxy, startUpstream } from './contestants/nginx.ts';
import { PEERS, startPeer } from './contestants/peers.ts';
import { provideTools } from './machine/tools.ts';
import type { LoadResult } from './machine/wrk.ts';
import { memoryAfter } from './throughput/memory.ts';
import { judgeMemory, judgeThroughput, printTable } from './throughput/report.ts';
import { median, playDirect, playRound, type Round } from './throughput/rounds.ts';

const USAGE = `npm run bench [-- --quick]
The whole gateway against bare proxies and nginx, one processor each for the proxy and for client and upstream.
Exit code 1: a bar was missed; 2: the client was the limit, so that nobody knows.`;
const CONNECTIONS = 64;
const FULL = { rounds: 7, seconds: 5, warmUpSeconds: 1, memoryMarks: [100_000, 300_000] };
const QUICK = { rounds: 3, seconds: 2, warmUpSeconds: 1, memoryMarks: [100_000] };
const APP = 'bench';
/** The most that can be said: no call waits for its turn. */
const BOUNDLESS = '1000000/1s';

/** @returns the exit code */
async function bench(): Promise<number> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  provideTools();
  const plan = values.quick ? QUICK : FULL;
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream());
  const startGateway = (): Promise<GatewayProcess> =>
    startGatewayProcess({
      masonUrl: upstream.url,
      key: MASON_KEY,
      limit: BOUNDLESS,
      apps: [APP],
      core: PROXY_CORE,
    });
  const gateway = stack.use(await startGateway());
  const contestants: Contestant[] = [gateway];
  for (const name of PEERS) contestants.push(stack.use(await startPeer(name, upstream.url)));
  contestants.push(stack.use(await startNginxProxy(upstream.url)));
  const token = gateway.tokens.get(APP) as string;
  for (const contestant of contestants) await checkContestant(contestant, upstream, token);
  console.log(`${contestants.length} contestants checked; ${plan.rounds} rounds of ${plan.seconds} s each`);

  const options = { ...plan, connections: CONNECTIONS, token };
  const rounds = new Map<string, Round[]>(contestants.map(({ name }) => [name, []]));
  const direct: LoadResult[] = [];
  for (let n = 1; n <= plan.rounds; n++) {
    direct.push(await playDirect(upstream.url, options));
    for (const contestant of contestants) rounds.get(contestant.name)?.push(await playRound(contestant, options));
    const speeds = contestants.map(({ name }) => `${name} ${rounds.get(name)?.at(-1)?.perSecond.toFixed(0)}`);
    console.log(`round ${n}: ${speeds.join(', ')}`);
  }
  await checkHonest(gateway);
  printTable(rounds, direct);
  const isFast = judgeThroughput(rounds, direct);

  await using fresh = await startGateway();
  const freshToken = fresh.tokens.get(APP) as string;
  const isSmall = judgeMemory(await memoryAfter(fresh, freshToken, CONNECTIONS, plan.memoryMarks));
  const spread = rounds.get('gateway')?.map(({ perSecond }) => perSecond) ?? [];
  console.log(`spread of the gateway's rounds: ${spreadOf(spread)}`);
  if (isFast === false || !isSmall) return 1;
  return isFast === undefined ? 2 : 0;
}

/** @throws Error when the gateway was fast by leaving its record behind, or by giving one answer of Mason's to several calls */
async function checkHonest(gateway: GatewayProcess): Promise<void> {
  const metrics = await gateway.metrics();
  const count = (name: string) => new RegExp(`^mason_gateway_${name} (\\d+)$`, 'm').exec(metrics)?.[1];
  const gap = count('record_gap_events');
  if (gap !== '0') throw new Error(`${gap} calls are missing in the gateway's record`);
  const joined = count('joined_calls_total');
  if (joined !== '0') throw new Error(`${joined} calls were given the answer to another one`);
}

function spreadOf(values: readonly number[]): string {
  const middle = median(values);
  return `${((Math.min(...values) / middle - 1) * 100).toFixed(0)} % to +${((Math.max(...values) / middle - 1) * 100).toFixed(0)} %`;
}

try {
  process.exitCode = await bench();
} catch (error) {
  console.error(`bench: ${Error.isError(error) ? error.message : String(error)}`);
  process.exitCode = 1;
}
