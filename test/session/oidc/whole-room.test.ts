import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../../src/domain/secret.ts';
import { type OpenIdSignIn, openIdSignIn } from '../../../src/session/oidc/open-id-sign-in.ts';
import { openStore, type Store } from '../../../src/store/open-store.ts';
import { masterKeyFrom } from '../../../src/vault/master-key.ts';
import { openVault } from '../../../src/vault/open-vault.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { openTestRoom, type TestRoom } from '../room.ts';
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts';
import { type Seen, Visitor } from './visitor.ts';

const PUBLIC_URL = 'https://gateway.example.com';
const PAGE = { 'X-Requested-By': 'test', 'Sec-Fetch-Site': 'same-origin' };

describe('Signing in with a provider, through the whole room of sessions, behind a proxy that ends TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'whole-room-'));
  let provider: IdentityProvider;
  let store: Store;
  let openId: OpenIdSignIn;
  let room: TestRoom;
  let visitor: Visitor;

  beforeAll(async () => {
    provider = await startIdentityProvider(
      { alice: { name: 'Alice', groups: ['staff'] }, eve: { name: 'Eve' } },
      () => [
        {
          clientId: 'gateway',
          clientSecret: 'secret',
          publicUrl: PUBLIC_URL,
          reachedAt: () => `http://127.0.0.1:${room.port}`,
        },
      ],
    );
    store = await openStore({ file: join(directory, 'people.db') });
    await store.teams.add({ id: 'team_1', slug: 'acme', name: 'Acme', createdAt: 1, sealedDataKey: new Uint8Array() });
    const clock = new VirtualClock();
    let ids = 0;
    openId = openIdSignIn({
      publicUrl: PUBLIC_URL,
      providers: [
        {
          id: 'company',
          issuer: provider.issuer,
          clientId: 'gateway',
          clientSecret: new Secret('secret'),
          scopes: ['profile'],
          rules: [{ when: { claim: 'groups', is: 'staff' }, role: 'member', teams: ['acme'], scopes: ['fleet:read'] }],
        },
      ],
      people: store.people,
      teams: store.teams,
      vault: openVault({ masterKey: masterKeyFrom(randomBytes(32), 'of the test') }),
      clock,
      newPersonId: () => `per_${++ids}`,
    });
    room = await openTestRoom({
      clock,
      publicUrl: PUBLIC_URL,
      trustedProxies: ['127.0.0.1'],
      person: (id) => store.people.findById(id),
      signIn: (host) => openId.serve(host),
    });
  });

  beforeEach(() => {
    room.events.length = 0;
    const headers = { 'x-forwarded-proto': 'https' };
    visitor = new Visitor({ origin: PUBLIC_URL, upstream: `http://127.0.0.1:${room.port}`, headers });
  });

  afterAll(async () => {
    await room[Symbol.asyncDispose]();
    await openId[Symbol.asyncDispose]();
    await store.close();
    await provider[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const signIn = async (account: string): Promise<Seen> => {
    const begun = await visitor.get(`${PUBLIC_URL}/auth/login?returnTo=/auth/account`);
    return visitor.get(await visitor.follow(begun, account, (url) => new URL(url).pathname === '/auth/callback'));
  };
  const session = (): Promise<Seen> => visitor.get(`${PUBLIC_URL}/auth/session`, PAGE);
  const call = async (): Promise<number> => (await visitor.get(`${PUBLIC_URL}/v1/default/device`, PAGE)).status;
  const acts = (): string[] => room.events.flatMap((event) => (event.kind === 'admin' ? [event.act] : []));

  test('A1: somebody signs in, holds one cookie, and calls for the team that a rule gives', async () => {
    const seen = await signIn('alice');
    expect(seen).toMatchObject({ status: 303, location: `${PUBLIC_URL}/auth/account` });
    const set = seen.headers.getSetCookie().filter((line) => !line.includes('Max-Age=0'));
    expect(set).toEqual([
      expect.stringMatching(/^__Host-mason-gateway=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/),
    ]);
    expect(visitor.cookiesFor(PUBLIC_URL)).toHaveLength(1);
    expect(JSON.parse((await session()).text)).toMatchObject({ person: { name: 'Alice' } });
    expect([await call(), room.hits.at(-1)?.person]).toEqual([200, 'Alice']);
    expect([acts(), room.bugs]).toEqual([['session.start'], []]);
  });

  test('D7: signing out at the provider ends the session here, at once', async () => {
    await signIn('alice');
    expect(await call()).toBe(200);
    const left = await visitor.post(`${PUBLIC_URL}/auth/logout`, {}, PAGE);
    expect(left.status).toBe(200);
    expect(await call()).toBe(401);
    await signIn('alice');
    const { endSessionUrl } = JSON.parse(left.text) as { endSessionUrl: string };
    const page = await visitor.get(endSessionUrl);
    const [, action = ''] = /action="([^"]+)"/.exec(page.text) ?? [];
    const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(page.text) ?? [];
    expect((await visitor.post(action, { xsrf, logout: 'yes' })).location).toBe(`${PUBLIC_URL}/`);
    expect(provider.logouts).toEqual(['taken']);
    expect([await call(), (await session()).status]).toEqual([401, 401]);
    expect(acts()).toEqual(['session.start', 'session.end', 'session.start', 'session.end']);
    expect(room.events.at(-1)).toMatchObject({ details: { reason: 'logout at the provider', sessions: 1 } });
  });

  test('whoever has no role is refused on record, with the provider and the reason', async () => {
    expect((await signIn('eve')).status).toBe(403);
    expect(room.events).toEqual([
      expect.objectContaining({
        act: 'sign_in.refused',
        result: 'failed',
        details: { issuer: provider.issuer, reason: expect.stringContaining('no rule') },
      }),
    ]);
    expect((await session()).status).toBe(401);
  });

  test('fault 64: whoever is signed in goes on while the provider is away', async () => {
    await signIn('alice');
    await provider.goDown();
    expect(await call()).toBe(200);
    expect((await visitor.post(`${PUBLIC_URL}/auth/logout`, {}, PAGE)).status).toBeLessThan(300);
    expect(await call()).toBe(401);
    await provider.goUp();
  });

  test('A3: a sign-in that did not come by https is told what to set, and begins no session', async () => {
    const begun = await visitor.get(`${PUBLIC_URL}/auth/login`);
    const callback = await visitor.follow(begun, 'alice', (url) => new URL(url).pathname === '/auth/callback');
    const cookie = visitor.cookiesFor(PUBLIC_URL).join('; ');
    const plain = await fetch(callback.replace(PUBLIC_URL, `http://127.0.0.1:${room.port}`), { headers: { cookie } });
    expect(plain.status).toBe(400);
    expect(await plain.text()).toContain('listen.trustedProxies');
    expect(plain.headers.getSetCookie().filter((line) => !line.includes('Max-Age=0'))).toEqual([]);
  });
});
