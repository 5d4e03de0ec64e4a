import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startChild } from '../machine/scratch.ts';
import { type Contestant, MASON_KEY, PROXY_CORE } from './contestant.ts';

/** By the name of their file. */
export const PEERS = ['http-proxy-middleware', 'fastify-http-proxy', 'undici-express', 'undici-node-http'] as const;

export async function startPeer(name: (typeof PEERS)[number], upstream: string): Promise<Contestant> {
  const script = fileURLToPath(new URL(`../peers/${name}.js`, import.meta.url));
  const env = { NODE_ENV: 'production' };
  const child = startChild(process.execPath, [script, upstream, MASON_KEY], { core: PROXY_CORE, env });
  const lines = createInterface({ input: child.process.stdout as NodeJS.ReadableStream });
  const first = await Promise.race([once(lines, 'line'), once(child.process, 'exit')]);
  const port = /^PORT (\d+)$/.exec(String(first[0]))?.[1];
  if (port === undefined) throw new Error(`${name} did not start`);
  return { name, url: `http://127.0.0.1:${port}`, pid: child.pid, [Symbol.asyncDispose]: () => child.end() };
}
