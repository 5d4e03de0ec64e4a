import { getSubscription, listSims, listUsage, listUsers } from './account-reads.ts';
import { downloadArtifact } from './artifact-content.ts';
import { listArtifacts, uploadArtifact } from './artifacts.ts';
import type { Handler } from './call.ts';
import { deploy, notify } from './commands.ts';
import { getDevice, getLocation, listDevices, renameDevice } from './devices.ts';
import { createGroup, deleteGroup, getGroup, listGroups, moveDevices } from './groups.ts';
import { openXray } from './xray.ts';

/**
 * How far a route can be trusted: `doc` stated in Mason's documentation, `code` seen in Mason's own public clients, `seen` only in
 * third-party code, `assumed` stated by nobody: chosen here, to be replaced when the real thing is known.
 */
export type Standing = 'doc' | 'code' | 'seen' | 'assumed';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `/v1`. `{name}` takes one segment of any text, `{name:a|b}` one of the given ones. */
  readonly path: string;
  /** May repeat a part of the path in braces. */
  readonly scope: string;
  readonly standing: { readonly path: Standing; readonly scope: Standing };
  /** The body may be hundreds of megabytes and is not held. */
  readonly upload?: true;
  readonly handler: Handler;
}

const NOTIFY = '/default/notify/{type:refresh|check|reboot|shutdown|wipe|application|refurbish}';
const DOC = { path: 'doc', scope: 'doc' } as const;
/** Seen in Mason's own clients; the scope is nobody's word. */
const CODE = { path: 'code', scope: 'assumed' } as const;
const SEEN = { path: 'seen', scope: 'assumed' } as const;
/** The operation and its scope are documented, the path is not. */
const PATH_ASSUMED = { path: 'assumed', scope: 'doc' } as const;
const ASSUMED = { path: 'assumed', scope: 'assumed' } as const;

/** Everything this Mason answers to, the assumed marked as such. */
export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/default/device', scope: 'fleet:read', standing: DOC, handler: listDevices },
  { method: 'GET', path: '/default/device/{id}', scope: 'fleet:read', standing: SEEN, handler: getDevice },
  { method: 'POST', path: '/default/device/{id}', scope: 'fleet:manager', standing: SEEN, handler: renameDevice },
  {
    method: 'GET',
    path: '/default/device/{id}/location',
    scope: 'fleet:locate',
    standing: PATH_ASSUMED,
    handler: getLocation,
  },
  { method: 'GET', path: '/default/group', scope: 'fleet:read', standing: DOC, handler: listGroups },
  { method: 'GET', path: '/default/group/{name}', scope: 'fleet:read', standing: DOC, handler: getGroup },
  { method: 'POST', path: '/default/group', scope: 'fleet:admin', standing: DOC, handler: createGroup },
  { method: 'DELETE', path: '/default/group/{name}', scope: 'fleet:admin', standing: DOC, handler: deleteGroup },
  {
    method: 'POST',
    path: '/default/group/{name}/device',
    scope: 'fleet:move',
    standing: PATH_ASSUMED,
    handler: moveDevices,
  },
  { method: 'POST', path: NOTIFY, scope: 'notify:{type}', standing: PATH_ASSUMED, handler: notify },
  { method: 'POST', path: '/default/deploy', scope: 'fleet:deploy', standing: PATH_ASSUMED, handler: deploy },
  { method: 'GET', path: '/default/artifact', scope: 'registry:read', standing: ASSUMED, handler: listArtifacts },
  {
    method: 'GET',
    path: '/default/artifact/{id}/content',
    scope: 'registry:read',
    standing: ASSUMED,
    handler: downloadArtifact,
  },
  {
    method: 'POST',
    path: '/default/artifact',
    scope: 'registry:admin',
    standing: PATH_ASSUMED,
    upload: true,
    handler: uploadArtifact,
  },
  { method: 'GET', path: '/default/user', scope: 'user:read', standing: PATH_ASSUMED, handler: listUsers },
  { method: 'GET', path: '/default/subscription', scope: 'connect:read', standing: DOC, handler: getSubscription },
  { method: 'GET', path: '/default/usage', scope: 'connect:read', standing: PATH_ASSUMED, handler: listUsage },
  { method: 'GET', path: '/default/sim', scope: 'connect:read', standing: PATH_ASSUMED, handler: listSims },
  { method: 'GET', path: '/global/xray/{device}/adb', scope: 'xray:admin', standing: CODE, handler: openXray },
  { method: 'GET', path: '/global/xray/{device}/vnc', scope: 'xray:admin', standing: CODE, handler: openXray },
];
