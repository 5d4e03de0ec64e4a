import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RedisServer } from '../../support/redis-server.ts';
import type { Memory } from '../machine/report-memory.ts';
import { startChild } from '../machine/scratch.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { judge, type Part, tell } from './bar.ts';
import type { Cell } from './cell.ts';
import { startFleet } from './gateway-fleet.ts';

const WAITING = 10_000;
/** What comes only with the first calls is not counted. */
const FIRST = 1_000;
const BYTES_EACH_MAX = 3_000;
/** Fewer than the backlog of a door. */
const AT_ONCE = 100;
const SETTLE_MS = 1_000;
const APP = 'app';
/** So slow that nearly nobody leaves meanwhile. */
const CELL: Cell = { limit: { calls: 4, windowMs: 1_000 }, kind: 'sliding-log', jitterMs: 0 };
const PATIENCE_MS = 3_600_000;
const FLAGS = ['--expose-gc'];
const PRELOAD = new URL('../machine/report-memory.ts', import.meta.url).href;
const EXPRESS = fileURLToPath(new URL('./express-holding.ts', import.meta.url));

/** Callers who wait on a shared lane, beside the same ones in a handler that does nothing. */
export const memory: Part = {
  name: 'memory',
  about: `what each of ${WAITING} callers who wait at a whole gateway with Redis costs, above a bare Express handler`,
  async run() {
    const [own, bare] = [await ofGateway(), await ofExpress()];
    const above = own.held - bare.held;
    tell(`a waiting caller: ${own.held.toFixed(0)} bytes at the gateway, ${bare.held.toFixed(0)} at Express`);
    tell(`resident: ${own.resident.toFixed(0)} and ${bare.resident.toFixed(0)} bytes`);
    return judge(above <= BYTES_EACH_MAX, `${above.toFixed(0)} bytes a caller more; the bar is ${BYTES_EACH_MAX}`);
  },
};

async function ofGateway(): Promise<Memory> {
  await using redis = await RedisServer.start();
  const placement = { redisUrl: redis.url, preload: PRELOAD, flags: FLAGS };
  const patience = { waitDefaultMs: PATIENCE_MS, waitMaxMs: PATIENCE_MS };
  await using fleet = await startFleet(CELL, [APP], [placement], patience);
  const [gateway] = fleet.gateways;
  if (gateway === undefined) throw new Error('no gateway');
  const waiting = async () => Number(/^mason_gateway_line_depth\S* (\d+)$/m.exec(await gateway.metrics())?.[1] ?? 0);
  return await perCaller(gateway.process, gateway.url, fleet.tokens.get(APP) as string, waiting);
}

async function ofExpress(): Promise<Memory> {
  await using child = startChild(process.execPath, [...FLAGS, '--import', PRELOAD, EXPRESS], {
    env: { NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const [line] = await once(createInterface({ input: child.process.stdout as NodeJS.ReadableStream }), 'line');
  return await perCaller(child.process, `http://127.0.0.1:${String(line).slice('PORT '.length)}`, 'token');
}

/** @param waiting how many wait; undefined: all who called. */
async function perCaller(
  server: ChildProcess,
  url: string,
  token: string,
  waiting?: () => Promise<number>,
): Promise<Memory> {
  // They stay: connections that end leave more behind than those that are open.
  const first = await call(url, token, 0, FIRST);
  await sleep(SETTLE_MS);
  const before = await ask(server);
  const rest = await call(url, token, FIRST, WAITING);
  if (waiting !== undefined) {
    await waitUntil('all wait', async () => ((await waiting()) > WAITING * 0.98 ? true : undefined));
  }
  await sleep(SETTLE_MS);
  const after = await ask(server);
  for (const socket of [...first, ...rest]) socket.destroy();
  const each = (pick: (memory: Memory) => number): number => (pick(after) - pick(before)) / rest.length;
  return { held: each(({ held }) => held), resident: each(({ resident }) => resident) };
}

/** Raw connections: ten thousand clients would be the larger part of the work. */
async function call(url: string, token: string, from: number, to: number): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  while (from + sockets.length < to) {
    const some = Array.from({ length: Math.min(AT_ONCE, to - from - sockets.length) }, async (_, n) => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      await once(socket, 'connect');
      const lines = [
        `GET /v1/default/device?limit=1&n=${from + sockets.length + n} HTTP/1.1`,
        ...[`Host: ${hostname}:${port}`, `Authorization: Bearer ${token}`, 'Accept: application/json'],
      ];
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
      return socket;
    });
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

async function ask(server: ChildProcess): Promise<Memory> {
  const answer = once(server, 'message');
  server.send('memory');
  return (await answer)[0] as Memory;
}
