import type { Device } from '../fleet/fleet.ts';
import { type Answer, invalid, jsonAnswer } from './answer.ts';
import { type Call, jsonBody, param, requiredText, requiredTexts } from './call.ts';
import { findDevice } from './devices.ts';
import { findGroup } from './groups.ts';

/** A remote command to named devices or to a whole group. Answers with the devices it reached. */
export function notify(call: Call): Answer {
  const type = param(call, 'type');
  const body = jsonBody(call);
  if (type === 'application') {
    requiredText(body, 'package');
    requiredText(body, 'command');
  }
  const devices = targets(call, body);
  for (const device of devices) take(call, type, device);
  const reached = devices.map((device) => device.id);
  call.account.done(type, reached);
  return jsonAnswer({ type, devices: reached });
}

export function deploy(call: Call): Answer {
  const body = jsonBody(call);
  const group = findGroup(call, requiredText(body, 'group'));
  const type = requiredText(body, 'type');
  const name = requiredText(body, 'name');
  const version = requiredText(body, 'version');
  const push = body['push'] ?? false;
  if (type !== 'config' && type !== 'apk' && type !== 'ota') throw invalid('type must be one of config, apk, ota');
  if (typeof push !== 'boolean') throw invalid('push must be true or false');
  const devices = call.account.fleet.devicesIn(group.name);
  for (const device of devices) receive(call, device, type, name, version);
  const reached = devices.map((device) => device.id);
  call.account.done(`deploy-${type}`, reached);
  return jsonAnswer({ group: group.name, type, name, version, push, devices: reached });
}

function targets(call: Call, body: Readonly<Record<string, unknown>>): Device[] {
  const byGroup = body['group'] !== undefined;
  const byDevice = body['devices'] !== undefined;
  if (byGroup && byDevice) throw invalid('Only one of devices and group may be given');
  if (!byGroup && !byDevice) throw invalid('Missing required parameter: devices or group');
  if (byGroup) return call.account.fleet.devicesIn(findGroup(call, requiredText(body, 'group')).name);
  // All are looked up before any is touched: an unknown one leaves the others as they were.
  return requiredTexts(body, 'devices').map((id) => findDevice(call, id));
}

function take(call: Call, type: string, device: Device): void {
  const { fleet } = call.account;
  if (type === 'wipe') {
    fleet.change(device, (model) => {
      model.apps = [];
    });
  } else if (type === 'refurbish') {
    fleet.remove(device);
  } else if (type === 'refresh' || type === 'check') {
    fleet.change(device, (model) => {
      model.lastcheckin = new Date().toISOString();
    });
  }
}

function receive(call: Call, device: Device, type: 'config' | 'apk' | 'ota', name: string, version: string): void {
  call.account.fleet.change(device, (model) => {
    if (type === 'config') {
      model.os.configuration.project = name;
      model.os.configuration.version = version;
    } else if (type === 'ota') {
      model.os.masonOS.incremental = version;
    } else {
      model.apps = [...model.apps.filter((app) => app.name !== name), { name, version }];
    }
  });
}
