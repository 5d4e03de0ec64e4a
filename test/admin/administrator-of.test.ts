import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FRONTEND_ORIGIN, OWN_ORIGIN, openPublicDoor, type PublicDoor } from './public-door.ts';

let door: PublicDoor;

beforeEach(async () => {
  door = await openPublicDoor();
});

afterEach(async () => {
  await door[Symbol.asyncDispose]();
  expect(door.bugs).toEqual([]);
});

/** What stands on record, without what differs from run to run. */
function recorded(): unknown[] {
  return door.management.record.events.map(({ act, result, errorCode, actor }) => [act, result, errorCode, actor.kind]);
}

describe('who manages through the public door', () => {
  test('a token with gateway:admin manages its team, and stands on record with app, token and address', async () => {
    const robot = await door.token('acme', ['gateway:admin', 'fleet:read']);
    door.management.record.events.length = 0;
    const answer = await door.ask(robot, 'POST', '/admin/v1/apps', { team: 'acme', name: 'mine' });
    expect([answer.status, answer.body.name]).toEqual([201, 'mine']);
    expect(door.management.record.events).toHaveLength(2);
    expect(door.management.record.events[1]).toMatchObject({
      act: 'app.add',
      requestId: answer.headers.get('request-id'),
      actor: { kind: 'app', app: 'robot', tokenId: expect.stringMatching(/^tok_/), address: '127.0.0.1' },
      team: 'acme',
      result: 'done',
    });
  });

  test('a lead at a page of ours manages their team, and stands on record with person, session and address', async () => {
    const lead = await door.page(['lead', 'acme']);
    const answer = await door.ask(lead, 'POST', '/admin/v1/apps', { team: 'acme', name: 'mine' });
    expect(answer.status).toBe(201);
    expect(door.management.record.events[1]?.actor).toEqual({
      kind: 'person',
      personId: expect.stringMatching(/^per_/),
      sessionId: expect.stringMatching(/^ses_/),
      address: '127.0.0.1',
    });
  });

  test('who says to be an operator in a header is none: that is believed on the socket only', async () => {
    const nobody = await door.ask({ 'gateway-account': 'root' }, 'GET', '/admin/v1/teams');
    expect([nobody.status, nobody.body.type]).toEqual([401, 'authentication_error']);
    const robot = await door.token('acme', ['gateway:admin']);
    const answer = await door.ask({ ...robot, 'gateway-account': 'root' }, 'POST', '/admin/v1/teams', { slug: 'mine' });
    expect([answer.status, answer.body.type]).toEqual([403, 'permission_error']);
  });

  test('without anything, and with any Accept, it is 401 in our shape, never a way to a sign-in page', async () => {
    for (const accept of ['text/html', '*/*', 'application/json']) {
      for (const [method, path] of [
        ['GET', '/admin/v1/teams'],
        ['DELETE', '/admin/v1/teams/acme'],
        ['POST', '/admin/v1/nothing'],
      ] as const) {
        const answer = await door.ask({ accept }, method, path);
        expect([answer.status, answer.body.type, answer.headers.get('location')]).toEqual([
          401,
          'authentication_error',
          null,
        ]);
        expect(answer.headers.get('cache-control')).toBe('no-store');
        expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(answer.headers.get('request-id')).toMatch(/^[0-9a-f-]{36}$/);
        expect(answer.headers.get('set-cookie')).toBeNull();
      }
    }
    expect(new Set(recorded().map(String))).toEqual(new Set(['management.refused,failed,unauthenticated,unknown']));
  });

  test('OPTIONS tells anybody the methods of a path, allows no origin, and does nothing', async () => {
    const lead = await door.page(['lead', 'acme']);
    for (const who of [
      {},
      lead,
      { ...lead, origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    ]) {
      const answer = await door.ask(who, 'OPTIONS', '/admin/v1/apps');
      expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'OPTIONS, POST, GET, HEAD']);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect((await door.ask(who, 'OPTIONS', '/admin/v1/nothing')).status).toBe(404);
    }
    expect(recorded()).toEqual([]);
  });

  test('a token and a cookie at once are refused; a bad token never falls back on a good cookie', async () => {
    const lead = await door.page(['lead', 'acme']);
    const robot = await door.token('acme', ['gateway:admin']);
    expect((await door.ask({ ...lead, ...robot }, 'GET', '/admin/v1/apps')).status).toBe(400);
    const bad = await door.ask({ ...lead, authorization: 'Bearer mgw_nonsense' }, 'GET', '/admin/v1/apps');
    expect(bad.status).toBe(400);
    const garbled = await door.ask({ authorization: 'Digest x' }, 'GET', '/admin/v1/apps');
    expect(garbled.status).toBe(401);
  });

  test('a cookie without X-Requested-By, of a sibling subdomain, or of a stranger, is refused', async () => {
    const page = await door.page(['lead', 'acme']);
    const { 'x-requested-by': _, ...bare } = page;
    const cases: [Record<string, string>, number][] = [
      [bare, 403],
      [{ ...page, 'sec-fetch-site': 'same-site' }, 403],
      [{ ...page, 'sec-fetch-site': 'cross-site' }, 403],
      [{ ...page, origin: 'https://evil.example' }, 403],
      [{ ...page, origin: 'https://sibling.gateway.example.com' }, 403],
      [{ ...page, origin: OWN_ORIGIN }, 200],
      [page, 200],
      [{ ...page, cookie: `${page['cookie']?.slice(0, -4)}AAAA` }, 401],
    ];
    for (const [headers, status] of cases) {
      expect([headers, (await door.ask(headers, 'GET', '/admin/v1/apps')).status]).toEqual([headers, status]);
    }
  });

  test('a listed frontend of another origin may call, but not manage, and is told why', async () => {
    const page = await door.page(['lead', 'acme']);
    const answer = await door.ask({ ...page, origin: FRONTEND_ORIGIN }, 'GET', '/admin/v1/apps');
    expect([answer.status, answer.body.type]).toEqual([403, 'permission_error']);
    expect(answer.body.message).toContain("only pages of the gateway's own origin");
    expect(door.management.record.events[0]).toMatchObject({
      act: 'management.refused',
      errorCode: 'forbidden',
      actor: { kind: 'person', personId: expect.stringMatching(/^per_/) },
      details: { method: 'GET', path: '/admin/v1/apps' },
    });
  });

  test.each([['viewer' as const], ['member' as const]])(
    'a %s has nothing to manage, and hears what would',
    async (role) => {
      const answer = await door.ask(await door.page([role, 'acme']), 'GET', '/admin/v1/apps');
      expect([answer.status, answer.body.type]).toEqual([403, 'permission_error']);
      expect(answer.body.message).toContain(`needs the role lead, auditor or operator; your roles are: ${role}`);
    },
  );

  test('a token without a scope for it is told what is needed and held', async () => {
    for (const scopes of [['fleet:read'], ['account:owner']]) {
      const answer = await door.ask(await door.token('acme', scopes), 'GET', '/admin/v1/apps');
      expect([answer.status, answer.body.type]).toEqual([403, 'permission_error']);
      expect(answer.body.message).toContain(
        `gateway:admin, gateway:audit or gateway:usage; the token holds ${scopes.join(', ')}`,
      );
    }
  });

  test('gateway:usage sees the usage of its team, and neither reads the record nor manages anything', async () => {
    const reader = await door.token('acme', ['gateway:usage', 'fleet:read']);
    expect((await door.ask(reader, 'GET', '/admin/v1/usage')).status).toBe(200);
    expect((await door.ask(reader, 'GET', '/admin/v1/usage?team=beta')).status).toBe(404);
    for (const path of ['audit', 'audit/export', 'apps', 'tokens', 'limits']) {
      expect([path, (await door.ask(reader, 'GET', `/admin/v1/${path}`)).status]).toEqual([path, 403]);
    }
    expect((await door.ask(reader, 'GET', '/admin/v1/teams')).body).toEqual({ data: [] });
  });

  test('gateway:audit reads the record of its team, and manages nothing', async () => {
    const reader = await door.token('acme', ['gateway:audit']);
    expect((await door.ask(reader, 'GET', '/admin/v1/audit')).status).toBe(200);
    expect((await door.ask(reader, 'POST', '/admin/v1/apps', { team: 'acme', name: 'x' })).status).toBe(403);
    expect((await door.ask(reader, 'GET', '/admin/v1/tokens')).status).toBe(403);
  });

  test('a token that is revoked, expired, replaced, or used from elsewhere manages nothing from that moment', async () => {
    const { management, ask } = door;
    const admin = ['gateway:admin'];
    const elsewhere = await door.token('acme', admin, { from: ['203.0.113.0/24'] });
    expect((await ask(elsewhere, 'GET', '/admin/v1/apps')).status).toBe(403);
    const revoked = await door.token('acme', admin);
    expect((await ask(revoked, 'GET', '/admin/v1/apps')).status).toBe(200);
    const tokens: { id: string; from: string[] }[] = (await ask(revoked, 'GET', '/admin/v1/tokens')).body.data;
    const id = tokens.find(({ from }) => from.length === 0)?.id;
    expect((await ask(revoked, 'POST', `/admin/v1/tokens/${id}/revoke`)).body).toMatchObject({ id, state: 'revoked' });
    expect((await ask(revoked, 'GET', '/admin/v1/apps')).status).toBe(401);
    const brief = await door.token('acme', admin, { expires: '1m' });
    expect((await ask(brief, 'GET', '/admin/v1/apps')).status).toBe(200);
    management.clock.ms += 60_001;
    await door.refresh();
    expect((await ask(brief, 'GET', '/admin/v1/apps')).status).toBe(401);
  });

  test('a session that ended, and a person who is kept out, manage nothing from that moment', async () => {
    const { management, ask } = door;
    const page = await door.page(['operator']);
    expect((await ask(page, 'GET', '/admin/v1/teams')).status).toBe(200);
    const [person] = await management.store.people.list();
    await management.store.people.setDisabled(person?.id ?? '', 1);
    await door.refresh();
    expect((await ask(page, 'GET', '/admin/v1/teams')).status).toBe(401);
    const other = await door.page(['operator']);
    expect((await ask(other, 'GET', '/admin/v1/teams')).status).toBe(200);
    management.clock.ms += 1_800_001;
    await door.refresh();
    expect((await ask(other, 'GET', '/admin/v1/teams')).status).toBe(401);
  });

  test('guessing tokens is slowed, for the address, and good tokens go on', async () => {
    await door[Symbol.asyncDispose]();
    door = await openPublicDoor(5);
    const good = await door.token('acme', ['gateway:admin']);
    const statuses: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      statuses.push((await door.ask({ authorization: `Bearer guess-${i}` }, 'GET', '/admin/v1/apps')).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect((await door.ask(good, 'GET', '/admin/v1/apps')).status).toBe(200);
  });

  test('a store that is away is 503 at once, for known and unknown alike', async () => {
    const robot = await door.token('acme', ['gateway:admin', 'gateway:audit']);
    const page = await door.page(['lead', 'acme']);
    expect((await door.ask(robot, 'GET', '/admin/v1/apps')).status).toBe(200);
    await door.management.store.close();
    for (const who of [robot, page]) {
      for (const path of ['/admin/v1/apps', '/admin/v1/tokens']) {
        const answer = await door.ask(who, 'GET', path);
        expect([answer.status, answer.body.type, answer.headers.get('retry-after')]).toEqual([503, 'api_error', '1']);
      }
    }
    // What a token could do is remembered for calls that read; who may manage is not decided on what was.
    door.management.clock.ms += 2_001;
    const audit = await door.ask(robot, 'GET', '/admin/v1/audit');
    expect([audit.status, audit.body.message]).toEqual([
      503,
      expect.stringContaining('nothing is managed until it does'),
    ]);
  });
});
