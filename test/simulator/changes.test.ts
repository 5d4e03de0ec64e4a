import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';
import { apiAt } from './api-client.ts';

let sim: SimulatorProcess;
let api: ReturnType<typeof apiAt>;
beforeAll(async () => {
  sim = await spawnSimulator(['--devices', '20', '--groups', '3']);
  api = apiAt(sim.url);
});
afterAll(() => sim.close());
beforeEach(() => sim.reset());

async function devices(): Promise<{ id: string; name: string; apps: object[]; group: { name: string } }[]> {
  return (await api('GET', '/default/device')).body.data;
}

describe('groups', () => {
  test('one is made, shown with an encoded self, and cannot be made twice', async () => {
    const body = { name: 'A-z_9', description: `${'d'.repeat(299)}🙂` };
    const made = await api('POST', '/default/group', { body });
    expect(made).toMatchObject({ status: 200, body: { ...body, self: '/v1/default/group/A-z_9' } });
    expect((await api('GET', '/default/group/A-z_9')).body).toEqual(made.body);
    expect(await api('POST', '/default/group', { body })).toMatchObject({
      status: 409,
      body: { type: 'conflict_error' },
    });
  });

  test.each([
    [{}, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 7 }, 'name'],
    [{ name: 'two words' }, 'name'],
    [{ name: 'ümlaut' }, 'name'],
    [{ name: 'x', description: 'd'.repeat(301) }, 'description'],
    [{ name: 'x', description: 7 }, 'description'],
    ['{"name": "x"', 'JSON'],
    ['["x"]', 'object'],
    ['', 'body'],
  ])('what cannot be a group is refused and says why: %j', async (body, named) => {
    const refused = await api('POST', '/default/group', { body });
    expect(refused).toMatchObject({ status: 400, body: { type: 'invalid_request_error' } });
    expect(refused.body.message).toContain(named);
    expect(Object.keys(refused.body)).toEqual(['type', 'message']);
  });

  test('a group with devices cannot be deleted; once they have moved it can, and is gone', async () => {
    const all = await devices();
    const from = all[0]?.group.name ?? '';
    expect(await api('DELETE', `/default/group/${from}`)).toMatchObject({
      status: 409,
      body: { type: 'conflict_error' },
    });

    await api('POST', '/default/group', { body: { name: 'new-home' } });
    const moving = all.filter(({ group }) => group.name === from).map(({ id }) => id);
    expect((await api('POST', '/default/group/new-home/device', { body: { devices: moving } })).status).toBe(200);
    const moved = (await devices()).filter(({ group }) => group.name === 'new-home');
    expect(moved.map(({ id }) => id).sort()).toEqual(moving.sort());

    expect((await api('DELETE', `/default/group/${from}`)).status).toBe(200);
    expect((await api('GET', `/default/group/${from}`)).status).toBe(404);
    expect((await api('DELETE', `/default/group/${from}`)).status).toBe(404);
  });

  test('a move with one unknown device moves none', async () => {
    const before = await devices();
    const body = { devices: [before[0]?.id, 'nobody'] };
    const [group] = (await api('GET', '/default/group?limit=1')).body.data;
    expect((await api('POST', `/default/group/${group.name}/device`, { body })).status).toBe(404);
    expect(await devices()).toEqual(before);
  });
});

describe('commands', () => {
  test('a wiped device loses its apps, a refurbished one is no longer reachable, others stay as they are', async () => {
    const before = await devices();
    const [wiped, refurbished] = before.filter(({ apps }) => apps.length > 0);
    const wipe = await api('POST', '/default/notify/wipe', { body: { devices: [wiped?.id] } });
    expect(wipe).toMatchObject({ status: 200, body: { type: 'wipe', devices: [wiped?.id] } });
    expect((await api('GET', `/default/device/${wiped?.id}`)).body.data[0].apps).toEqual([]);

    await api('POST', '/default/notify/refurbish', { body: { devices: [refurbished?.id] } });
    expect((await api('GET', `/default/device/${refurbished?.id}`)).status).toBe(404);
    expect((await api('POST', '/default/notify/reboot', { body: { devices: [refurbished?.id] } })).status).toBe(404);
    const touched = [wiped?.id, refurbished?.id];
    const untouched = ({ id }: { id: string }) => !touched.includes(id);
    expect((await devices()).filter(untouched)).toEqual(before.filter(untouched));
    expect((await sim.state()).effects.map(({ what }) => what)).toEqual(['wipe', 'refurbish']);
  });

  test('a command to a group reaches exactly its devices', async () => {
    const all = await devices();
    const group = all[0]?.group.name;
    const { body } = await api('POST', '/default/notify/reboot', { body: { group } });
    expect(body.devices).toEqual(all.filter((device) => device.group.name === group).map(({ id }) => id));
  });

  test.each([
    ['reboot', {}, 400],
    ['reboot', { devices: [] }, 400],
    ['reboot', { devices: 'x' }, 400],
    ['reboot', { devices: ['x'], group: 'y' }, 400],
    ['reboot', { devices: ['nobody'] }, 404],
    ['reboot', { group: 'nothing' }, 404],
    ['application', { devices: ['nobody'] }, 400],
    ['explode', { devices: ['nobody'] }, 404],
  ])('%s with %j reaches nobody', async (type, body, status) => {
    expect((await api('POST', `/default/notify/${type}`, { body })).status).toBe(status);
    expect((await sim.state()).effects).toEqual([]);
  });

  test('a message to an application, a rename and deployments take effect', async () => {
    const [device] = await devices();
    const message = { devices: [device?.id], package: 'com.example.kiosk', command: 'sync', args: ['now'] };
    expect((await api('POST', '/default/notify/application', { body: message })).status).toBe(200);
    const renamed = await api('POST', `/default/device/${device?.id}`, { body: { name: 'till 1' } });
    expect(renamed.body.data[0].name).toBe('till 1');

    const group = device?.group.name;
    const apk = { group, type: 'apk', name: 'com.example.new', version: '2.0.0', push: true };
    expect((await api('POST', '/default/deploy', { body: apk })).status).toBe(200);
    await api('POST', '/default/deploy', { body: { ...apk, type: 'ota', version: '9.9.9' } });
    await api('POST', '/default/deploy', { body: { ...apk, type: 'config', name: 'kiosk', version: '77' } });
    const [after] = (await api('GET', `/default/device/${device?.id}`)).body.data;
    expect(after.apps).toContainEqual({ name: 'com.example.new', version: '2.0.0' });
    expect(after.os).toMatchObject({
      masonOS: { incremental: '9.9.9' },
      configuration: { project: 'kiosk', version: '77' },
    });
    expect((await api('POST', '/default/deploy', { body: { ...apk, type: 'exe' } })).status).toBe(400);
    expect((await api('POST', '/default/deploy', { body: { ...apk, push: 'yes' } })).status).toBe(400);
    expect((await api('POST', '/default/deploy', { body: { ...apk, group: 'nothing' } })).status).toBe(404);
  });
});

describe('uploads', () => {
  /** Sends an artifact piece by piece, as large ones go. */
  function upload(
    query: string,
    pieces: number,
  ): Promise<{ status: number | undefined; body: string; sha256: string }> {
    const hash = createHash('sha256');
    return new Promise((resolve, reject) => {
      const headers = { authorization: 'basic demo-owner-key', 'transfer-encoding': 'chunked' };
      const outgoing = request(`${sim.url}/v1/default/artifact?${query}`, { method: 'POST', headers });
      outgoing.on('error', reject);
      outgoing.on('response', async (response) => {
        const body = Buffer.concat(await response.toArray()).toString();
        resolve({ status: response.statusCode, body, sha256: hash.digest('hex') });
      });
      const piece = Buffer.alloc(1024 * 1024, 'apk');
      let left = pieces;
      const write = () => {
        for (; left > 0; left -= 1) {
          hash.update(piece);
          if (!outgoing.write(piece)) {
            left -= 1;
            outgoing.once('drain', write);
            return;
          }
        }
        outgoing.end();
      };
      write();
    });
  }

  test('a large artifact is counted and hashed, and only its name is kept', async () => {
    const { status, body, sha256 } = await upload('name=app&version=1.0&type=apk', 64);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ name: 'app', version: '1.0', bytes: 64 * 1024 * 1024, sha256 });
    expect((await api('GET', '/default/artifact')).body.data).toEqual([JSON.parse(body)]);
    expect((await sim.requests()).find(({ method }) => method === 'POST')?.body).toMatchObject({
      sha256,
      complete: true,
    });
    expect((await upload('name=app&version=1.0&type=apk', 1)).status).toBe(409);
  });

  test('one without a name, of an unknown type, or empty is refused', async () => {
    for (const query of ['version=1&type=apk', 'name=a&version=1', 'name=a&version=1&type=exe']) {
      expect((await api('POST', `/default/artifact?${query}`, { body: 'x' })).status).toBe(400);
    }
    expect((await api('POST', '/default/artifact?name=a&version=1&type=apk')).status).toBe(400);
  });
});

describe('a repeated call with an Idempotency-Key', () => {
  const headers = { 'Idempotency-Key': 'k1' };

  test('gets the same answer and changes nothing twice', async () => {
    const ask = { body: { name: 'once' }, headers };
    const first = await api('POST', '/default/group', ask);
    const again = await api('POST', '/default/group', ask);
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
    expect((await sim.state()).effects).toHaveLength(1);
  });

  test('with another body or to another place is a conflict', async () => {
    await api('POST', '/default/group', { body: { name: 'once' }, headers });
    const other = await api('POST', '/default/group', { body: { name: 'twice' }, headers });
    expect(other).toMatchObject({ status: 409, body: { type: 'conflict_error' } });
    const [device] = await devices();
    const elsewhere = await api('POST', `/default/device/${device?.id}`, { body: { name: 'once' }, headers });
    expect(elsewhere.status).toBe(409);
  });

  test('after a refusal is a new call: nothing had changed', async () => {
    expect((await api('POST', '/default/group', { body: { name: 'not good' }, headers })).status).toBe(400);
    expect((await api('POST', '/default/group', { body: { name: 'good' }, headers })).status).toBe(200);
  });
});

test('what does not exist is 404, what exists for other methods 405 with Allow, what is too large 413', async () => {
  for (const path of [
    '/default',
    '/default/device/',
    '/other/device',
    '/default/device/x/y/z',
    '/global/xray/x/shell',
  ]) {
    expect(await api('GET', path)).toMatchObject({ status: 404, body: { type: 'not_found_error' } });
  }
  expect((await api('GET', '/default/group/%zz')).status).toBe(400);
  const wrong = await api('PUT', '/default/group/x');
  expect(wrong).toMatchObject({ status: 405, body: { type: 'invalid_request_error' } });
  expect(wrong.headers.get('allow')).toBe('GET, HEAD, DELETE');
  expect((await api('HEAD', '/default/device')).status).toBe(200);
  const huge = await api('POST', '/default/group', { body: 'x'.repeat(1024 * 1024 + 1) });
  expect(huge).toMatchObject({ status: 413, body: { type: 'invalid_request_error' } });
});
