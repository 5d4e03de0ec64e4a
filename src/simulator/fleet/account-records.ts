import { Random } from '../random.ts';
import { FLEET_NOW } from './device-model.ts';
import type { Fleet } from './fleet.ts';

const DAY_MS = 86_400_000;
const FIRST_NAMES = ['ada', 'ben', 'chloe', 'deniz', 'emil', 'fatima', 'gus', 'hana'] as const;
const ROLES = ['owner', 'admin', 'member'] as const;

/** Things of the account that nothing changes: built when asked for, the same each time. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly createdAt: string;
}

export function users(seed: number): User[] {
  const random = Random.of(seed, 'users', 0);
  return FIRST_NAMES.map((name, index) => ({
    id: random.uuid(),
    email: `${name}@example.com`,
    role: index === 0 ? 'owner' : random.pick(ROLES),
    createdAt: new Date(FLEET_NOW - random.whole(10, 900) * DAY_MS).toISOString(),
  }));
}

export function subscription(seed: number): object {
  const random = Random.of(seed, 'subscription', 0);
  const accountID = random.uuid();
  if (random.chance(0.5)) return { accountID, type: 'device_data_pool', typeSpecific: { value: 50_000_000_000 } };
  return { accountID, type: 'pay_as_you_go', typeSpecific: { target: 20_000_000_000 } };
}

/** One row a day, the newest first. */
export function usage(seed: number): object[] {
  return Array.from({ length: 30 }, (_, day) => {
    const random = Random.of(seed, 'usage', day);
    const upload = random.whole(10_000_000, 90_000_000);
    const download = random.whole(100_000_000, 900_000_000);
    const date = new Date(FLEET_NOW - day * DAY_MS).toISOString().slice(0, 10);
    return { total: upload + download, upload, download, unit: 'bytes', date };
  });
}

/** The SIM cards that sit in devices of the fleet. */
export function sims(fleet: Fleet): object[] {
  return fleet.devices.flatMap((device) =>
    fleet.model(device).connection.sim.map((sim) => ({ ...sim, state: 'active', device: device.id })),
  );
}
