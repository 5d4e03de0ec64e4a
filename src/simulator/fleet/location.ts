import { Random } from '../random.ts';
import { FLEET_NOW } from './device-model.ts';

const DAY_MS = 86_400_000;

/** Where a device is: never part of the device itself, behind a scope of its own. */
export function locationOf(seed: number, index: number): object {
  const random = Random.of(seed, 'location', index);
  return {
    latitude: Number((47 + random.next() * 6).toFixed(6)),
    longitude: Number((6 + random.next() * 8).toFixed(6)),
    accuracy: random.whole(4, 60),
    recordedAt: new Date(FLEET_NOW - random.whole(0, DAY_MS)).toISOString(),
  };
}
