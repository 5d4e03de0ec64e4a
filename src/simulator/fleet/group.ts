import { Random } from '../random.ts';
import { FLEET_NOW } from './device-model.ts';

export interface Group {
  readonly name: string;
  readonly description: string;
  readonly createdAt: string;
}

const PLACES = ['berlin', 'lyon', 'porto', 'seattle', 'austin', 'oslo', 'turin', 'gent'] as const;
const PURPOSES = ['stores', 'warehouse', 'clinic', 'drivers', 'kitchen'] as const;
const DAY_MS = 86_400_000;

/** Groups in the order of their names, all different however many there are. */
export function buildGroups(seed: number, count: number): Group[] {
  const random = Random.of(seed, 'groups', 0);
  const groups = Array.from({ length: count }, (_, index) => {
    const place = PLACES[index % PLACES.length] ?? PLACES[0];
    const purpose = PURPOSES[Math.floor(index / PLACES.length) % PURPOSES.length] ?? PURPOSES[0];
    const round = Math.floor(index / (PLACES.length * PURPOSES.length));
    return {
      name: round === 0 ? `${place}-${purpose}` : `${place}-${purpose}-${round + 1}`,
      description: `Devices of the ${purpose} in ${place}`,
      createdAt: new Date(FLEET_NOW - random.whole(100, 1000) * DAY_MS).toISOString(),
    };
  });
  // By code unit, as paging compares them: `sort()` without a locale.
  return groups.sort((a, b) => (a.name < b.name ? -1 : 1));
}
