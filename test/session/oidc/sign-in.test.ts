import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../../src/domain/secret.ts';
import type { ProviderSettings } from '../../../src/session/oidc/identity-provider.ts';
import { providerDigest } from '../../../src/session/sign-in.ts';
import { eventually } from '../../support/eventually.ts';
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts';
import { MovableClock } from './movable-clock.ts';
import { reserveOrigin, type SignInBench, startSignInBench } from './sign-in-bench.ts';
import { type Seen, Visitor } from './visitor.ts';

const ACCOUNTS = {
  alice: { name: 'Alice', groups: ['warehouse-leads', 'staff'], email: 'shared@example.com' },
  bob: { name: 'Bob', groups: ['staff'], email: 'shared@example.com' },
  mallory: { name: 'Mallory', groups: ['visitors'] },
};
const SECRET = 'canary: with/reserved+characters %';

const isCallback = (url: string): boolean => new URL(url).pathname === '/auth/callback';

describe('Signing in with a real identity provider', () => {
  const clock = new MovableClock();
  let provider: IdentityProvider;
  let bench: SignInBench;

  beforeAll(async () => {
    const origin = await reserveOrigin();
    provider = await startIdentityProvider(ACCOUNTS, () => [
      { clientId: 'gateway', clientSecret: SECRET, publicUrl: origin.publicUrl },
    ]);
    bench = await startSignInBench(
      origin,
      [
        {
          id: 'company',
          issuer: provider.issuer,
          clientId: 'gateway',
          clientSecret: new Secret(SECRET),
          scopes: ['openid', 'profile', 'offline_access'],
          rules: [
            {
              when: { claim: 'groups', is: 'warehouse-leads' },
              role: 'lead',
              teams: ['warehouse'],
              scopes: ['fleet:read'],
            },
            { when: { claim: 'groups', is: 'staff' }, role: 'viewer', teams: ['stores'], scopes: ['account:owner'] },
          ],
        },
      ],
      { clock },
    );
  });

  beforeEach(() => {
    for (const list of [bench.sessions, bench.ended, bench.refused, bench.errors]) list.length = 0;
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });

  const login = (visitor: Visitor, returnTo = '/console'): Promise<Seen> =>
    visitor.get(`${bench.publicUrl}/auth/login?returnTo=${encodeURIComponent(returnTo)}`);
  const toCallback = async (visitor: Visitor, account: string, returnTo?: string): Promise<string> =>
    visitor.follow(await login(visitor, returnTo), account, isCallback);
  const signIn = async (account: string, visitor = new Visitor()): Promise<Seen> =>
    visitor.get(await toCallback(visitor, account));
  const flowCookies = (visitor: Visitor): string[] =>
    visitor.cookiesFor(bench.publicUrl).filter((cookie) => cookie.startsWith('mgw-flow-'));

  test('somebody signs in, has the roles of the rules, and comes back to where they were', async () => {
    const visitor = new Visitor();
    const seen = await visitor.get(await toCallback(visitor, 'alice', '/console?team=warehouse#devices'));
    expect(seen).toMatchObject({
      status: 303,
      location: `${bench.publicUrl}/console?team=warehouse#devices`,
      text: '',
    });
    expect(seen.headers.get('cache-control')).toBe('no-store');
    expect(visitor.cookiesFor(bench.publicUrl)).toEqual(['session=1']);
    const [session] = bench.sessions;
    expect(session).toMatchObject({
      issuer: provider.issuer,
      person: {
        issuer: provider.issuer,
        subject: 'alice',
        name: 'Alice',
        grants: [
          { role: 'lead', teamId: 'team_warehouse', scopes: ['fleet:read'] },
          { role: 'viewer', teamId: 'team_stores', scopes: ['account:owner'] },
        ],
      },
    });
    expect(session?.providerSid).toEqual(expect.stringMatching(/.{10,}/));
    expect(JSON.stringify(session)).not.toContain('eyJ');
    expect(bench.refused).toEqual([]);
  });

  test('D6: the provider is asked with PKCE S256, state and nonce, for the exact redirect URI, and for no refresh token', async () => {
    const visitor = new Visitor();
    const begun = await login(visitor);
    expect(begun.status).toBe(303);
    const query = Object.fromEntries(new URL(begun.location ?? '').searchParams);
    expect(query).toMatchObject({
      response_type: 'code',
      client_id: 'gateway',
      redirect_uri: `${bench.publicUrl}/auth/callback`,
      scope: 'openid profile',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[0-9a-f]{64}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const line = begun.headers.get('set-cookie') ?? '';
    expect(line).toMatch(/^mgw-flow-[0-9a-f]{8}=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    // The cookie is sealed: what it holds can be neither read nor found out.
    const value = Buffer.from(line.slice(line.indexOf('=') + 1, line.indexOf(';')), 'base64url');
    for (const part of [query['state'], query['nonce'], '/console']) expect(value.includes(part ?? '')).toBe(false);
  });

  test('D6: another browser cannot finish a sign-in, and so cannot be signed in as somebody else', async () => {
    const callback = await toCallback(new Visitor(), 'alice');
    const other = new Visitor();
    await login(other);
    for (const stranger of [new Visitor(), other]) {
      const seen = await stranger.get(callback);
      expect(seen.status).toBe(400);
      expect(JSON.parse(seen.text)).toMatchObject({ type: 'invalid_request_error' });
    }
    expect(bench.sessions).toEqual([]);
    expect(bench.refused).toHaveLength(2);
  });

  test('D6: a callback counts once, even where its cookie comes back with it', async () => {
    const visitor = new Visitor();
    const callback = await toCallback(visitor, 'alice');
    const [name = '', value = ''] = (flowCookies(visitor)[0] ?? '').split('=');
    expect((await visitor.get(callback)).status).toBe(303);
    expect(flowCookies(visitor)).toEqual([]);
    visitor.plant(bench.publicUrl, name, value);
    const asked = provider.asked.length;
    const again = await visitor.get(callback);
    expect([again.status, flowCookies(visitor), bench.sessions.length]).toEqual([400, [], 1]);
    expect(bench.refused).toEqual([{ issuer: provider.issuer, reason: 'this sign-in came back before' }]);
    expect(provider.asked.length).toBe(asked);
  });

  test('D6: a code that was used is worth nothing in a sign-in of one’s own', async () => {
    const victim = new Visitor();
    const stolen = new URL(await toCallback(victim, 'alice')).searchParams.get('code') ?? '';
    const thief = new Visitor();
    const callback = new URL(await toCallback(thief, 'mallory'));
    callback.searchParams.set('code', stolen);
    const seen = await thief.get(callback.href);
    // PKCE: the code belongs to the verifier in the victim's cookie.
    expect([seen.status, bench.sessions]).toEqual([400, []]);
    expect(bench.refused).toHaveLength(1);
  });

  test.each([
    ['without a state', (url: URL) => url.searchParams.delete('state')],
    ['with two states', (url: URL) => url.searchParams.append('state', 'f'.repeat(64))],
    ['with a state that nobody began', (url: URL) => url.searchParams.set('state', 'f'.repeat(64))],
    [
      'with half a state',
      (url: URL) => url.searchParams.set('state', url.searchParams.get('state')?.slice(0, 32) ?? ''),
    ],
    ['without a code', (url: URL) => url.searchParams.delete('code')],
    ['with two codes', (url: URL) => url.searchParams.append('code', 'x')],
    ['of another issuer (RFC 9207)', (url: URL) => url.searchParams.set('iss', 'https://evil.example.com')],
    ['without an issuer, which this provider always sends', (url: URL) => url.searchParams.delete('iss')],
    ['with a token in the URL', (url: URL) => url.searchParams.set('id_token', 'e30.e30.')],
  ])('fault 61: a callback %s begins no session', async (_what, alter) => {
    const visitor = new Visitor();
    const callback = new URL(await toCallback(visitor, 'alice'));
    alter(callback);
    const seen = await visitor.get(callback.href);
    expect(seen.status).toBe(400);
    expect(JSON.parse(seen.text)).toEqual({ type: 'invalid_request_error', message: expect.any(String) });
    expect([bench.sessions.length, bench.refused.length]).toEqual([0, 1]);
  });

  test('fault 61: what the provider says when it refuses is not repeated to the browser', async () => {
    const visitor = new Visitor();
    const callback = new URL(await toCallback(visitor, 'nobody'));
    expect(callback.searchParams.get('error')).toBe('access_denied');
    callback.searchParams.set('error_description', '<script>alert(1)</script>');
    const seen = await visitor.get(callback.href);
    expect(seen.status).toBe(400);
    expect(seen.text).not.toMatch(/script|access_denied/);
    expect(bench.refused).toEqual([{ issuer: provider.issuer, reason: 'the provider answered access_denied' }]);
  });

  test('D5: three tabs sign in at once and finish in reverse order', async () => {
    const visitor = new Visitor();
    const tabs = await Promise.all(['/a', '/b', '/c'].map((path) => login(visitor, path)));
    expect(flowCookies(visitor)).toHaveLength(3);
    const landed: (string | undefined)[] = [];
    for (const tab of tabs.toReversed()) {
      landed.push((await visitor.get(await visitor.follow(tab, 'alice', isCallback))).location);
    }
    expect(landed.map((url) => new URL(url ?? '').pathname)).toEqual(['/c', '/b', '/a']);
    expect(flowCookies(visitor)).toEqual([]);
  });

  test('D5: a browser keeps five sign-ins at most, the newest, and they fit into the headers of a request', async () => {
    const visitor = new Visitor();
    const tabs: Seen[] = [];
    for (let tab = 0; tab < 8; tab++) {
      tabs.push(await login(visitor, `/${'x'.repeat(1_000)}${tab}`));
      clock.advance(1);
    }
    expect(flowCookies(visitor)).toHaveLength(5);
    expect(flowCookies(visitor).join('; ').length).toBeLessThan(12_000);
    const outcomes: number[] = [];
    for (const tab of tabs) outcomes.push((await visitor.get(await visitor.follow(tab, 'alice', isCallback))).status);
    expect(outcomes).toEqual([400, 400, 400, 303, 303, 303, 303, 303]);
  });

  test('a sign-in that took longer than ten minutes is over', async () => {
    const visitor = new Visitor();
    const callback = await toCallback(visitor, 'alice');
    clock.advance(600_000);
    expect((await visitor.get(callback)).status).toBe(400);
    expect(bench.sessions).toEqual([]);
  });

  test.each([
    ['another host', '//evil.example.com'],
    ['another origin', 'https://evil.example.com'],
    ['what browsers take for another host', '/\\evil'],
    ['an address that no cookie holds', `/${'x'.repeat(1_100)}`],
  ])('fault 62: whoever wants to be sent to %s comes to the start page', async (_what, returnTo) => {
    const visitor = new Visitor();
    const seen = await visitor.get(await toCallback(visitor, 'alice', returnTo));
    expect(seen.location).toBe(`${bench.publicUrl}/`);
  });

  test('D6: people are told apart by issuer and subject, never by e-mail address', async () => {
    await signIn('alice');
    await signIn('bob');
    await signIn('alice');
    const [alice, bob, again] = bench.sessions.map(({ person }) => person.id);
    expect(again).toBe(alice);
    expect(bob).not.toBe(alice);
  });

  test('whoever no rule knows hears so, has no session, and is on record; an operator can still let them in by hand', async () => {
    const seen = await signIn('mallory');
    expect(seen.status).toBe(403);
    expect(JSON.parse(seen.text)).toEqual({
      type: 'permission_error',
      message: expect.stringContaining('no rule of this gateway gives Mallory a role'),
    });
    expect(bench.sessions).toEqual([]);
    expect(bench.refused).toEqual([
      { issuer: provider.issuer, reason: 'no rule of this gateway gives this person a role' },
    ]);
    const mallory = (await bench.store.people.list()).find(({ subject }) => subject === 'mallory');
    await bench.store.people.setGrants(
      mallory?.id ?? '',
      [{ role: 'viewer', teamId: 'team_stores', scopes: ['fleet:read'] }],
      true,
    );
    expect((await signIn('mallory')).status).toBe(303);
    expect(bench.sessions[0]?.person.grants).toEqual([
      { role: 'viewer', teamId: 'team_stores', scopes: ['fleet:read'] },
    ]);
  });

  test('whom an operator keeps out stays out', async () => {
    await signIn('bob');
    const id = bench.sessions[0]?.person.id ?? '';
    await bench.store.people.setDisabled(id, 1);
    const seen = await signIn('bob');
    expect([seen.status, bench.sessions.length]).toEqual([403, 1]);
    await bench.store.people.setDisabled(id, undefined);
    expect((await signIn('bob')).status).toBe(303);
  });

  test('fault 64: after a change of keys people sign in as before', async () => {
    expect((await signIn('alice')).status).toBe(303);
    await provider.rotateKeys();
    await eventually('a token of the new key is taken', async () => (await signIn('alice')).status === 303);
  });

  test('fault 64: while the provider is away sign-in says so and when to come again, and recovers by itself', async () => {
    const visitor = new Visitor();
    const callback = await toCallback(visitor, 'alice');
    await provider.goDown();
    const halfway = await visitor.get(callback);
    clock.advance(600_000);
    const begun = await login(new Visitor());
    for (const seen of [halfway, begun]) {
      expect(seen.status).toBe(503);
      expect(Number(seen.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(JSON.parse(seen.text)).toMatchObject({ type: 'api_error' });
    }
    expect(begun.headers.getSetCookie()).toEqual([]);
    // Nobody did anything wrong: it counts against no address.
    expect([bench.sessions, bench.refused]).toEqual([[], []]);
    expect(await bench.signIn.endSessionUrl(provider.issuer)).toBeUndefined();
    await provider.goUp();
    expect((await login(new Visitor())).status).toBe(503);
    clock.advance(5_000);
    expect((await signIn('alice')).status).toBe(303);
  });

  test('D7: signing out at the provider ends the session here', async () => {
    const visitor = new Visitor();
    await signIn('alice', visitor);
    const [session] = bench.sessions;
    const url = await bench.signIn.endSessionUrl(provider.issuer);
    expect(Object.fromEntries(new URL(url ?? '').searchParams)).toEqual({
      post_logout_redirect_uri: `${bench.publicUrl}/`,
      client_id: 'gateway',
    });
    const page = await visitor.get(url ?? '');
    const [, action = ''] = /action="([^"]+)"/.exec(page.text) ?? [];
    const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(page.text) ?? [];
    const left = await visitor.post(action, { xsrf, logout: 'yes' });
    expect(left.location).toBe(`${bench.publicUrl}/`);
    expect(provider.logouts.at(-1)).toBe('taken');
    expect(bench.ended).toEqual([
      {
        which: { providerDigest: providerDigest(provider.issuer, session?.providerSid ?? '') },
        reason: 'logout at the provider',
      },
    ]);
  });

  test('no end of a session at an issuer that is none of ours', async () => {
    expect(await bench.signIn.endSessionUrl('https://other.example.com')).toBeUndefined();
  });

  test('a client whose secret travels in the body can sign in too', async () => {
    const origin = await reserveOrigin();
    await using another = await startIdentityProvider(ACCOUNTS, () => [
      { clientId: 'gateway', clientSecret: SECRET, publicUrl: origin.publicUrl, authMethod: 'client_secret_post' },
    ]);
    const rules: ProviderSettings['rules'] = [
      { when: { claim: 'groups', is: 'staff' }, role: 'auditor', teams: [], scopes: [] },
    ];
    const settings = { id: 'x', issuer: another.issuer, clientId: 'gateway', clientSecret: new Secret(SECRET), rules };
    await using posting = await startSignInBench(origin, [{ ...settings, scopes: ['profile'] }]);
    const visitor = new Visitor();
    const begun = await visitor.get(`${posting.publicUrl}/auth/login`);
    await visitor.get(await visitor.follow(begun, 'bob', isCallback));
    expect(posting.sessions).toHaveLength(1);
  });

  test('no secret and no token is in anything that could be logged', async () => {
    const visitor = new Visitor();
    const callback = new URL(await toCallback(visitor, 'alice'));
    const code = callback.searchParams.get('code') ?? '';
    callback.searchParams.set('iss', 'https://evil.example.com');
    await visitor.get(callback.href);
    const told = inspect(bench.errors, { depth: 20 });
    expect(bench.errors).toHaveLength(1);
    for (const secret of [SECRET, code, createHash('sha256').update(code).digest('base64url')]) {
      expect(told).not.toContain(secret);
    }
  });
});
