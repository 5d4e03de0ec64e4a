import { RateLimiterMemory, RateLimiterQueue, RateLimiterRedis } from 'rate-limiter-flexible';

/**
 * Its queue, as its documentation shows it: a window of a second, and whoever is refused waits for the next one.
 *
 * @param redis an ioredis client; undefined: the process counts alone
 * @returns waits for a turn
 */
export function openQueue(callsPerSecond, redis) {
  const options = { points: callsPerSecond, duration: 1, keyPrefix: 'bench' };
  const limiter =
    redis === undefined ? new RateLimiterMemory(options) : new RateLimiterRedis({ ...options, storeClient: redis });
  const queue = new RateLimiterQueue(limiter);
  return () => queue.removeTokens(1);
}
