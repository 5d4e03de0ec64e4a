import { hash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Router } from 'express';
import { ROUTE_POLICIES, routesAt } from '../../src/session/route-policies.ts';
import type { SignInHost } from '../../src/session/sign-in.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { openTestRoom, SECRET, type TestRoom } from './room.ts';

let room: TestRoom;

beforeEach(async () => {
  room = await openTestRoom();
});

afterEach(async () => {
  expect(room.bugs).toEqual([]);
  await room[Symbol.asyncDispose]();
});

const acts = (of = room) => of.events.filter((event) => event.kind === 'admin');

interface Layer {
  readonly route?: { readonly path: string; readonly stack: readonly { readonly method: string }[] };
  readonly handle: { readonly stack?: readonly Layer[] };
}

/** Every route that Express would serve. */
function liveRoutes({ app }: Pick<TestRoom, 'app'>): string[] {
  const walk = (layers: readonly Layer[]): string[] =>
    layers.flatMap(({ route, handle }) =>
      route === undefined
        ? walk(handle.stack ?? [])
        : route.stack.map(({ method }) => `${method.toUpperCase()} ${route.path}`),
    );
  return walk((app.router as unknown as { stack: readonly Layer[] }).stack);
}

const named = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;
const example = (path: string): string => path.replace(':id', 'ses_1');

describe('every route has its policy', () => {
  test('a live route without one is found, and cannot be reached', async () => {
    const without = liveRoutes(room).filter((route) => !ROUTE_POLICIES.map(named).includes(route));
    // The provider of this test planted it.
    expect(without).toEqual(['GET /auth/debug']);
    const cookie = await room.signIn();
    expect((await room.ask('GET', '/auth/debug', { cookie, headers: room.page })).status).toBe(404);
  });

  test('every policy has its live route, but for those of a provider that is not there', async () => {
    await using bare = await openTestRoom({ signIn: undefined });
    const missing = ROUTE_POLICIES.map(named).filter((route) => !liveRoutes(bare).includes(route));
    expect(missing).toEqual(['GET /auth/login', 'GET /auth/callback', 'POST /auth/backchannel-logout']);
    expect((await bare.ask('GET', '/auth/login')).json.message).toMatch(/no identity provider is configured/);
    expect(liveRoutes(bare).filter((route) => !ROUTE_POLICIES.map(named).includes(route))).toEqual([]);
  });

  test('every method that a path does not have is answered 405, with those that it has', async () => {
    for (const { path } of ROUTE_POLICIES) {
      const known = routesAt(example(path)).flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((each) => !known.includes(each))) {
        const answer = await room.ask(method, example(path), { headers: room.page });
        expect([method, path, answer.status, answer.headers['allow']]).toEqual([method, path, 405, known.join(', ')]);
      }
      const options = await room.ask('OPTIONS', example(path));
      expect([options.status, options.headers['allow']]).toEqual([204, ['OPTIONS', ...known].join(', ')]);
      expect(options.headers['set-cookie']).toBeUndefined();
    }
  });

  test.each([
    '/AUTH/session',
    '/auth/session/',
    '/auth/Session',
    '/auth/%73ession',
    '/auth',
    '/auth/',
    '/auth/sessions/',
    '/auth/sessions/a/b',
  ])('%s is no way around: there is nothing', async (path) => {
    const cookie = await room.signIn();
    expect((await room.ask('GET', path, { cookie, headers: room.page })).status).toBe(404);
  });

  test('a parameter that is no text is refused, not a bug', async () => {
    const cookie = await room.signIn();
    const answer = await room.ask('DELETE', '/auth/sessions/%20%2e', { cookie, headers: room.page });
    expect(answer.status).toBe(404);
  });
});

describe('C1 to C3 over the live routes: what another site can make a browser send gets nowhere', () => {
  const foreign: readonly Record<string, string>[] = [
    {},
    { 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'cross-site', 'X-Requested-By': 'x' },
    { 'Sec-Fetch-Site': 'same-site', 'X-Requested-By': 'x' },
    { Origin: 'https://evil.test', 'X-Requested-By': 'x' },
    { Origin: 'null', 'X-Requested-By': 'x' },
    { Origin: 'https://evil.test', 'Sec-Fetch-Site': 'same-origin', 'X-Requested-By': 'x' },
    { 'X-Requested-By': '' },
  ];
  const guarded = ROUTE_POLICIES.filter(
    ({ method, policy }) => policy.startsWith('session') || (policy === 'anonymous' && method !== 'GET'),
  );
  const calls = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({
    method,
    path: '/v1/default/device',
  }));

  test.each([...guarded, ...calls].map((route) => [named(route), route] as const))(
    '%s',
    async (_name, { method, path }) => {
      const cookie = await room.signIn();
      const before = await room.store.sessions.list(99);
      for (const headers of foreign) {
        const answer = await room.ask(method, example(path), { cookie, headers });
        expect([headers, answer.status]).toEqual([headers, 403]);
        expect(answer.headers['set-cookie']).toBeUndefined();
        if (method !== 'HEAD') expect(answer.json.type).toBe('permission_error');
      }
      expect(room.hits).toEqual([]);
      expect(await room.store.sessions.list(99)).toEqual(before);
      // What a page of ours sends does get through, so that the refusals say something.
      const own = await room.ask(method, example(path), { cookie, headers: room.page });
      expect(own.status).not.toBe(403);
    },
  );

  test('C2: without either header a change is refused, a look is not', async () => {
    const cookie = await room.signIn();
    const headers = { 'X-Requested-By': 'x' };
    expect((await room.ask('DELETE', '/auth/sessions', { cookie, headers })).status).toBe(403);
    expect((await room.ask('GET', '/auth/sessions', { cookie, headers })).status).toBe(200);
  });
});

test('C4: a token and a cookie together are refused; a token is never tried as a cookie', async () => {
  const cookie = await room.signIn();
  const token = { ...room.page, Authorization: 'Bearer mgw_x' };
  const both = await room.ask('GET', '/auth/whoami', { cookie, headers: token });
  expect([both.status, both.json.type]).toEqual([400, 'invalid_request_error']);
  expect((await room.ask('GET', '/auth/whoami', { headers: token })).json).toEqual({ kind: 'app', team: 'acme' });
  expect((await room.ask('GET', '/auth/whoami', { cookie, headers: room.page })).json).toMatchObject({
    kind: 'person',
  });
  expect((await room.ask('GET', '/auth/whoami', { headers: room.page })).status).toBe(401);
  // Elsewhere a token is no way in.
  expect((await room.ask('GET', '/auth/session', { headers: token })).status).toBe(401);
});

describe('C9: tickets', () => {
  const ticketFor = async (cookie: string | undefined, path: string, headers = room.page): Promise<string> => {
    const answer = await room.ask('POST', '/auth/ticket', { cookie, headers, body: { method: 'GET', path } });
    expect(answer.status).toBe(201);
    return answer.json.path;
  };

  test('let a download through once, without the header, and Mason never sees them', async () => {
    const cookie = await room.signIn();
    const path = await ticketFor(cookie, '/v1/default/device?limit=3&x=%41');
    expect((await room.ask('GET', '/v1/default/device?limit=3&x=%41', { cookie })).status).toBe(403);
    expect((await room.ask('GET', path, { cookie })).status).toBe(200);
    expect(room.hits).toMatchObject([{ target: '/v1/default/device?limit=3&x=%41' }]);
    expect((await room.ask('GET', path, { cookie })).status).toBe(403);
    expect(room.hits).toHaveLength(1);
  });

  test('the query stays as it is around them, to the byte', async () => {
    const cookie = await room.signIn();
    const ticket = (await ticketFor(cookie, '/v1/x?a=1&&b=%7e&a=2')).split('gateway-ticket=')[1];
    expect((await room.ask('GET', `/v1/x?a=1&gateway-ticket=${ticket}&&b=%7e&a=2`, { cookie })).status).toBe(200);
    const bare = (await ticketFor(cookie, '/v1/x?')).split('?')[1];
    expect((await room.ask('GET', `/v1/x?${bare}`, { cookie })).status).toBe(200);
    expect(room.hits.map(({ target }) => target)).toEqual(['/v1/x?a=1&&b=%7e&a=2', '/v1/x']);
  });

  test.each([
    ['another path', (path: string) => path.replace('/device', '/group')],
    ['another query', (path: string) => path.replace('limit=3', 'limit=4')],
    ['no query', (path: string) => path.replace('limit=3&', '')],
    ['a longer path', (path: string) => path.replace('/device', '/device/1')],
    ['two of them', (path: string) => `${path}&gateway-ticket=${randomBytes(32).toString('base64url')}`],
    ['one made up', (path: string) => path.replace(/ticket=.*/, `ticket=${randomBytes(32).toString('base64url')}`)],
    ['one cut', (path: string) => path.slice(0, -1)],
    ['an origin put behind', (path: string) => `${path}.aHR0cHM6Ly9ldmlsLnRlc3Q`],
    ['an empty one', (path: string) => path.replace(/ticket=.*/, 'ticket=')],
  ])('are no good for %s', async (_what, change) => {
    const cookie = await room.signIn();
    const path = change(await ticketFor(cookie, '/v1/default/device?limit=3'));
    expect((await room.ask('GET', path, { cookie })).status).toBe(403);
    expect(room.hits).toEqual([]);
  });

  test('are no good for another session, another method, another site, or later', async () => {
    const [grace, ada] = [await room.signIn('Grace'), await room.signIn('Ada')];
    const path = '/v1/default/device';
    expect((await room.ask('GET', await ticketFor(grace, path), { cookie: ada })).status).toBe(403);
    for (const method of ['POST', 'HEAD', 'DELETE', 'PUT']) {
      expect((await room.ask(method, await ticketFor(grace, path), { cookie: grace })).status).toBe(403);
    }
    for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }, { Origin: 'null' }]) {
      expect(
        (await room.ask('GET', await ticketFor(grace, path), { cookie: grace, headers: headers as never })).status,
      ).toBe(403);
    }
    const late = await ticketFor(grace, path);
    await room.clock.advance(30_000);
    expect((await room.ask('GET', late, { cookie: grace })).status).toBe(403);
    expect((await room.ask('GET', await ticketFor(grace, path), {})).status).toBe(401);
    expect(room.hits).toEqual([]);
  });

  test('do not outlive their session', async () => {
    const cookie = await room.signIn();
    const path = await ticketFor(cookie, '/v1/default/device');
    await room.ask('POST', '/auth/logout', { cookie, headers: room.page });
    expect((await room.ask('GET', path, { cookie })).status).toBe(401);
  });

  test('of a frontend speak for that frontend', async () => {
    const app = { origin: 'https://app.example.com', teams: ['acme'] };
    await using listed = await openTestRoom({ frontends: [app] });
    const cookie = await listed.signIn();
    const headers = { 'X-Requested-By': 'x', Origin: app.origin, 'Sec-Fetch-Site': 'same-site' };
    const body = { method: 'GET', path: '/v1/default/device' };
    const { json } = await listed.ask('POST', '/auth/ticket', { cookie, headers, body });
    const answer = await listed.ask('GET', json.path, { cookie, headers: { 'Sec-Fetch-Site': 'same-site' } });
    expect(answer.status).toBe(200);
    expect(listed.hits).toMatchObject([{ frontend: app.origin, target: '/v1/default/device' }]);
  });

  test.each([
    [{ method: 'POST', path: '/v1/x' }],
    [{ method: 'GET' }],
    [{ method: 'GET', path: 7 }],
    [{ method: 'GET', path: 'https://evil.test/v1/x' }],
    [{ method: 'GET', path: '//evil.test' }],
    [{ method: 'GET', path: '/v1/../x' }],
    [{ method: 'GET', path: '/v1/x#y' }],
    [{ method: 'GET', path: `/v1/${'x'.repeat(9_000)}` }],
    [{ method: 'GET', path: `/v1/x?gateway-ticket=${'x'.repeat(43)}` }],
    [[]],
    ['text'],
    [null],
  ])('are not given for %j', async (body) => {
    const cookie = await room.signIn();
    const answer = await room.ask('POST', '/auth/ticket', { cookie, headers: room.page, body });
    expect([400, 403, 413, 414]).toContain(answer.status);
    expect(answer.json.path).toBeUndefined();
  });
});

describe('A1: the cookie', () => {
  test('over https: __Host-, Path=/, HttpOnly, Secure, SameSite=Strict, no Domain, no lifetime, and exactly one', async () => {
    await using secure = await openTestRoom({
      publicUrl: 'https://gateway.example.com',
      trustedProxies: ['127.0.0.1'],
    });
    const headers = { ...secure.page, Host: 'gateway.example.com', 'X-Forwarded-Proto': 'https' };
    const answer = await secure.ask('POST', '/auth/link', { headers, body: { secret: await secure.newLink() } });
    expect(answer.headers['set-cookie']).toHaveLength(1);
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^__Host-mason-gateway=s%3A[\w%-]+\.[\w%-]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    const view = await secure.ask('GET', '/auth/session', { cookie: answer.cookie, headers });
    expect(view.json.person.name).toBe('Grace');
    const renamed = answer.cookie?.replace('__Host-', '');
    expect((await secure.ask('GET', '/auth/session', { cookie: renamed, headers })).status).toBe(401);
  });

  test('over http on loopback: the same without Secure and prefix', async () => {
    const answer = await room.ask('POST', '/auth/link', { headers: room.page, body: { secret: await room.newLink() } });
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^mason-gateway=s%3A[\w%-]+\.[\w%-]+; Path=\/; HttpOnly; SameSite=Strict$/,
    );
  });

  test('Lax where the configuration says so', async () => {
    await using lax = await openTestRoom({ sameSite: 'lax' });
    const answer = await lax.ask('POST', '/auth/link', { headers: lax.page, body: { secret: await lax.newLink() } });
    expect(String(answer.headers['set-cookie'])).toMatch(/; SameSite=Lax$/);
  });
});

describe('A3 and A4: a sign-in that cannot set its cookie fails loudly', () => {
  const tryHttps = async (trustedProxies: readonly string[] | undefined, forwarded: Record<string, string>) => {
    await using secure = await openTestRoom({
      publicUrl: 'https://gateway.example.com',
      ...(trustedProxies && { trustedProxies }),
    });
    const secret = await secure.newLink();
    const headers = { ...secure.page, ...forwarded };
    const answer = await secure.ask('POST', '/auth/link', { headers, body: { secret } });
    const isLinkLeft =
      (await secure.store.links.take(hash('sha256', secret, 'base64url'), secure.clock.epochMs())) !== undefined;
    return { answer, isLinkLeft };
  };

  test.each([
    ['plain http', undefined, {}],
    ['a header that anybody can send', undefined, { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '10.0.0.1' }],
    ['the header of RFC 7239', ['127.0.0.1'], { Forwarded: 'proto=https' }],
    ['a proxy elsewhere is trusted', ['10.0.0.0/8'], { 'X-Forwarded-Proto': 'https' }],
    ['a trusted proxy that says http', ['127.0.0.1'], { 'X-Forwarded-Proto': 'http' }],
    ['a trusted proxy that says nothing', ['127.0.0.1'], {}],
    ['other headers', undefined, { 'X-Forwarded-Ssl': 'on', 'Front-End-Https': 'on', 'X-Url-Scheme': 'https' }],
  ])('%s: refused with a hint, no cookie, and the link is still good', async (_what, proxies, forwarded) => {
    const { answer, isLinkLeft } = await tryHttps(proxies, forwarded as unknown as Record<string, string>);
    expect([answer.status, answer.headers['set-cookie'], isLinkLeft]).toEqual([400, undefined, true]);
    expect(answer.json.message).toMatch(/listen\.trustedProxies.*X-Forwarded-Proto: https/);
  });

  test.each([['127.0.0.1'], ['127.0.0.0/8'], ['::ffff:127.0.0.1']])(
    'https, as the trusted proxy %s says',
    async (proxy) => {
      const { answer } = await tryHttps([proxy], { 'X-Forwarded-Proto': 'https' });
      expect([answer.status, answer.headers['set-cookie']?.length]).toEqual([200, 1]);
    },
  );

  test('whatever the way to sign in is: nothing is stored, no cookie is set', async () => {
    await using secure = await openTestRoom({ publicUrl: 'https://gateway.example.com' });
    const answer = await secure.ask('GET', '/auth/callback?as=grace');
    expect([answer.status, answer.headers['set-cookie']]).toEqual([400, undefined]);
    expect(await secure.store.sessions.list(9)).toEqual([]);
    expect(acts(secure)).toEqual([]);
  });

  test('without a public address, only this machine signs in: elsewhere the cookie would travel in the clear', async () => {
    const secret = await room.newLink();
    const headers = { ...room.page, Host: 'gateway.lan:8080' };
    const answer = await room.ask('POST', '/auth/link', { headers, body: { secret } });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([400, undefined]);
    expect(answer.json.message).toMatch(/listen\.publicUrl/);
  });

  test('an address that a stranger names is not believed, and not recorded', async () => {
    const headers = { ...room.page, 'X-Forwarded-For': '203.0.113.7', 'X-Real-IP': '203.0.113.7' };
    await room.ask('POST', '/auth/link', { headers, body: { secret: await room.newLink() } });
    expect(acts().at(-1)).toMatchObject({ act: 'session.start', actor: { address: '127.0.0.1' } });
  });
});

test('A5: no header that anybody can set signs anybody in', async () => {
  const names = [
    ...[
      'X-User',
      'X-Remote-User',
      'Remote-User',
      'X-Forwarded-User',
      'X-Forwarded-Email',
      'X-Forwarded-Preferred-Username',
    ],
    ...['X-Forwarded-Groups', 'X-Auth-Request-User', 'X-Auth-Request-Email', 'X-Authenticated-User', 'X-WebAuth-User'],
    ...['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Host', 'X-Forwarded-Uri', 'X-Forwarded-Prefix', 'X-Session-Id'],
    ...['X-Client-Cert', 'X-SSL-Client-Verify', 'X-Gateway-Person', 'User', 'X-Team', 'Gateway-Account'],
  ];
  const cookie = await room.signIn();
  const id = decodeURIComponent(cookie).split(/[:.]/)[1] ?? '';
  for (const value of ['grace', 'per_1', '/auth/account', '127.0.0.1', id]) {
    const headers = { ...Object.fromEntries(names.map((name) => [name, value])), ...room.page };
    for (const path of ['/auth/session', '/auth/sessions', '/v1/default/device']) {
      expect((await room.ask('GET', path, { headers })).status).toBe(401);
    }
    expect((await room.ask('GET', `/auth/session?sid=${value}&token=${value}`, { headers })).status).toBe(401);
  }
  expect(room.hits).toEqual([]);
});

test('A6 and A7: every answer has the security headers, and is kept by nobody', async () => {
  const cookie = await room.signIn();
  for (const { method, path } of [...ROUTE_POLICIES, { method: 'GET', path: '/nothing' }]) {
    const { headers } = await room.ask(method, example(path), { cookie, headers: room.page });
    expect(headers).toMatchObject({
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringMatching(/^default-src 'none'.*frame-ancestors 'none'/),
      'request-id': expect.stringMatching(/^[\da-f-]{36}$/),
    });
    expect(headers).not.toHaveProperty('x-powered-by');
    // The session may have ended on the way.
    if (path === '/auth/logout') break;
  }
});

test('D2: an API path answers 401 in JSON, never a redirect, whatever is accepted', async () => {
  for (const accept of [
    'text/html',
    'text/html,application/xhtml+xml,*/*;q=0.8',
    '*/*',
    'application/json',
    'image/png',
  ]) {
    for (const path of ['/auth/session', '/auth/sessions', '/auth/whoami', '/v1/default/device']) {
      for (const headers of [room.page, {}, { Cookie: 'other=1' }]) {
        const answer = await room.ask('GET', path, {
          headers: { ...headers, Accept: accept } as Record<string, string>,
        });
        expect([answer.status, answer.headers['location']]).toEqual([401, undefined]);
        expect(answer.headers['content-type']).toBe('application/json');
        expect(Object.keys(answer.json)).toEqual(['type', 'message']);
      }
    }
  }
});

describe('D3: what a page is told of its session', () => {
  test('who, what they may do, how long, how the keys are', async () => {
    const cookie = await room.signIn();
    const { json } = await room.ask('GET', '/auth/session', { cookie, headers: room.page });
    expect(json).toEqual({
      kind: 'person',
      person: { id: expect.stringMatching(/^per_/), name: 'Grace' },
      session: expect.stringMatching(/^ses_/),
      secondsLeft: 1_800,
      operates: false,
      teams: [
        {
          id: 'team_1',
          slug: 'acme',
          roles: ['lead'],
          calls: { scopes: ['fleet:read'], effects: 'destructive' },
          manages: true,
          audits: true,
          status: { keys: [{ name: 'main', health: 'ok' }] },
        },
      ],
    });
  });

  test('nothing that is a credential, wherever one looks', async () => {
    const cookie = (await room.ask('GET', '/auth/callback?as=grace')).cookie ?? '';
    const [id = ''] = decodeURIComponent(cookie).split('s:')[1]?.split('.') ?? [];
    const digest = hash('sha256', id, 'base64url');
    const secrets = [id, digest, SECRET, decodeURIComponent(cookie)];
    for (const path of ['/auth/session', '/auth/sessions', '/auth/whoami', '/auth/account']) {
      const { text, headers } = await room.ask('GET', path, { cookie, headers: room.page });
      for (const secret of secrets) {
        for (const form of [
          secret,
          Buffer.from(secret).toString('base64'),
          Buffer.from(secret).toString('hex'),
          encodeURIComponent(secret),
        ]) {
          expect(text + JSON.stringify(headers)).not.toContain(form);
        }
      }
    }
    for (const secret of secrets) expect(JSON.stringify(room.events)).not.toContain(secret);
  });

  test('an operator sees all teams, an auditor what is audited, a page of a frontend its teams only', async () => {
    await using wide = await openTestRoom({ frontends: [{ origin: 'https://app.example.com', teams: ['globex'] }] });
    const cookie = (await wide.ask('GET', '/auth/callback?as=grace')).cookie;
    const person = wide.people.get('per_grace');
    if (person === undefined) throw new Error('nobody is there');
    const see = async (grants: typeof person.grants, headers = wide.page) => {
      wide.people.set(person.id, { ...person, grants });
      const { json } = await wide.ask('GET', '/auth/session', { cookie, headers });
      return [
        json.operates,
        json.teams.map(
          (team: { slug: string; manages: boolean; audits: boolean; calls: unknown }) =>
            `${team.slug}${team.calls === null ? '' : ' calls'}${team.manages ? ' manages' : ''}${team.audits ? ' audits' : ''}`,
        ),
      ];
    };
    const operator = [{ role: 'operator', teamId: undefined, scopes: [] }] as const;
    const auditor = [{ role: 'auditor', teamId: undefined, scopes: [] }] as const;
    const viewer = [{ role: 'viewer', teamId: 'team_1', scopes: ['fleet:read'] }] as const;
    const app = { 'X-Requested-By': 'x', Origin: 'https://app.example.com' };
    expect(await see(operator)).toEqual([true, ['acme manages audits', 'globex manages audits']]);
    expect(await see(operator, app)).toEqual([false, []]);
    expect(await see([{ role: 'lead', teamId: 'team_2', scopes: [] }], app)).toEqual([false, ['globex calls']]);
    expect(await see(auditor)).toEqual([false, ['acme audits', 'globex audits']]);
    expect(await see(viewer)).toEqual([false, ['acme calls']]);
    expect(await see(viewer, app)).toEqual([false, []]);
    expect(await see([])).toEqual([false, []]);
  });
});

describe('D4: bad sign-in links', () => {
  const tryLink = (secret: unknown, headers = room.page) =>
    room.ask('POST', '/auth/link', { headers, body: { secret } });

  test('50 bad ones from an address are told so, the next hears to wait; a good one still works', async () => {
    for (let tries = 0; tries < 50; tries += 1) expect((await tryLink(`guess ${tries}`)).status).toBe(401);
    const answer = await tryLink('one more');
    expect([answer.status, answer.headers['retry-after'], answer.json.type]).toEqual([429, '60', 'rate_limit_error']);
    expect((await tryLink(await room.newLink())).status).toBe(200);
    await room.clock.advance(60_000);
    expect((await tryLink('again')).status).toBe(401);
    expect(acts().filter(({ act }) => act === 'sign_in.refused')).toHaveLength(52);
  });

  test('unknown, used, ended, cut, of another form: all the same answer', async () => {
    const used = await room.newLink();
    await tryLink(used);
    const ended = await room.newLink();
    await room.clock.advance(600_000);
    const tries = [randomBytes(32).toString('base64url'), used, ended, '', 'x'.repeat(5_000), 7, null, {}, undefined];
    const answers = await Promise.all(tries.map((secret) => tryLink(secret)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    for (const { headers } of answers) expect(headers['set-cookie']).toBeUndefined();
  });

  test('a link works once, whoever is first', async () => {
    const secret = await room.newLink();
    const answers = await Promise.all(Array.from({ length: 10 }, () => tryLink(secret)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 9 }, () => 401)]);
  });

  test('another site cannot sign somebody in under its own link (login CSRF)', async () => {
    const secret = await room.newLink();
    for (const headers of [
      {},
      { 'X-Requested-By': 'x', 'Sec-Fetch-Site': 'cross-site' },
      { Origin: 'https://evil.test' },
    ]) {
      expect((await tryLink(secret, headers as never)).status).toBe(403);
    }
    expect((await tryLink(secret)).status).toBe(200);
  });

  test('the secret stands in no address: a GET does not take it', async () => {
    const secret = await room.newLink();
    await room.ask('GET', `/auth/link?secret=${secret}`);
    expect((await tryLink(secret)).status).toBe(200);
  });
});

describe('what is on record', () => {
  test('a sign-in, a sign-out, an ended session, a refused try: who, from where, and the request', async () => {
    const cookie = (await room.ask('GET', '/auth/callback?as=grace')).cookie;
    const other = await room.ask('GET', '/auth/callback?as=grace');
    const list = await room.ask('GET', '/auth/sessions', { cookie, headers: room.page });
    const row = list.json.sessions.find((session: { current: boolean }) => !session.current);
    const ended = await room.ask('DELETE', `/auth/sessions/${row.id}`, { cookie, headers: room.page });
    const out = await room.ask('POST', '/auth/logout', { cookie, headers: room.page });
    await room.ask('POST', '/auth/link', { headers: room.page, body: { secret: 'guess' } });
    const who = { kind: 'person', personId: 'per_grace', address: '127.0.0.1' };
    expect(acts()).toMatchObject([
      { act: 'session.start', actor: who, details: { issuer: 'https://login.test' }, result: 'done' },
      { act: 'session.start', actor: { ...who, sessionId: row.id }, requestId: other.headers['request-id'] },
      {
        act: 'session.end',
        actor: who,
        details: { session: row.id, person: 'per_grace', reason: 'ended from a session' },
        requestId: ended.headers['request-id'],
      },
      { act: 'session.end', actor: who, details: { reason: 'sign-out' }, requestId: out.headers['request-id'] },
      { act: 'sign_in.refused', actor: { kind: 'unknown', address: '127.0.0.1' }, result: 'failed' },
    ]);
  });

  test('somebody kept out is refused at the sign-in, on record, without a cookie', async () => {
    await room.ask('GET', '/auth/callback?as=grace');
    const person = room.people.get('per_grace');
    if (person === undefined) throw new Error('nobody is there');
    room.people.set(person.id, { ...person, disabledAt: 1 });
    const answer = await room.ask('GET', '/auth/callback?as=grace');
    expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
    expect(acts().at(-1)).toMatchObject({
      act: 'sign_in.refused',
      actor: { personId: 'per_grace' },
      errorCode: 'forbidden',
    });
  });
});

describe('signing out at the provider, too', () => {
  test('is where the page goes next, when the provider has such a place', async () => {
    const cookie = (await room.ask('GET', '/auth/callback?as=grace')).cookie;
    const answer = await room.ask('POST', '/auth/logout', { cookie, headers: room.page });
    expect(answer.json).toEqual({ endSessionUrl: 'https://login.test/end?client_id=gateway' });
    expect(answer.headers['clear-site-data']).toBe('"storage"');
    expect((await room.ask('POST', '/auth/logout', { cookie, headers: room.page })).status).toBe(204);
  });

  test.each([
    ['is away', async () => Promise.reject(new Error('no route to host'))],
    ['never answers', () => new Promise<undefined>(() => {})],
  ])('is left out when the provider %s: the sign-out here is done', async (_what, endSessionUrl) => {
    await using bare = await openTestRoom({
      signIn: (host) => ({ routes: () => callback(host), endSessionUrl }),
    });
    const cookie = (await bare.ask('GET', '/auth/callback')).cookie;
    const leaving = bare.ask('POST', '/auth/logout', { cookie, headers: bare.page });
    while ((await bare.store.sessions.list(1)).length > 0) await new Promise((resolve) => setImmediate(resolve));
    await bare.clock.advance(2_000);
    expect((await leaving).status).toBe(204);
  });
});

describe('bodies', () => {
  test('of another type, coded, too large, or no object are refused', async () => {
    const ask = (headers: Record<string, string>, body: unknown = { secret: 'x' }) =>
      room.ask('POST', '/auth/link', { headers: { ...room.page, ...headers }, body });
    expect((await ask({ 'Content-Type': 'text/plain' })).status).toBe(415);
    expect((await ask({ 'Content-Type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    expect((await ask({ 'Content-Encoding': 'gzip' })).status).toBe(415);
    expect((await ask({}, { secret: 'x'.repeat(20_000) })).status).toBe(413);
    expect((await ask({}, [])).status).toBe(400);
    expect((await ask({}, 7)).status).toBe(400);
    expect((await room.ask('POST', '/auth/link', { headers: room.page })).status).toBe(415);
  });

  const head = (rest: string): string =>
    `POST /auth/link HTTP/1.1\r\nHost: localhost:${room.port}\r\nX-Requested-By: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n${rest}`;

  test('that are no HTTP are answered, and the connection ends', async () => {
    using socket = await RawSocket.open(room.port);
    await socket.write(head('Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\nnot a size\r\n'));
    expect((await socket.answer()).status).toBe(400);
  });

  test('that grow and grow are refused, though nobody said how large they are', async () => {
    using socket = await RawSocket.open(room.port);
    const chunk = `2000\r\n${' '.repeat(8_192)}\r\n`;
    await socket.write(head('Transfer-Encoding: chunked\r\n\r\n'), chunk, chunk, chunk);
    expect((await socket.answer()).status).toBe(413);
  });

  test('that are waited for with "100-continue" are asked for', async () => {
    using socket = await RawSocket.open(room.port);
    await socket.write(head('Expect: 100-continue\r\nContent-Length: 14\r\n\r\n'));
    await socket.heard('100 Continue');
    await socket.write('{"secret":"x"}');
    expect(await socket.answer()).toMatchObject({ status: 401, interim: [100] });
  });

  test('that stop coming in the middle are no bug', async () => {
    {
      using socket = await RawSocket.open(room.port);
      await socket.write(head('Content-Length: 14\r\n\r\n{"se'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await room.ask('POST', '/auth/logout', { headers: room.page })).status).toBe(204);
  });
});

test('the way to the start page leads to the account, and pages run own files only', async () => {
  const home = await room.ask('GET', '/');
  expect([home.status, home.headers['location']]).toEqual([303, '/auth/account']);
  for (const [path, type] of [
    ['/auth/account', 'text/html; charset=utf-8'],
    ['/auth/link', 'text/html; charset=utf-8'],
    ['/auth/account.js', 'text/javascript; charset=utf-8'],
    ['/auth/link.js', 'text/javascript; charset=utf-8'],
    ['/auth/page.css', 'text/css; charset=utf-8'],
  ]) {
    const { headers, text } = await room.ask('GET', path ?? '');
    expect(headers['content-type']).toBe(type);
    expect(String(headers['content-security-policy']).split(';')).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]),
    );
    if (type?.startsWith('text/html')) expect(text).not.toMatch(/<script>|<style|\son\w+=|style=/i);
    expect((await room.ask('HEAD', path ?? '')).text).toBe('');
  }
});

test('a bug is told nobody but the log', async () => {
  await using broken = await openTestRoom({
    teamSlugs: async () => {
      throw new TypeError('secret detail');
    },
  });
  const cookie = await broken.signIn();
  const answer = await broken.ask('GET', '/auth/session', { cookie, headers: broken.page });
  expect([answer.status, answer.text]).toEqual([500, '{"type":"api_error","message":"internal error of the gateway"}']);
  expect(broken.bugs).toHaveLength(1);
});

function callback(host: SignInHost): Router {
  const router = Router();
  router.get('/auth/callback', async (req, res) => {
    const at = 0;
    const person = {
      ...{ id: 'per_x', issuer: 'i', subject: 's', name: 'n', grants: [], pinned: false },
      ...{ disabledAt: undefined, createdAt: at, lastSignInAt: at },
    };
    await host.startSession(req, res, { person, issuer: 'i' });
    res.end();
  });
  return router;
}
