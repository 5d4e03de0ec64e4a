import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { openPage } from '../support/page.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

let simulator: SimulatorProcess;
let gateway: TestGateway;

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`]);
  gateway = await startGateway({ masonUrl: simulator.url });
});
afterAll(async () => {
  await gateway?.close();
  await simulator?.close();
});

const LIST = '/v1/default/device?limit=1';
const reboot = {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: '{"devices":["69f34175-e1d0-4657-92d6-814ad52e3e92"]}',
};

describe('What a page may do is what its person may', () => {
  test('a viewer reads with the team’s all-powerful key, and does no more than that', async () => {
    const page = await openPage(gateway, { role: 'viewer', team: 'alpha' });
    expect((await page.call(LIST)).status).toBe(200);
    const refused = await page.call('/v1/default/notify/reboot', reboot);
    expect([refused.status, await refused.json()]).toEqual([
      403,
      {
        type: 'permission_error',
        message: 'notify.reboot is disruptive; your role in team alpha allows effects up to "read"',
      },
    ]);
    expect((await simulator.state()).effects).toEqual([]);
  });

  test('a change of role counts for the session that is there already, within a second', async () => {
    const page = await openPage(gateway, { role: 'viewer', team: 'alpha' });
    await gateway.administer('person.set', { id: page.person, grants: [{ role: 'lead', team: 'alpha' }] });
    expect((await page.call('/v1/default/notify/reboot', reboot)).status).toBeLessThan(300);
    await gateway.administer('person.set', { id: page.person, grants: [] });
    expect((await page.call(LIST)).status).toBe(403);
  });

  test('somebody who is kept out has no session any more', async () => {
    const page = await openPage(gateway, { role: 'lead', team: 'alpha' });
    await gateway.administer('person.disable', { id: page.person });
    expect((await page.call(LIST)).status).toBe(401);
    await gateway.administer('person.enable', { id: page.person });
    expect((await page.call(LIST)).status).toBe(401);
  });

  test('the record names the person and the session, and neither the cookie nor its id', async () => {
    const page = await openPage(gateway, { role: 'lead', team: 'alpha' });
    const answer = await page.call('/v1/default/group?limit=1');
    const [event] = await gateway.record({ requestId: answer.headers.get('request-id') });
    expect(event).toMatchObject({
      actor: { kind: 'person', personId: page.person, person: 'Somebody', sessionId: expect.stringMatching(/^ses_/) },
      team: 'alpha',
      operation: 'group.list',
    });
    const [id] = decodeURIComponent(page.cookie.split('=')[1] ?? '')
      .slice(2)
      .split('.');
    expect(JSON.stringify(await gateway.record())).not.toContain(id);
  });

  test('a cookie and a token together are refused, and a bad token does not fall back to the cookie', async () => {
    const page = await openPage(gateway, { role: 'lead', team: 'alpha' });
    const token = await gateway.token();
    expect((await page.call(LIST, { headers: { Authorization: `Bearer ${token}` } })).status).toBe(400);
    expect((await page.call(LIST, { headers: { Authorization: 'Bearer mgw_nothing' } })).status).toBe(400);
  });
});

describe('Signing out wins', () => {
  test('fifty calls of one page: none is sent after the logout is answered', async () => {
    await using narrow = await startGateway({
      masonUrl: simulator.url,
      keys: [{ key: OWNER_KEY, scopes: ['account:owner'], limit: '20/1s' }],
    });
    const page = await openPage(narrow, { role: 'lead', team: 'alpha' });
    const calls = Array.from({ length: 50 }, (_, n) => page.call(`${LIST}&n=${n}`));
    await eventually('some were sent', async () => (await simulator.stats()).inFlight + (await sent()) > 0);
    expect((await page.call('/auth/logout', { method: 'POST' })).status).toBe(204);
    const atLogout = await sent();
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status !== 200 && status !== 401)).toEqual([]);
    expect(await sent()).toBe(atLogout);
    expect((await page.call(LIST)).status).toBe(401);
  });

  async function sent(): Promise<number> {
    return (await simulator.requests(1_000)).length;
  }

  test('a call that is at Mason ends with the session, and its outcome is on record', async () => {
    const page = await openPage(gateway, { role: 'lead', team: 'alpha' });
    await simulator.faults({ kind: 'slow-headers', delayMs: 5_000 });
    const slow = page.call(LIST);
    await eventually('it is at Mason', async () => (await simulator.stats()).inFlight === 1);
    await page.call('/auth/logout', { method: 'POST' });
    const answer = await slow;
    expect(answer.status).toBe(401);
    const events = await gateway.record({ requestId: answer.headers.get('request-id') });
    expect(events).toMatchObject([{ kind: 'outcome', status: 401, result: 'failed' }]);
    await simulator.clearFaults();
  });

  test('an operator ends anybody’s session', async () => {
    const page = await openPage(gateway, { role: 'lead', team: 'alpha' });
    const { session } = (await (await page.call('/auth/session')).json()) as { session: string };
    await gateway.administer('session.end', { id: session });
    expect((await page.call(LIST)).status).toBe(401);
  });
});

describe('Without the store of sessions', () => {
  test('pages are told 503 in under a second, tokens go on reading, and it comes back by itself', async () => {
    const page = await openPage(gateway, { role: 'lead', team: 'alpha' });
    const token = await gateway.token();
    expect((await gateway.call(token, LIST)).status).toBe(200);
    const database = new DatabaseSync(join(gateway.dataDir, 'gateway.db'));
    database.exec('alter table sessions rename to sessions_away');
    // What was found a moment ago holds for half a second.
    const answer = await eventually('it is noticed', async () => {
      const asked = await page.call(LIST);
      return asked.status === 200 ? undefined : asked;
    });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await gateway.call(token, LIST)).status).toBe(200);
    database.exec('alter table sessions_away rename to sessions');
    database.close();
    await eventually('it is back', async () => (await page.call(LIST)).status === 200);
  });
});

describe('A ticket', () => {
  test('lets one navigation through without the header, and Mason never sees it', async () => {
    const page = await openPage(gateway, { role: 'lead', team: 'alpha' });
    const path = '/v1/default/device?limit=2';
    const made = await page.call('/auth/ticket', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ method: 'GET', path }),
    });
    const { path: withTicket } = (await made.json()) as { path: string };
    const navigate = (target: string): Promise<Response> =>
      fetch(gateway.url + target, { headers: { Cookie: page.cookie, 'Sec-Fetch-Site': 'same-origin' } });
    expect((await navigate(path)).status).toBe(403);
    const answer = await navigate(withTicket);
    expect(answer.status).toBe(200);
    const [request] = (await simulator.requests(1)).slice(-1);
    expect(JSON.stringify(request)).not.toContain('gateway-ticket');
    expect((await navigate(withTicket)).status).toBe(403);
  });
});
