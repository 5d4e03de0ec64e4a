import { Random } from '../random.ts';

export interface App {
  readonly name: string;
  version: string;
}

/** A device as Mason documents it, without its location and without `self` and `group`, which follow from where it stands. */
export interface DeviceModel {
  serialnumber: string;
  name: string;
  family: string;
  createdAt: string;
  lastcheckin: string;
  apps: App[];
  battery: { level: string };
  connection: Connection;
  os: {
    configuration: { device: string; product: string; project: string; version: string };
    masonOS: { incremental: string; release: string };
  };
  status: { osUpdated: boolean; appsUpdated: boolean; projectUpdated: boolean };
}

export interface Connection {
  dataUsage: {
    appsDataUsage: { packageNames: string[]; uid: number; usageCycles: UsageCycle[] }[];
    usageCycles: UsageCycle[];
  };
  bluetooth: { enabled: boolean; macAddress: string; name: string; pairedDevices: string[] };
  sim: { carrier: string; countryiso: string; iccid: string; mcc: string; mnc: string }[];
  wifi: { adapterMacAddress: string; bssid: string; enabled: boolean; ipaddress: string; ssid: string };
}

interface UsageCycle {
  startTime: string;
  endTime: string;
  usages: { type: string; bytesReceived: number; bytesSent: number }[];
}

/** The fleet's own present: fixed, so that the same seed gives the same bytes on any day. */
export const FLEET_NOW = Date.UTC(2026, 0, 15, 9, 0, 0);
const DAY_MS = 86_400_000;

const FAMILIES = ['A4100', 'D450', 'G430', 'H3450'] as const;
const PROJECTS = ['point-of-sale', 'stock-scanner', 'menu-board', 'patient-tablet', 'fleet-tracker'] as const;
const APPS = [
  'com.example.kiosk',
  'com.example.scanner',
  'com.example.payments',
  'com.example.signage',
  'com.example.launcher',
] as const;
const CARRIERS = [
  { carrier: 'T-Mobile', countryiso: 'us', mcc: '310', mnc: '260' },
  { carrier: 'AT&T', countryiso: 'us', mcc: '310', mnc: '410' },
  { carrier: 'Vodafone', countryiso: 'de', mcc: '262', mnc: '02' },
  { carrier: 'Orange', countryiso: 'fr', mcc: '208', mnc: '01' },
] as const;

/** The device with this index, as it is before anything happened to it. */
export function buildDevice(seed: number, index: number): DeviceModel {
  const random = Random.of(seed, 'device', index);
  const family = random.pick(FAMILIES);
  const project = random.pick(PROJECTS);
  const createdAt = FLEET_NOW - random.whole(30, 900) * DAY_MS;
  const apps = APPS.filter(() => random.chance(0.5)).map((name) => ({ name, version: version(random) }));
  return {
    serialnumber: `${family}${random.hex(10).toUpperCase()}`,
    name: `${project}-${String(index + 1).padStart(4, '0')}`,
    family,
    createdAt: new Date(createdAt).toISOString(),
    lastcheckin: new Date(FLEET_NOW - random.whole(0, 3 * DAY_MS)).toISOString(),
    apps,
    battery: { level: String(random.whole(4, 100)) },
    connection: buildConnection(random, index, apps),
    os: {
      configuration: { device: family, product: 'mason', project, version: String(random.whole(1, 40)) },
      masonOS: { incremental: `${random.whole(2, 4)}.${random.whole(0, 19)}.${random.whole(0, 9)}`, release: '13' },
    },
    status: {
      osUpdated: random.chance(0.9),
      appsUpdated: random.chance(0.85),
      projectUpdated: random.chance(0.8),
    },
  };
}

function buildConnection(random: Random, index: number, apps: readonly App[]): Connection {
  const carrier = random.pick(CARRIERS);
  const sim = random.chance(0.6) ? [{ ...carrier, iccid: `89${carrier.mcc}${random.digits(14)}` }] : [];
  return {
    dataUsage: {
      appsDataUsage: apps.map((app, at) => ({
        packageNames: [app.name],
        uid: 10_000 + at,
        usageCycles: [usageCycle(random)],
      })),
      usageCycles: [usageCycle(random)],
    },
    bluetooth: {
      enabled: random.chance(0.4),
      macAddress: macAddress(random),
      name: `mason-${index + 1}`,
      pairedDevices: random.chance(0.2) ? [macAddress(random)] : [],
    },
    sim,
    wifi: {
      adapterMacAddress: macAddress(random),
      bssid: macAddress(random),
      enabled: random.chance(0.9),
      ipaddress: `10.${random.whole(0, 255)}.${random.whole(0, 255)}.${random.whole(1, 254)}`,
      ssid: random.pick(['store-floor', 'warehouse', 'back-office']),
    },
  };
}

function usageCycle(random: Random): UsageCycle {
  const usages = ['wifi', 'mobile'].map((type) => ({
    type,
    bytesReceived: random.whole(0, 900_000_000),
    bytesSent: random.whole(0, 90_000_000),
  }));
  return {
    startTime: new Date(Date.UTC(2026, 0, 1)).toISOString(),
    endTime: new Date(Date.UTC(2026, 1, 1)).toISOString(),
    usages,
  };
}

function version(random: Random): string {
  return `${random.whole(1, 9)}.${random.whole(0, 20)}.${random.whole(0, 9)}`;
}

function macAddress(random: Random): string {
  return Array.from({ length: 6 }, () => random.hex(2)).join(':');
}
