import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allowedScopes } from '../../src/simulator/scopes.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';
import { apiAt } from './api-client.ts';

const DEVICE = '/default/device?limit=1';
let sim: SimulatorProcess;
let api: ReturnType<typeof apiAt>;
beforeAll(async () => {
  const keys = [
    'reader=fleet:read',
    'manager=Fleet:MANAGER',
    'reboot=notify:reboot',
    'locate=fleet:locate',
    'a=b==fleet:read',
  ];
  sim = await spawnSimulator(['--devices', '2', ...keys.flatMap((key) => ['--key', key])]);
  api = apiAt(sim.url);
});
afterAll(() => sim.close());

test('without a key nothing is told but the documented sentence', async () => {
  const none = { type: 'authentication_error', message: 'Required authorization token not found' };
  for (const authorization of ['', 'Bearer reader', 'reader', 'basic', 'basic ']) {
    expect(await api('GET', DEVICE, { headers: { authorization } })).toMatchObject({ status: 401, body: none });
  }
});

test('a key that was revoked, or is base64 as other APIs want it, is not valid', async () => {
  for (const key of ['gone', Buffer.from('reader:').toString('base64'), 'READER', 'demo-owner-key']) {
    expect(await api('GET', DEVICE, { key })).toMatchObject({ status: 401, body: { type: 'authentication_error' } });
  }
});

test('the scheme may be written as Mason’s documentation does, or as its clients do', async () => {
  for (const authorization of ['basic reader', 'Basic reader', 'BASIC   reader', 'basic a=b=']) {
    expect((await api('GET', DEVICE, { headers: { authorization } })).status).toBe(200);
  }
});

test('a key that may not do it is told the scope it lacks, and the call counts all the same', async () => {
  await sim.reset();
  const refused = await api('POST', '/default/group', { key: 'reader', body: { name: 'x' } });
  expect(refused).toMatchObject({ status: 403, body: { type: 'permission_error' } });
  expect(refused.body.message).toContain('fleet:admin');
  expect((await sim.stats()).keys[0]).toMatchObject({ key: 'reader', accepted: 1, byStatus: { 403: 1 } });
});

test('who manages devices may read them, and still not know where they are', async () => {
  expect((await api('GET', DEVICE, { key: 'manager' })).status).toBe(200);
  const [device] = (await api('GET', DEVICE, { key: 'reader' })).body.data;
  const location = `/default/device/${device.id}/location`;
  expect((await api('GET', location, { key: 'manager' })).body.message).toContain('fleet:locate');
  const found = await api('GET', location, { key: 'locate' });
  expect(found).toMatchObject({ status: 200, body: { latitude: expect.any(Number), longitude: expect.any(Number) } });
});

test('a key for reboots does not wipe', async () => {
  const [device] = (await api('GET', DEVICE, { key: 'reader' })).body.data;
  const body = { devices: [device.id] };
  expect((await api('POST', '/default/notify/reboot', { key: 'reboot', body })).status).toBe(200);
  expect((await api('POST', '/default/notify/wipe', { key: 'reboot', body })).body.message).toContain('notify:wipe');
});

test('a parent allows what its children allow, at every level', () => {
  expect([...allowedScopes(['notify:all'])].sort()).toEqual(
    ['all', 'application', 'check', 'reboot', 'refresh', 'refurbish', 'shutdown', 'wipe'].map(
      (name) => `notify:${name}`,
    ),
  );
  const owner = allowedScopes(['account:OWNER']);
  for (const scope of ['fleet:locate', 'notify:wipe', 'xray:admin', 'user:read', 'registry:read', 'connect:read']) {
    expect(owner.has(scope)).toBe(true);
  }
  const admin = allowedScopes(['fleet:admin']);
  expect([admin.has('notify:wipe'), admin.has('fleet:locate'), admin.has('user:read')]).toEqual([true, true, false]);
  expect(allowedScopes(['fleet:manager']).has('fleet:locate')).toBe(false);
});
