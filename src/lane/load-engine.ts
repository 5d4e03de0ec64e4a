import type { Clock } from '../domain/clock.ts';
import type { Lane, LaneSettings } from '../domain/lane.ts';
import type { RedisClient } from '../redis/redis-client.ts';

export type LaneEngine = 'fair' | 'bottleneck';

/** Makes the lane of a budget; without a client, this process alone sends from it. */
export type MakeLane = (settings: LaneSettings, clock: Clock, client: RedisClient | undefined) => Lane;

/** Loads Bottleneck for those who chose it, and only for them: its code alone costs megabytes. */
export async function loadEngine(engine: LaneEngine): Promise<'fair' | MakeLane> {
  if (engine === 'fair') return engine;
  const { BottleneckLane } = await import('./bottleneck-lane.ts');
  return (settings, clock, client) => new BottleneckLane(settings, clock, client);
}
