import type { Operation, TargetSource } from '../domain/operation.ts';

const device = (path: string): TargetSource => ({ kind: 'device', from: { path } });
const group = (path: string): TargetSource => ({ kind: 'group', from: { path } });
const devicesInBody: TargetSource = { kind: 'device', from: { body: 'devices' } };
const groupInBody: TargetSource = { kind: 'group', from: { body: 'group' } };

type Row = Omit<Operation, 'targets' | 'paged' | 'transfer' | 'standing'> & Partial<Operation>;

function row(given: Row): Operation {
  return { targets: [], paged: false, transfer: 'buffered', standing: 'assumed', ...given };
}

function notify(type: string, effect: Operation['effect'], confirm?: string): Operation {
  return row({
    id: `notify.${type}`,
    method: 'POST',
    path: `/v1/default/notify/${type}`,
    scope: `notify:${type}`,
    effect,
    targets: [devicesInBody, groupInBody],
    ...(confirm === undefined ? {} : { confirm }),
  });
}

/**
 * A WebSocket to a device. Asked for with GET (RFC 6455 section 4.1), and no read: who has a shell on a device, or its screen,
 * can restart it.
 */
function xray(kind: 'adb' | 'vnc'): Operation {
  return row({
    id: `xray.${kind}`,
    method: 'GET',
    path: `/v1/global/xray/{device}/${kind}`,
    scope: 'xray:admin',
    effect: 'disruptive',
    targets: [device('device')],
    transfer: 'stream',
    upgrade: 'websocket',
    standing: 'code',
  });
}

/**
 * Mason's API as data: what we forward, what it needs and what it does. What nobody documents is marked `assumed`, with
 * a path of our choice, until the real one is known; `gateway.yaml` can add operations and correct these.
 */
export const OPERATIONS: readonly Operation[] = [
  row({
    id: 'device.list',
    method: 'GET',
    path: '/v1/default/device',
    scope: 'fleet:read',
    effect: 'read',
    paged: true,
    standing: 'doc',
  }),
  row({
    id: 'device.get',
    method: 'GET',
    path: '/v1/default/device/{id}',
    scope: 'fleet:read',
    effect: 'read',
    targets: [device('id')],
    standing: 'seen',
  }),
  row({
    id: 'device.rename',
    method: 'POST',
    path: '/v1/default/device/{id}',
    scope: 'fleet:manager',
    effect: 'change',
    targets: [device('id')],
    standing: 'seen',
  }),
  row({
    id: 'device.locate',
    method: 'GET',
    path: '/v1/default/device/{id}/location',
    scope: 'fleet:locate',
    effect: 'read',
    targets: [device('id')],
  }),
  row({
    id: 'group.list',
    method: 'GET',
    path: '/v1/default/group',
    scope: 'fleet:read',
    effect: 'read',
    paged: true,
    standing: 'doc',
  }),
  row({
    id: 'group.get',
    method: 'GET',
    path: '/v1/default/group/{name}',
    scope: 'fleet:read',
    effect: 'read',
    targets: [group('name')],
    standing: 'doc',
  }),
  row({
    id: 'group.create',
    method: 'POST',
    path: '/v1/default/group',
    scope: 'fleet:admin',
    effect: 'change',
    targets: [{ kind: 'group', from: { body: 'name' } }],
    standing: 'doc',
  }),
  row({
    id: 'group.delete',
    method: 'DELETE',
    path: '/v1/default/group/{name}',
    scope: 'fleet:admin',
    effect: 'change',
    targets: [group('name')],
    standing: 'doc',
  }),
  row({
    id: 'group.move',
    method: 'POST',
    path: '/v1/default/group/{name}/device',
    scope: 'fleet:move',
    effect: 'change',
    targets: [group('name'), devicesInBody],
  }),
  row({
    id: 'deploy',
    method: 'POST',
    path: '/v1/default/deploy',
    scope: 'fleet:deploy',
    effect: 'disruptive',
    targets: [groupInBody],
  }),
  notify('refresh', 'change'),
  notify('check', 'change'),
  notify('application', 'change'),
  notify('reboot', 'disruptive'),
  notify('shutdown', 'disruptive'),
  notify('wipe', 'destructive', 'wipe'),
  notify('refurbish', 'destructive', 'refurbish'),
  row({
    id: 'subscription.get',
    method: 'GET',
    path: '/v1/default/subscription',
    scope: 'connect:read',
    effect: 'read',
    standing: 'doc',
  }),
  row({
    id: 'usage.list',
    method: 'GET',
    path: '/v1/default/usage',
    scope: 'connect:read',
    effect: 'read',
    paged: true,
  }),
  row({ id: 'sim.list', method: 'GET', path: '/v1/default/sim', scope: 'connect:read', effect: 'read', paged: true }),
  row({ id: 'user.list', method: 'GET', path: '/v1/default/user', scope: 'user:read', effect: 'read', paged: true }),
  row({
    id: 'artifact.list',
    method: 'GET',
    path: '/v1/default/artifact',
    scope: 'registry:read',
    effect: 'read',
    paged: true,
  }),
  row({
    id: 'artifact.download',
    method: 'GET',
    path: '/v1/default/artifact/{id}/content',
    scope: 'registry:read',
    effect: 'read',
    transfer: 'stream',
  }),
  row({
    id: 'artifact.upload',
    method: 'POST',
    path: '/v1/default/artifact',
    scope: 'registry:admin',
    effect: 'change',
    transfer: 'stream',
  }),
  xray('adb'),
  xray('vnc'),
];
