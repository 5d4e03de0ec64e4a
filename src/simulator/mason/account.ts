import { Fleet, type FleetShape } from '../fleet/fleet.ts';
import { XrayDevices } from '../xray/xray-devices.ts';

export interface Artifact {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly createdAt: string;
}

/** Something that was done to devices: what a test looks at to see whether a command took effect, and how often. */
export interface Effect {
  readonly at: string;
  readonly what: string;
  readonly devices: readonly string[];
}

const EFFECTS_KEPT = 1000;

/** The account behind the API: its fleet, its artifacts, and what was done. */
export class Account {
  readonly fleet: Fleet;
  readonly artifacts: Artifact[] = [];
  readonly effects: Effect[] = [];
  readonly xray = new XrayDevices();

  constructor(shape: FleetShape) {
    this.fleet = new Fleet(shape);
  }

  done(what: string, devices: readonly string[]): void {
    this.effects.push({ at: new Date().toISOString(), what, devices });
    if (this.effects.length > EFFECTS_KEPT) this.effects.shift();
  }
}
