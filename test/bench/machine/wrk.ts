import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startChild } from './scratch.ts';

const SCRIPT = fileURLToPath(new URL('./wrk.lua', import.meta.url));

export interface Load {
  /** With a query: `&n=<count>` is added to it. */
  readonly url: string;
  readonly token: string;
  readonly connections: number;
  readonly seconds: number;
  readonly core: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Calls as fast as the answers come, over so many connections; each call with a query of its own.
 *
 * @throws Error when anything but 2xx came back: such a number would mean nothing
 */
export async function load({ url, token, connections, seconds, core }: Load): Promise<LoadResult> {
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', SCRIPT];
  await using wrk = startChild('wrk', [...options, '-H', `Authorization: Bearer ${token}`, url], { core });
  const [output] = await Promise.all([text(wrk.process.stdout as NodeJS.ReadableStream), once(wrk.process, 'close')]);
  const found = /^RESULT (.+)$/m.exec(output)?.[1];
  if (found === undefined) throw new Error(`wrk told no result: ${output}`);
  const result = JSON.parse(found) as Record<'requests' | 'micros' | 'p50' | 'p99' | 'badStatus' | 'failed', number>;
  if (result.badStatus > 0 || result.failed > 0) {
    throw new Error(`${url}: ${result.badStatus} answers were no 2xx, ${result.failed} calls failed; see above`);
  }
  return {
    requests: result.requests,
    perSecond: (result.requests * 1e6) / result.micros,
    p50Ms: result.p50 / 1_000,
    p99Ms: result.p99 / 1_000,
  };
}
