import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportSPKI, importJWK } from 'jose';
import { Secret } from '../../../src/domain/secret.ts';
import { eventually } from '../../support/eventually.ts';
import { type FakeProvider, json, newKey, type SigningKey, startFakeProvider } from './fake-provider.ts';
import { MovableClock } from './movable-clock.ts';
import { reserveOrigin, type SignInBench, startSignInBench } from './sign-in-bench.ts';
import { type Seen, Visitor } from './visitor.ts';

const CANARY = 'canary-of-a-token';
const SECRET = 'secret: 1/2%';
/** Form-encoded before it is base64 (RFC 6749 section 2.3.1). */
const IN_HEADER = `Basic ${btoa('gateway:secret%3A+1%2F2%25')}`;

describe('What a dishonest identity provider, or somebody in its place, may answer', () => {
  const clock = new MovableClock();
  let fake: FakeProvider;
  let bench: SignInBench;
  let stranger: SigningKey;

  beforeAll(async () => {
    fake = await startFakeProvider();
    stranger = await newKey('fake-1');
    bench = await startSignInBench(
      await reserveOrigin(),
      [
        {
          id: 'fake',
          issuer: fake.issuer,
          clientId: 'gateway',
          scopes: [],
          rules: [{ when: { claim: 'admin', is: 'true' }, role: 'operator', teams: [], scopes: [] }],
        },
      ],
      { clock },
    );
  });

  beforeEach(() => {
    for (const list of [bench.sessions, bench.refused, bench.errors]) list.length = 0;
    fake.metadata = {};
    // Metadata is asked for again.
    clock.advance(600_000);
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
  });

  const begin = async (visitor: Visitor): Promise<{ state: string; nonce: string }> => {
    const { location = '' } = await visitor.get(`${bench.publicUrl}/auth/login`);
    const { searchParams } = new URL(location);
    return { state: searchParams.get('state') ?? '', nonce: searchParams.get('nonce') ?? '' };
  };
  const finish = (visitor: Visitor, state: string): Promise<Seen> => {
    const query = new URLSearchParams({ code: 'code', state, iss: fake.issuer });
    return visitor.get(`${bench.publicUrl}/auth/callback?${query}`);
  };
  /** A whole sign-in, with the ID token that is made for its nonce. */
  const signIn = async (make: (nonce: string) => Promise<string> | string): Promise<Seen> => {
    const visitor = new Visitor();
    const { state, nonce } = await begin(visitor);
    const idToken = await make(nonce);
    fake.answerToken = (res) =>
      json(res, 200, { access_token: CANARY, token_type: 'Bearer', refresh_token: CANARY, id_token: idToken });
    return finish(visitor, state);
  };
  const honest = { sub: 'alice', admin: true, padding: CANARY };

  test('an honest answer is taken, so that what follows proves something', async () => {
    const seen = await signIn((nonce) => fake.sign({ ...honest, nonce }));
    expect([seen.status, bench.errors]).toEqual([303, []]);
    expect(bench.sessions[0]?.person).toMatchObject({ subject: 'alice', grants: [{ role: 'operator' }] });
    // The refresh token, which nobody asked for, is not kept.
    expect(inspect(bench.sessions, { depth: 20 })).not.toContain(CANARY);
  });

  const now = (): number => Math.floor(Date.now() / 1_000);
  const unsigned = (header: object, claims: object): string =>
    [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

  test.each<[string, (nonce: string) => Promise<string> | string]>([
    ['of alg none', (nonce) => `${unsigned({ alg: 'none' }, { ...claims(), nonce })}.`],
    ['of alg none with a signature', (nonce) => `${unsigned({ alg: 'none' }, { ...claims(), nonce })}.AAAA`],
    [
      'of HS256 with the public key as the secret',
      async (nonce) => {
        const pem = await exportSPKI((await importJWK(fake.key.publicJwk, 'RS256')) as CryptoKey);
        const text = unsigned({ alg: 'HS256', kid: 'fake-1' }, { ...claims(), nonce });
        return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
      },
    ],
    ['signed by another key of the same name', (nonce) => fake.sign({ ...honest, nonce }, {}, stranger)],
    ['signed by a key that nobody knows', (nonce) => fake.sign({ ...honest, nonce }, { kid: 'unknown' }, stranger)],
    [
      'with its own key in the header',
      (nonce) => fake.sign({ ...honest, nonce }, { jwk: stranger.publicJwk }, stranger),
    ],
    ['without a signature', async (nonce) => `${(await fake.sign({ ...honest, nonce })).split('.', 2).join('.')}.`],
    ['for another client', (nonce) => fake.sign({ ...honest, nonce, aud: 'another' })],
    [
      'for several clients, handed to another',
      (nonce) => fake.sign({ ...honest, nonce, aud: ['gateway', 'x'], azp: 'x' }),
    ],
    ['of another issuer', (nonce) => fake.sign({ ...honest, nonce, iss: 'https://evil.example.com' })],
    ['that has expired', (nonce) => fake.sign({ ...honest, nonce, exp: now() - 60 })],
    ['that never expires', (nonce) => fake.sign({ ...honest, nonce, exp: undefined })],
    ['that does not hold yet', (nonce) => fake.sign({ ...honest, nonce, nbf: now() + 600 })],
    ['of another sign-in', () => fake.sign({ ...honest, nonce: 'x'.repeat(43) })],
    ['of no sign-in', () => fake.sign(honest)],
    ['of nobody', (nonce) => fake.sign({ ...honest, nonce, sub: undefined })],
    ['of an empty subject', (nonce) => fake.sign({ ...honest, nonce, sub: '' })],
    ['of a subject of 256 characters', (nonce) => fake.sign({ ...honest, nonce, sub: 'x'.repeat(256) })],
    ['of 10 MB', (nonce) => fake.sign({ ...honest, nonce, more: 'x'.repeat(10_000_000) })],
    ['that is encrypted', () => 'a.b.c.d.e'],
    ['that is no token', () => '<html>'],
  ])('fault 61, 64: an ID token %s begins no session', async (_what, make) => {
    const seen = await signIn(make);
    expect(seen.status).toBe(400);
    expect(JSON.parse(seen.text)).toEqual({ type: 'invalid_request_error', message: expect.any(String) });
    expect([bench.sessions, bench.refused.length]).toEqual([[], 1]);
    expect(bench.refused[0]?.reason.length).toBeLessThanOrEqual(256);
    expect(inspect([bench.errors, bench.refused], { depth: 20 }) + seen.text).not.toContain(CANARY);
  });

  function claims(): object {
    return { iss: fake.issuer, aud: 'gateway', iat: now(), exp: now() + 60, ...honest };
  }

  test('fault 64: a new key counts from its first token, and one that was withdrawn not much longer', async () => {
    const next = await newKey('fake-2');
    fake.keys = [next.publicJwk];
    const status = async (key: SigningKey): Promise<number> =>
      (await signIn((nonce) => fake.sign({ ...honest, nonce }, {}, key))).status;
    await eventually('the new key is known', async () => (await status(next)) === 303);
    expect(await status(fake.key)).toBe(400);
    fake.keys = [fake.key.publicJwk];
  });

  test('many tokens of unknown keys make the gateway ask for keys about once a second, not each time', async () => {
    await signIn((nonce) => fake.sign({ ...honest, nonce }));
    const before = performance.now();
    const asked = fake.asked.length;
    for (let i = 0; i < 20; i++) await signIn((nonce) => fake.sign({ ...honest, nonce }, { kid: `k${i}` }, stranger));
    const seconds = Math.ceil((performance.now() - before) / 1_000);
    expect(fake.asked.slice(asked).filter((path) => path === '/jwks').length).toBeLessThanOrEqual(seconds + 1);
  });

  test.each<[string, number, (res: Parameters<FakeProvider['answerToken']>[0]) => void]>([
    ['says that the code is spent', 400, (res) => json(res, 400, { error: 'invalid_grant' })],
    ['does not know this client', 503, (res) => json(res, 401, { error: 'invalid_client' })],
    ['is broken', 503, (res) => json(res, 500, { error: 'server_error' })],
    ['is asked too often', 503, (res) => json(res, 429, {})],
    ['hangs up', 503, (res) => res.destroy()],
    ['answers a page', 400, (res) => res.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${CANARY}`)],
    ['answers what is no JSON', 400, (res) => res.writeHead(200, { 'content-type': 'application/json' }).end(CANARY)],
    ['answers nothing', 400, (res) => res.writeHead(204).end()],
  ])('a token endpoint that %s', async (_what, status, answer) => {
    fake.answerToken = answer;
    const visitor = new Visitor();
    const seen = await finish(visitor, (await begin(visitor)).state);
    expect([seen.status, bench.sessions]).toEqual([status, []]);
    expect(bench.refused).toHaveLength(status === 400 ? 1 : 0);
    expect(inspect([bench.errors, bench.refused], { depth: 20 }) + seen.text).not.toContain(CANARY);
  });

  test('a redirect of the token endpoint is not followed: the code and the secret go nowhere else', async () => {
    fake.answerToken = (res) => {
      res.writeHead(307, { location: `${fake.issuer}/elsewhere` }).end();
    };
    const visitor = new Visitor();
    expect((await finish(visitor, (await begin(visitor)).state)).status).toBe(400);
    expect(fake.asked).not.toContain('/elsewhere');
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['of another issuer', { issuer: 'https://evil.example.com', note: CANARY }],
    ['without keys', { jwks_uri: undefined }],
    ['of 300 KB', { padding: 'x'.repeat(300_000) }],
  ])('metadata %s: nobody can sign in for now', async (_what, metadata) => {
    fake.metadata = metadata;
    const seen = await new Visitor().get(`${bench.publicUrl}/auth/login`);
    expect([seen.status, seen.headers.get('retry-after')]).toEqual([503, '5']);
    expect(inspect(bench.errors, { depth: 20 })).not.toContain(CANARY);
    clock.advance(5_000);
  });

  test('keys by http from another machine are not taken', async () => {
    fake.metadata = { jwks_uri: 'http://idp.example.com/jwks' };
    expect((await signIn((nonce) => fake.sign({ ...honest, nonce }))).status).toBe(503);
    expect(inspect(bench.errors, { depth: 20 })).toContain('by https only');
  });

  test.each([
    ['by its own words takes it in the body only', ['client_secret_post'], undefined, SECRET],
    ['takes both', ['client_secret_post', 'client_secret_basic'], IN_HEADER, null],
    ['says nothing of it', undefined, IN_HEADER, null],
  ])('the secret goes in the header, unless the provider %s', async (_what, methods, authorization, inBody) => {
    fake.metadata = { token_endpoint_auth_methods_supported: methods };
    await using confidential = await startSignInBench(await reserveOrigin(), [
      { id: 'fake', issuer: fake.issuer, clientId: 'gateway', clientSecret: new Secret(SECRET), scopes: [], rules: [] },
    ]);
    const visitor = new Visitor();
    const { location = '' } = await visitor.get(`${confidential.publicUrl}/auth/login`);
    const state = new URL(location).searchParams.get('state') ?? '';
    const query = new URLSearchParams({ code: 'code', state, iss: fake.issuer });
    await visitor.get(`${confidential.publicUrl}/auth/callback?${query}`);
    const redeemed = fake.redeemed.at(-1);
    expect([redeemed?.authorization, redeemed?.form.get('client_secret')]).toEqual([authorization, inBody]);
    expect(redeemed?.form.get('redirect_uri')).toBe(`${confidential.publicUrl}/auth/callback`);
  });

  test('D4: bad callbacks are counted by address', async () => {
    await using few = await startSignInBench(
      await reserveOrigin(),
      [{ id: 'fake', issuer: fake.issuer, clientId: 'gateway', scopes: [], rules: [] }],
      { badTriesMax: 50 },
    );
    const statuses: number[] = [];
    for (let i = 0; i < 51; i++)
      statuses.push((await new Visitor().get(`${few.publicUrl}/auth/callback?state=x`)).status);
    expect(statuses).toEqual([...Array<number>(50).fill(400), 429]);
  });
});
