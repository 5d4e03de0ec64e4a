import { setTimeout as sleep } from 'node:timers/promises';
import { RedisServer } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

/** Long enough that every gateway has been silent, and then goes on alone. */
const AWAY_MS = 8_000;
/** An outage that is none: calls must not even notice. */
const STRAINED_MS = 5_000;
const SLOW_MS = 100;

/** Redis, with a way to it for each gateway that can be slow, cut, or led to another one. */
export interface BreakableRedis extends AsyncDisposable {
  readonly server: RedisServer;
  readonly spare: RedisServer;
  readonly ways: readonly TcpProxy[];
}

export interface RedisFault {
  readonly name: string;
  /** Breaks, waits, mends; comes back when Redis can be reached by all. */
  happens(redis: BreakableRedis, timesAsLong: number): Promise<void>;
}

export async function startBreakable(gateways: number): Promise<BreakableRedis> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await RedisServer.start());
  const spare = stack.use(await RedisServer.start());
  const ways: TcpProxy[] = [];
  for (let n = 0; n < gateways; n++) ways.push(stack.use(await TcpProxy.before(server.port)));
  const rest = stack.move();
  return { server, spare, ways, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

/** One after the other; the last leaves the gateways at the spare one. */
export const REDIS_FAULTS: readonly RedisFault[] = [
  {
    name: 'killed',
    async happens({ server }, times) {
      await server.kill();
      await sleep(AWAY_MS * times);
      await server.restart();
    },
  },
  {
    name: 'frozen',
    async happens({ server }, times) {
      server.freeze();
      await sleep(AWAY_MS * times);
      server.thaw();
    },
  },
  { name: 'flushed', happens: ({ server }) => server.flush() },
  { name: 'restarted empty', happens: ({ server }) => server.restart() },
  {
    name: `slow (${SLOW_MS} ms)`,
    async happens({ ways }, times) {
      for (const way of ways) way.delayMs = SLOW_MS;
      await sleep(STRAINED_MS * times);
      for (const way of ways) way.delayMs = 0;
    },
  },
  {
    name: 'read-only',
    async happens({ server }, times) {
      await server.readOnly(true);
      await sleep(AWAY_MS * times);
      await server.readOnly(false);
    },
  },
  {
    name: 'out of memory',
    async happens({ server }, times) {
      await server.outOfMemory(true);
      await sleep(AWAY_MS * times);
      await server.outOfMemory(false);
    },
  },
  { name: 'connections cut', happens: ({ server }) => server.killClients() },
  {
    name: 'cut off for one gateway, not for the others',
    async happens({ ways }, times) {
      ways[0]?.cut();
      await sleep(AWAY_MS * times);
      ways[0]?.mend();
    },
  },
  {
    name: 'failed over to an empty replica',
    async happens({ spare, ways }) {
      for (const way of ways) way.failOver(spare.port);
    },
  },
];
