import type { Device } from '../fleet/fleet.ts';
import { locationOf } from '../fleet/location.ts';
import { type Answer, jsonAnswer, notFound, textAnswer } from './answer.ts';
import { type Call, jsonBody, param, requiredText } from './call.ts';
import { type PageKeys, page } from './paging.ts';

/** A token that looks like many APIs' cursors: base64url of something a client has no business with. */
const DEVICE_KEYS: PageKeys<Device> = {
  write: (device) => Buffer.from(`device:${device.index}`).toString('base64url'),
  read: (key) => {
    const index = /^device:(\d{1,15})$/.exec(Buffer.from(key, 'base64url').toString('latin1'))?.[1];
    return index === undefined ? undefined : (device) => device.index - Number(index);
  },
};

export function listDevices(call: Call): Answer {
  const { fleet } = call.account;
  const imei = call.query.get('n');
  const devices = imei === null ? fleet.devices : fleet.devices.filter((device) => device.imei === imei);
  return page(devices, DEVICE_KEYS, call.query, (device) => fleet.text(device));
}

export function getDevice(call: Call): Answer {
  return oneDevice(call, findDevice(call, param(call, 'id')));
}

export function renameDevice(call: Call): Answer {
  const device = findDevice(call, param(call, 'id'));
  const name = requiredText(jsonBody(call), 'name');
  call.account.fleet.change(device, (model) => {
    model.name = name;
  });
  call.account.done('rename', [device.id]);
  return oneDevice(call, device);
}

export function getLocation(call: Call): Answer {
  const device = findDevice(call, param(call, 'id'));
  return jsonAnswer(locationOf(call.account.fleet.seed, device.index));
}

export function findDevice(call: Call, id: string): Device {
  const device = call.account.fleet.device(id);
  if (device === undefined) throw notFound(`Device ${id} does not exist`);
  return device;
}

/** A list of one: the wrapper that third-party clients read. */
function oneDevice(call: Call, device: Device): Answer {
  return textAnswer(`{"data":[${call.account.fleet.text(device)}]}`);
}
