import { Random } from '../random.ts';
import { buildDevice, type DeviceModel } from './device-model.ts';
import { buildGroups, type Group } from './group.ts';
import { imeiOf } from './imei.ts';

/** A device in the list. Its rich model is built when somebody first looks: a fleet of a million starts at once. */
export interface Device {
  readonly index: number;
  readonly id: string;
  readonly imei: string;
  /** The name of its group: a device is in exactly one. */
  group: string;
}

export interface FleetShape {
  readonly seed: number;
  readonly devices: number;
  readonly groups: number;
}

/** All devices and groups of the account, the same for the same shape, and what has changed since. */
export class Fleet {
  readonly seed: number;
  /** In the order of their index, which is their place in lists; refurbished ones are gone. */
  readonly devices: Device[] = [];
  /** In the order of their names. */
  readonly groups: Group[];
  readonly #byId = new Map<string, Device>();
  readonly #models = new Map<Device, DeviceModel>();
  /** Texts of devices as they go over the wire; making one costs more than all the rest of a call. */
  readonly #texts = new Map<Device, string>();

  constructor(shape: FleetShape) {
    this.seed = shape.seed;
    this.groups = buildGroups(shape.seed, shape.groups);
    const random = Random.of(shape.seed, 'fleet', 0);
    for (let index = 0; index < shape.devices; index += 1) {
      const group = this.groups[random.whole(0, this.groups.length - 1)];
      if (group === undefined) throw new RangeError('a fleet with devices needs a group');
      const device = { index, id: random.uuid(), imei: imeiOf(index), group: group.name };
      this.devices.push(device);
      this.#byId.set(device.id, device);
    }
  }

  device(id: string): Device | undefined {
    return this.#byId.get(id);
  }

  group(name: string): Group | undefined {
    return this.groups.find((group) => group.name === name);
  }

  devicesIn(group: string): Device[] {
    return this.devices.filter((device) => device.group === group);
  }

  model(device: Device): DeviceModel {
    let model = this.#models.get(device);
    if (model === undefined) {
      model = buildDevice(this.seed, device.index);
      this.#models.set(device, model);
    }
    return model;
  }

  /** The device as JSON text. */
  text(device: Device): string {
    let text = this.#texts.get(device);
    if (text === undefined) {
      const { serialnumber, ...rest } = this.model(device);
      const self = `/v1/default/device/${device.id}`;
      const group = { name: device.group, self: groupPath(device.group) };
      text = JSON.stringify({ id: device.id, self, serialnumber, imei: device.imei, ...rest, group });
      this.#texts.set(device, text);
    }
    return text;
  }

  change(device: Device, apply: (model: DeviceModel) => void): void {
    apply(this.model(device));
    this.#texts.delete(device);
  }

  move(device: Device, group: string): void {
    device.group = group;
    this.#texts.delete(device);
  }

  /** A deprovisioned device: no longer reachable. */
  remove(device: Device): void {
    const at = this.devices.indexOf(device);
    if (at >= 0) this.devices.splice(at, 1);
    this.#byId.delete(device.id);
    this.#models.delete(device);
    this.#texts.delete(device);
  }

  addGroup(group: Group): void {
    const after = this.groups.findIndex((other) => other.name > group.name);
    this.groups.splice(after < 0 ? this.groups.length : after, 0, group);
  }

  removeGroup(group: Group): void {
    this.groups.splice(this.groups.indexOf(group), 1);
  }
}

/** A group's documented `self`. */
export function groupPath(name: string): string {
  return `/v1/default/group/${encodeURIComponent(name)}`;
}
