import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { pattern } from '../../../src/simulator/pattern.ts';
import { type Contestant, MASON_KEY, OTHER_CORE, PROXY_CORE } from '../contestants/contestant.ts';
import { startGatewayProcess } from '../contestants/gateway.ts';
import { startPeer } from '../contestants/peers.ts';
import { judge, type Part, tell } from '../lane-bars/bar.ts';
import { processorMs, residentBytes } from '../machine/processor.ts';
import { startChild } from '../machine/scratch.ts';
import { provideTools } from '../machine/tools.ts';
import type { TransferResult } from './transfer-client.ts';

const GB = 1_000_000_000;
const MB = 1_000_000;
const GROWTH_BYTES_MAX = 30 * MB;
const SPEED_MIN = 0.5;
const ROUNDS = 3;
const LOOK_MS = 50;
const APP = 'transfers';
const WAYS = ['up', 'down'] as const;

type Way = (typeof WAYS)[number];

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** 1 GB each way: the same bytes, flat memory, and not much slower than a proxy that does nothing else. */
export const transfers: Part = {
  name: 'transfers',
  about: '1 GB up and down: identical bytes, memory, speed beside bare http-proxy-middleware',
  async run() {
    provideTools();
    await using stack = new AsyncDisposableStack();
    const upstream = stack.use(startChild(process.execPath, [script('./bytes-upstream.ts')], { core: OTHER_CORE }));
    const lines = createInterface({ input: upstream.process.stdout as NodeJS.ReadableStream });
    const [line] = (await once(lines, 'line')) as [string];
    const masonUrl = `http://127.0.0.1:${line.replace('PORT ', '')}`;
    const gateway = stack.use(
      await startGatewayProcess({
        masonUrl,
        key: MASON_KEY,
        limit: '1000/1s',
        apps: [APP],
        scopes: ['registry:admin'],
        core: PROXY_CORE,
      }),
    );
    const bare = stack.use(await startPeer('http-proxy-middleware', masonUrl));
    const token = gateway.tokens.get(APP) as string;

    const met = [await isSame(gateway, token)];
    met.push(await isFlat(gateway, bare, token));
    for (const way of WAYS) met.push(await isFast(way, gateway, bare, token));
    return met.every(Boolean);
  },
};

async function isSame(gateway: Contestant, token: string): Promise<boolean> {
  const digest = createHash('sha256');
  for (const piece of pattern(0, GB)) digest.update(piece);
  const expected = digest.digest('hex');
  let met = true;
  for (const way of WAYS) {
    const { bytes, sha256 } = await transfer(way, gateway.url, GB, token, true);
    met =
      judge(bytes === GB && sha256 === expected, `1 GB ${way}: ${bytes} bytes, SHA-256 ${sha256?.slice(0, 16)}…`) &&
      met;
  }
  return met;
}

/**
 * Highest against highest: Node lets some 80 MB of buffers that are dead already lie before it collects them, and how many of
 * them lie there when a transfer begins is chance.
 */
async function isFlat(gateway: Contestant, bare: Contestant, token: string): Promise<boolean> {
  const growthOf = async (proxy: Contestant): Promise<{ warm: number; growth: number }> => {
    const warm = await highestDuring(proxy, token);
    return { warm, growth: (await highestDuring(proxy, token)) - warm };
  };
  const own = await growthOf(gateway);
  const other = await growthOf(bare);
  tell(`highest memory over the first 1 GB each way: gateway ${megabytes(own.warm)}, bare ${megabytes(other.warm)}`);
  const text = `over the next 1 GB each way: ${megabytes(own.growth)} more, bare ${megabytes(other.growth)} more`;
  return judge(own.growth < GROWTH_BYTES_MAX, `${text} (bar: under ${megabytes(GROWTH_BYTES_MAX)})`);
}

async function highestDuring(proxy: Contestant, token: string): Promise<number> {
  let most = 0;
  const looking = setInterval(() => {
    most = Math.max(most, residentBytes(proxy.pid));
  }, LOOK_MS);
  for (const way of WAYS) await transfer(way, proxy.url, GB, token);
  clearInterval(looking);
  return most;
}

async function isFast(way: Way, gateway: Contestant, bare: Contestant, token: string): Promise<boolean> {
  const best = { gateway: 0, bare: 0 };
  const busy = { gateway: 0, bare: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, { url, pid }] of [['gateway', gateway] as const, ['bare', bare] as const]) {
      const from = processorMs(pid);
      const { bytes, ms } = await transfer(way, url, GB, token);
      if (bytes !== GB) throw new Error(`${name} carried ${bytes} bytes`);
      best[name] = Math.max(best[name], GB / MB / (ms / 1_000));
      busy[name] += (processorMs(pid) - from) / ROUNDS;
    }
  }
  tell(`processor time for 1 GB ${way}: gateway ${busy.gateway.toFixed(0)} ms, bare ${busy.bare.toFixed(0)} ms`);
  const ratio = best.gateway / best.bare;
  const speeds = `gateway ${best.gateway.toFixed(0)} MB/s, bare http-proxy-middleware ${best.bare.toFixed(0)} MB/s`;
  return judge(ratio >= SPEED_MIN, `${way}: ${speeds}: ${ratio.toFixed(2)} (bar: at least ${SPEED_MIN})`);
}

/** In a process of its own, on the processor that the proxy does not have. */
async function transfer(way: Way, url: string, bytes: number, token: string, digest = false): Promise<TransferResult> {
  const words = [script('./transfer-client.ts'), way, url, String(bytes), token, ...(digest ? ['digest'] : [])];
  await using client = startChild(process.execPath, words, { core: OTHER_CORE });
  const said = await text(client.process.stdout as NodeJS.ReadableStream);
  if (said === '') throw new Error(`${way} through ${url} failed`);
  return JSON.parse(said) as TransferResult;
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}
