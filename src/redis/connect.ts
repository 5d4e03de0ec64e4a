import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from './redis-settings.ts';

/** Longest distance of two attempts to connect: with it, a Redis that is back is used again within two seconds. */
const RECONNECT_MS_MAX = 500;
const RECONNECT_MS_MIN = 25;
/** A cluster may point elsewhere so often for one command. */
const REDIRECTIONS_MAX = 4;
const REDIRECT_DELAY_MS = 50;

export interface ConnectOptions {
  /** Put before every key by the connection itself: for libraries that spell their own. */
  readonly keyPrefix?: string;
  /** False: once it is lost it stays so (`end`). */
  readonly reconnects?: boolean;
}

/**
 * A connection that connects again for ever and never lets anybody wait: without a connection commands fail at once, with
 * one they fail after `commandMs`; none is sent a second time, because Redis may have done it the first time. A connection
 * on which nothing comes back is given up and made again.
 */
export function connect(settings: RedisSettings, options: ConnectOptions = {}): Redis | Cluster {
  const { keyPrefix = '', reconnects = true } = options;
  const retryStrategy = reconnects ? reconnectDelayMs : null;
  const { at, tls, commandMs, connectMs } = settings;
  const common = {
    connectionName: 'mason-gateway',
    disableClientInfo: true,
    connectTimeout: connectMs,
    commandTimeout: commandMs,
    socketTimeout: 2 * commandMs,
    disconnectTimeout: commandMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxLoadingRetryTime: RECONNECT_MS_MAX,
    retryStrategy,
    // The client would not notice if that failed: whoever listens to channels subscribes at each `ready`.
    autoResubscribe: false,
    // A master that became a replica: its name may lead to the new one by now.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    db: settings.db,
    ...(settings.user === undefined ? {} : { username: settings.user }),
    ...(settings.password === undefined ? {} : { password: settings.password.reveal() }),
    ...(tls === undefined ? {} : { tls: { ...tls, key: tls.key?.reveal() } }),
  } satisfies RedisOptions;
  switch (at.kind) {
    case 'server':
      return new Redis({ ...common, host: at.host, port: at.port, keyPrefix });
    case 'sentinel':
      return new Redis({
        ...common,
        sentinels: at.hosts.map(({ host, port }) => ({ host, port })),
        name: at.name,
        sentinelCommandTimeout: commandMs,
        sentinelRetryStrategy: reconnectDelayMs,
        enableTLSForSentinelMode: tls !== undefined,
        ...(tls === undefined ? {} : { sentinelTLS: { ...tls, key: tls.key?.reveal() } }),
        keyPrefix,
      });
    case 'cluster':
      return new Cluster(
        at.hosts.map(({ host, port }) => ({ host, port })),
        {
          redisOptions: common,
          keyPrefix,
          enableOfflineQueue: false,
          clusterRetryStrategy: retryStrategy,
          slotsRefreshTimeout: connectMs,
          maxRedirections: REDIRECTIONS_MAX,
          // A command whose connection was lost may have been done.
          retryDelayOnFailover: 0,
          retryDelayOnClusterDown: REDIRECT_DELAY_MS,
          retryDelayOnTryAgain: REDIRECT_DELAY_MS,
        },
      );
  }
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** Math.min(attempt - 1, 10));
}
