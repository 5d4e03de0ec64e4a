import Bottleneck from 'bottleneck';
import type { RedisClient } from '../redis/redis-client.ts';

/** The part of Redis that a limiter needs. */
export type LimiterRedis = Pick<RedisClient, 'connect' | 'keys'>;

interface LimiterOptions {
  readonly budgetId: string;
  /** Whole milliseconds between two grants. */
  readonly minTimeMs: number;
  /** Where it shares its state with other gateways; undefined: it has none but its own. */
  readonly redis: LimiterRedis | undefined;
  /** Forgets what is kept of the budget, for all gateways. */
  readonly clear: boolean;
  readonly onReady: () => void;
  /** It is of no use any more. May be called more than once; must not throw, or the library calls it for that too. */
  readonly onFailure: (error: unknown) => void;
  /** What another gateway said about the budget, or this one. */
  readonly onMessage: (message: string) => void;
}

/** Beyond it, Redis frees what a dead process had running, so that nothing of it stays. */
const JOB_MS_MAX = 5_000;
/** A budget that nobody used for so long is forgotten: no window is longer. */
const FORGOTTEN_AFTER_MS = 86_400_000;

/**
 * One Bottleneck limiter. On Redis it has connections of its own that live and die with it: the library clears up behind
 * itself only where it may throw away connections, and rejections of its own reach nobody otherwise.
 */
export class Limiter {
  readonly #limiter: Bottleneck;
  readonly #connection: Bottleneck.IORedisConnection | undefined;
  readonly #onFailure: (error: unknown) => void;
  readonly #onBooked = new Map<string, () => void>();
  #asked = 0;

  constructor({ budgetId, minTimeMs, redis, clear, onReady, onFailure, onMessage }: LimiterOptions) {
    this.#onFailure = onFailure;
    this.#connection = redis && openConnection(redis, onFailure);
    this.#limiter = new Bottleneck({
      minTime: minTimeMs,
      id: redis?.keys.budgetLimiter(budgetId) ?? budgetId,
      ...(this.#connection && { connection: this.#connection, clearDatastore: clear, timeout: FORGOTTEN_AFTER_MS }),
    });
    this.#limiter.on('error', onFailure);
    this.#limiter.on('scheduled', ({ options }) => this.#onBooked.get(options.id)?.());
    this.#limiter.on('message', onMessage);
    // Whoever comes first writes the settings that hold for all: they may be of another limit.
    const ready = redis === undefined ? undefined : this.#limiter.ready().then(() => this.setMinTime(minTimeMs));
    void Promise.resolve(ready).then(onReady, onFailure);
  }

  /** Asks for the next grant. `onBooked` when it has an instant, `onGrant` when that has come. */
  ask(onBooked: () => void, onGrant: () => void): void {
    const id = `grant-${++this.#asked}`;
    this.#onBooked.set(id, onBooked);
    this.#limiter
      .schedule({ id, expiration: JOB_MS_MAX }, async () => onGrant())
      .catch(this.#onFailure)
      .finally(() => this.#onBooked.delete(id));
  }

  async setMinTime(minTimeMs: number): Promise<void> {
    await this.#limiter.updateSettings({ minTime: minTimeMs });
  }

  /** Tells all gateways, this one included. */
  say(message: string): void {
    this.#limiter.publish(message).catch(this.#onFailure);
  }

  /** What was booked comes no more. */
  async end(): Promise<void> {
    const stopped = this.#limiter.stop({ dropWaitingJobs: true });
    if (this.#connection === undefined) {
      await stopped;
      await this.#limiter.disconnect();
      return;
    }
    // Whatever it waits for, without its connections it gets no answer.
    void stopped.catch(() => {});
    await this.#connection.disconnect(false);
    // Its beat may have begun just now.
    const quiet = (): Promise<void> => this.#limiter.disconnect(false);
    void this.#limiter.ready().then(quiet, quiet);
  }
}

function openConnection(redis: LimiterRedis, onFailure: (error: unknown) => void): Bottleneck.IORedisConnection {
  const open = () => {
    const connection = redis.connect({ keyPrefix: redis.keys.prefix, reconnects: false });
    connection.once('end', () => onFailure(new Error('the connection to Redis was lost')));
    return connection;
  };
  const subscriber = open();
  const client = open();
  const define = client.defineCommand.bind(client);
  Object.assign(client, {
    duplicate: () => subscriber,
    defineCommand: (name: string, { lua }: { lua: string }) => define(name, { lua: onRedisTime(lua) }),
  });
  return new Bottleneck.IORedisConnection({ client });
}

const ITS_TIME = 'local now = tonumber(ARGV[1])';

/**
 * The library counts by the clock of whichever gateway asks, so that one clock that is wrong stops the others or lets them
 * go twice as fast. Redis' own clock is the same for all.
 */
function onRedisTime(lua: string): string {
  if (!lua.includes(ITS_TIME)) throw new Error('this release of Bottleneck takes its time from elsewhere');
  return lua.replace(
    ITS_TIME,
    "local time = redis.call('TIME')\nlocal now = time[1] * 1000 + math.floor(time[2] / 1000)",
  );
}
