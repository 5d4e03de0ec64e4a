import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';
import { apiAt, type Got } from './api-client.ts';

let sim: SimulatorProcess;
let api: ReturnType<typeof apiAt>;
beforeAll(async () => {
  sim = await spawnSimulator(['--devices', '57', '--groups', '31', '--seed', '7']);
  api = apiAt(sim.url);
});
afterAll(() => sim.close());
beforeEach(() => sim.reset());

/** All pages of a list by following `nextPage`, and back by `prevPage`. */
async function walk(path: string, limit: number): Promise<{ forth: Got[]; back: Got[] }> {
  const next = async (direction: string, key: string) =>
    api('GET', `${path}?limit=${limit}&${direction}=${encodeURIComponent(key)}`);
  const forth = [await api('GET', `${path}?limit=${limit}`)];
  for (let key = forth[0]?.body.nextPage; key !== undefined; key = forth.at(-1)?.body.nextPage) {
    forth.push(await next('after', key));
  }
  const back: Got[] = [];
  for (let key = forth.at(-1)?.body.prevPage; key !== undefined; key = back.at(-1)?.body.prevPage) {
    back.push(await next('before', key));
  }
  return { forth, back };
}

test.each([
  ['/default/device', 'id', 57],
  ['/default/group', 'name', 31],
  ['/default/usage', 'date', 30],
])(
  'every item of %s comes exactly once, forth and back, and the last page says that it is the last',
  async (path, id, total) => {
    const { forth, back } = await walk(path, 10);
    const ids = forth.flatMap(({ body }) => body.data.map((item: Record<string, string>) => item[id]));
    expect(new Set(ids).size).toBe(total);
    expect(ids.length).toBe(total);
    expect(forth.at(-1)?.body).not.toHaveProperty('nextPage');
    expect(forth[0]?.body).not.toHaveProperty('prevPage');
    const returned = back.reverse().flatMap(({ body }) => body.data.map((item: Record<string, string>) => item[id]));
    expect(returned).toEqual(ids.slice(0, returned.length));
    expect(returned.length).toBe(total - (forth.at(-1)?.body.data.length ?? 0));
  },
);

test('page keys differ from one resource to another: nobody can read anything into them', async () => {
  const keys = ['/default/device', '/default/group', '/default/usage'].map(
    async (path) => (await api('GET', `${path}?limit=2`)).body.nextPage,
  );
  const [device, group, usage] = await Promise.all(keys);
  expect(device).toMatch(/^[A-Za-z0-9_-]{10,}$/);
  expect(group).toMatch(/^name:/);
  expect(usage).toMatch(/^\d+$/);
  for (const foreign of [group, usage]) {
    const refused = await api('GET', `/default/device?after=${encodeURIComponent(foreign)}`);
    expect(refused).toMatchObject({ status: 400, body: { type: 'invalid_request_error' } });
  }
});

test.each([
  'limit=0',
  'limit=101',
  'limit=-1',
  'limit=1.5',
  'limit=',
  'limit=x',
  'after=',
  'before=%00',
  'after=ZGV2aWNlOjE&before=ZGV2aWNlOjI',
])('paging that cannot be meant is refused, not guessed: %s', async (query) => {
  const refused = await api('GET', `/default/device?${query}`);
  expect(refused).toMatchObject({ status: 400, body: { type: 'invalid_request_error' } });
});

test('a group that goes while somebody pages through them loses nobody else', async () => {
  for (const name of ['aaa', 'aab', 'aac']) await api('POST', '/default/group', { body: { name } });
  const { body } = await api('GET', '/default/group?limit=2');
  expect(body.data.map((group: { name: string }) => group.name)).toEqual(['aaa', 'aab']);
  await api('DELETE', '/default/group/aab');
  const rest = await api('GET', `/default/group?limit=1&after=${encodeURIComponent(body.nextPage)}`);
  expect(rest.body.data[0].name).toBe('aac');
});

test('a device is found by its IMEI, looks as documented, and does not say where it is', async () => {
  const [one] = (await api('GET', '/default/device?limit=1')).body.data;
  const found = await api('GET', `/default/device?n=${one.imei}`);
  expect(found.body).toEqual({ data: [one] });
  expect((await api('GET', '/default/device?n=000000000000000')).body).toEqual({ data: [] });
  expect((await api('GET', `/default/device/${one.id}`)).body).toEqual({ data: [one] });
  expect(Object.keys(one).sort()).toEqual(
    [
      'id',
      'self',
      'serialnumber',
      'imei',
      'name',
      'family',
      'createdAt',
      'lastcheckin',
      'group',
      'apps',
      'battery',
      'connection',
      'os',
      'status',
    ].sort(),
  );
  expect(one).toMatchObject({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    self: `/v1/default/device/${one.id}`,
    imei: expect.stringMatching(/^\d{15}$/),
    battery: { level: expect.any(String) },
    group: { self: `/v1/default/group/${one.group.name}` },
    connection: {
      dataUsage: expect.anything(),
      bluetooth: expect.anything(),
      sim: expect.any(Array),
      wifi: expect.anything(),
    },
  });
  expect(JSON.stringify(one)).not.toMatch(/latitude|longitude|location/i);
});

test('the same seed is the same fleet on every machine, another seed another one', async () => {
  const twin = await spawnSimulator(['--devices', '57', '--groups', '31', '--seed', '7']);
  const other = await spawnSimulator(['--devices', '57', '--groups', '31', '--seed', '8']);
  const [mine, same, different] = await Promise.all(
    [sim, twin, other].map(async ({ url }) => (await apiAt(url)('GET', '/default/device?limit=50')).body.data),
  );
  expect(same).toEqual(mine);
  expect(different).not.toEqual(mine);
  await Promise.all([twin.close(), other.close()]);
});

test('users, SIMs and the subscription are there for keys that may see them', async () => {
  expect((await api('GET', '/default/user')).body.data[0]).toMatchObject({ id: expect.any(String), role: 'owner' });
  expect((await api('GET', '/default/sim')).body.data[0]).toMatchObject({ iccid: expect.stringMatching(/^89\d+$/) });
  const { body } = await api('GET', '/default/subscription');
  expect(['device_data_pool', 'pay_as_you_go']).toContain(body.type);
  expect((await api('GET', '/default/usage?limit=1')).body.data[0]).toMatchObject({ unit: 'bytes' });
  expect((await api('GET', '/default/user', { key: 'demo-reader-key' })).status).toBe(403);
});
