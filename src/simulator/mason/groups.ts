import { groupPath } from '../fleet/fleet.ts';
import type { Group } from '../fleet/group.ts';
import { type Answer, conflict, invalid, jsonAnswer, notFound } from './answer.ts';
import { type Call, jsonBody, param, requiredText, requiredTexts } from './call.ts';
import { findDevice } from './devices.ts';
import { type PageKeys, page } from './paging.ts';

const NAME = /^[A-Za-z0-9_-]+$/;
const DESCRIPTION_MAX = 300;

/** Derived from the name: still a place in the list when that group has gone. */
const GROUP_KEYS: PageKeys<Group> = {
  write: (group) => `name:${group.name}`,
  read: (key) => {
    const name = /^name:([A-Za-z0-9_-]+)$/.exec(key)?.[1];
    if (name === undefined) return undefined;
    return (group) => (group.name < name ? -1 : group.name > name ? 1 : 0);
  },
};

export function listGroups(call: Call): Answer {
  return page(call.account.fleet.groups, GROUP_KEYS, call.query, (group) => JSON.stringify(shown(group)));
}

export function getGroup(call: Call): Answer {
  return jsonAnswer(shown(findGroup(call, param(call, 'name'))));
}

export function createGroup(call: Call): Answer {
  const body = jsonBody(call);
  const name = requiredText(body, 'name');
  const description = body['description'] ?? '';
  if (!NAME.test(name)) throw invalid('name may contain letters, digits, underscores and hyphens only');
  if (typeof description !== 'string') throw invalid('description must be a string');
  // Characters as people count them: an emoji is one, not two UTF-16 units.
  if ([...description].length > DESCRIPTION_MAX) {
    throw invalid(`description must not be longer than ${DESCRIPTION_MAX} characters`);
  }
  if (call.account.fleet.group(name) !== undefined) throw conflict(`Group ${name} already exists`);
  const group = { name, description, createdAt: new Date().toISOString() };
  call.account.fleet.addGroup(group);
  call.account.done('create-group', []);
  return jsonAnswer(shown(group));
}

export function deleteGroup(call: Call): Answer {
  const { fleet } = call.account;
  const group = findGroup(call, param(call, 'name'));
  const devices = fleet.devicesIn(group.name).length;
  if (devices > 0) throw conflict(`Group ${group.name} still has ${devices} devices`);
  fleet.removeGroup(group);
  call.account.done('delete-group', []);
  return jsonAnswer(shown(group));
}

export function moveDevices(call: Call): Answer {
  const group = findGroup(call, param(call, 'name'));
  const devices = requiredTexts(jsonBody(call), 'devices').map((id) => findDevice(call, id));
  for (const device of devices) call.account.fleet.move(device, group.name);
  const moved = devices.map((device) => device.id);
  call.account.done('move', moved);
  return jsonAnswer({ group: shown(group), devices: moved });
}

export function findGroup(call: Call, name: string): Group {
  const group = call.account.fleet.group(name);
  if (group === undefined) throw notFound(`Group ${name} does not exist`);
  return group;
}

function shown(group: Group): object {
  return { ...group, self: groupPath(group.name) };
}
