import { describe, expect, test } from '@jest/globals';
import { OPERATIONS } from '../../src/mason/operations.ts';
import { isKnownScope } from '../../src/mason/scopes.ts';

/** Mason's API as its documentation and clients have it, written down on its own: method, path, scope, effect, standing. */
const FACTS = `
GET    /v1/default/device                    fleet:read         read        doc
GET    /v1/default/device/{id}               fleet:read         read        seen
POST   /v1/default/device/{id}               fleet:manager      change      seen
GET    /v1/default/group                     fleet:read         read        doc
GET    /v1/default/group/{name}              fleet:read         read        doc
POST   /v1/default/group                     fleet:admin        change      doc
DELETE /v1/default/group/{name}              fleet:admin        change      doc
GET    /v1/default/subscription              connect:read       read        doc
GET    /v1/default/device/{id}/location      fleet:locate       read        assumed
POST   /v1/default/notify/refresh            notify:refresh     change      assumed
POST   /v1/default/notify/check              notify:check       change      assumed
POST   /v1/default/notify/application        notify:application change      assumed
POST   /v1/default/notify/reboot             notify:reboot      disruptive  assumed
POST   /v1/default/notify/shutdown           notify:shutdown    disruptive  assumed
POST   /v1/default/notify/wipe               notify:wipe        destructive assumed
POST   /v1/default/notify/refurbish          notify:refurbish   destructive assumed
POST   /v1/default/group/{name}/device       fleet:move         change      assumed
POST   /v1/default/deploy                    fleet:deploy       disruptive  assumed
GET    /v1/default/artifact                  registry:read      read        assumed
GET    /v1/default/user                      user:read          read        assumed
GET    /v1/default/usage                     connect:read       read        assumed
GET    /v1/default/sim                       connect:read       read        assumed
`
  .trim()
  .split('\n')
  .map((line) => line.split(/\s+/).join(' '));

describe('the table of operations', () => {
  test('Each known endpoint of Mason stands in it with its scope, effect and standing', () => {
    const rows = OPERATIONS.filter(({ transfer }) => transfer === 'buffered').map(
      ({ method, path, scope, effect, standing }) => `${method} ${path} ${scope} ${effect} ${standing}`,
    );
    expect(rows.toSorted()).toEqual(FACTS.toSorted());
  });

  test('Artifacts themselves, up and down, are streamed', () => {
    const rows = OPERATIONS.filter(({ id, transfer }) => transfer === 'stream' && id.startsWith('artifact')).map(
      ({ method, path, scope, effect, standing }) => `${method} ${path} ${scope} ${effect} ${standing}`,
    );
    expect(rows).toEqual([
      'GET /v1/default/artifact/{id}/content registry:read read assumed',
      'POST /v1/default/artifact registry:admin change assumed',
    ]);
  });

  test('A GET reads and nothing else does: what may be sent again is what changes nothing', () => {
    for (const { id, method, effect, upgrade } of OPERATIONS) {
      expect([id, effect === 'read']).toEqual([id, method === 'GET' && upgrade === undefined]);
    }
  });

  test('X-Ray is asked for with GET, and reads nothing: whoever has a shell on a device can restart it', () => {
    const xray = OPERATIONS.filter(({ upgrade }) => upgrade === 'websocket');
    expect(xray.map(({ method, path, scope, effect }) => `${method} ${path} ${scope} ${effect}`)).toEqual([
      'GET /v1/global/xray/{device}/adb xray:admin disruptive',
      'GET /v1/global/xray/{device}/vnc xray:admin disruptive',
    ]);
  });

  test('Ids are unique, and so are method and path', () => {
    expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
    expect(new Set(OPERATIONS.map(({ method, path }) => `${method} ${path}`)).size).toBe(OPERATIONS.length);
  });

  test('What cannot be undone asks for a word, its own, and nothing else asks', () => {
    const asking = OPERATIONS.filter(({ confirm }) => confirm !== undefined);
    expect(asking.map(({ effect }) => effect)).toEqual(['destructive', 'destructive']);
    expect(asking.map(({ confirm }) => confirm).toSorted()).toEqual(['refurbish', 'wipe']);
    expect(OPERATIONS.filter(({ effect }) => effect === 'destructive')).toHaveLength(2);
  });

  test('Each scope is one of the tree', () => {
    expect(OPERATIONS.filter(({ scope }) => !isKnownScope(scope))).toEqual([]);
  });

  test('What acts on devices or groups says where they stand, and each path parameter but an artifact is a target', () => {
    for (const { id, path, effect, targets } of OPERATIONS.filter((other) => other.id !== 'artifact.download')) {
      const parameters = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name);
      const named = targets.flatMap(({ from }) => ('path' in from ? [from.path] : []));
      expect([id, named]).toEqual([id, parameters]);
      if (effect === 'disruptive' || effect === 'destructive') expect([id, targets.length > 0]).toEqual([id, true]);
    }
  });
});
