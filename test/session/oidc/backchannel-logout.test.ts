import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { GatewayError } from '../../../src/domain/errors.ts';
import { providerDigest } from '../../../src/session/sign-in.ts';
import { eventually } from '../../support/eventually.ts';
import { type Claims, type FakeProvider, newKey, type SigningKey, startFakeProvider } from './fake-provider.ts';
import { reserveOrigin, type SignInBench, startSignInBench } from './sign-in-bench.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const HEADER = { typ: 'logout+jwt' };

describe('D7: a logout that the identity provider tells of', () => {
  let fake: FakeProvider;
  let bench: SignInBench;
  let stranger: SigningKey;
  let tokens = 0;

  beforeAll(async () => {
    fake = await startFakeProvider();
    stranger = await newKey('fake-1');
    const client = { issuer: fake.issuer, scopes: [], rules: [] };
    bench = await startSignInBench(await reserveOrigin(), [
      { ...client, id: 'other', clientId: 'other' },
      { ...client, id: 'fake', clientId: 'gateway' },
    ]);
    const given = { issuer: fake.issuer, name: 'x', grants: [], at: 1 };
    await bench.store.people.signIn({ ...given, id: 'per_alice', subject: 'alice' });
    await bench.store.people.signIn({
      ...given,
      id: 'per_a',
      subject: 'alice',
      issuer: 'https://other.example.com',
    });
  });

  beforeEach(() => {
    bench.ended.length = 0;
    bench.refused.length = 0;
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
  });

  const now = (): number => Math.floor(Date.now() / 1_000);
  const claims = (): Claims => ({ sub: 'alice', sid: 's-1', jti: `jti-${++tokens}`, events: { [EVENT]: {} } });
  const post = (body: string | URLSearchParams, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`${bench.publicUrl}/auth/backchannel-logout`, { method: 'POST', body, headers });
  const tell = (token: string): Promise<Response> => post(new URLSearchParams({ logout_token: token }));

  test('with a sid, the sessions of that sid end', async () => {
    const answer = await tell(await fake.sign(claims(), HEADER));
    expect([answer.status, await answer.text(), answer.headers.get('cache-control')]).toEqual([200, '', 'no-store']);
    expect(bench.ended).toEqual([
      { which: { providerDigest: providerDigest(fake.issuer, 's-1') }, reason: 'logout at the provider' },
    ]);
  });

  test('with a subject alone, all sessions of that person end, and nobody else’s of the same name', async () => {
    const answer = await tell(await fake.sign({ ...claims(), sid: undefined }, HEADER));
    expect(answer.status).toBe(200);
    expect(bench.ended).toEqual([{ which: { personId: 'per_alice' }, reason: 'logout at the provider' }]);
  });

  test('whoever never signed in here has been signed out successfully', async () => {
    const answer = await tell(await fake.sign({ ...claims(), sid: undefined, sub: 'nobody' }, HEADER));
    expect([answer.status, bench.ended]).toEqual([200, []]);
  });

  test('a token counts once', async () => {
    const token = await fake.sign(claims(), HEADER);
    expect((await tell(token)).status).toBe(200);
    const again = await tell(token);
    expect(again.status).toBe(400);
    expect(await again.json()).toEqual({
      type: 'invalid_request_error',
      message: expect.stringContaining('came before'),
    });
    expect([bench.ended.length, bench.refused.length]).toEqual([1, 1]);
  });

  test('while the store is away it says 503, and the same token ends the sessions later', async () => {
    const token = await fake.sign(claims(), HEADER);
    bench.failure = new GatewayError('store_unavailable', 'the store does not answer');
    expect((await tell(token)).status).toBe(503);
    bench.failure = undefined;
    expect((await tell(token)).status).toBe(200);
    expect(bench.ended).toHaveLength(1);
  });

  test.each<[string, Claims, Claims?]>([
    ['an ID token in its place', { events: undefined, nonce: 'x' }, { typ: 'JWT' }],
    ['an ID token in its place, with the right type', { events: undefined, nonce: 'x' }],
    ['an access token in its place', {}, { typ: 'at+jwt' }],
    ['a token without a type', {}, { typ: undefined }],
    ['a nonce', { nonce: 'x' }],
    ['an empty nonce', { nonce: null }],
    ['another event', { events: { 'http://schemas.openid.net/event/other': {} } }],
    ['an event that is no object', { events: { [EVENT]: true } }],
    ['events that are a list', { events: [EVENT] }],
    ['events that are a text', { events: EVENT }],
    ['neither subject nor sid', { sub: undefined, sid: undefined }],
    ['a sid that is no text', { sid: 7 }],
    ['an empty sid', { sid: '' }],
    ['no jti', { jti: undefined }],
    ['an endless jti', { jti: 'x'.repeat(256) }],
    ['no iat', { iat: undefined }],
    ['an old iat', { iat: now() - 400 }],
    ['an iat in the future', { iat: now() + 400, exp: now() + 800 }],
    ['no exp', { exp: undefined }],
    ['an exp that is over', { exp: now() - 60 }],
    ['another audience', { aud: 'another' }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'https://evil.example.com' }],
    ['an issuer that is no address', { iss: 'evil' }],
    ['no issuer', { iss: undefined }],
    ['several audiences without this one', { aud: ['other-1', 'other-2'] }],
  ])('400 for %s', async (_what, wrong, header = HEADER) => {
    const answer = await tell(await fake.sign({ ...claims(), ...wrong }, header));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ type: 'invalid_request_error', message: expect.any(String) });
    expect([bench.ended, bench.refused.length]).toEqual([[], 1]);
  });

  test('400 for a token of another key, of none, and for what is no token', async () => {
    const good = await fake.sign(claims(), HEADER);
    const [header = '', payload = ''] = good.split('.');
    const none = `${Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString('base64url')}.${payload}.`;
    const forged = await fake.sign(claims(), HEADER, stranger);
    for (const token of [forged, none, `${header}.${payload}.`, 'x', '', 'a.b.c', '😀'.repeat(100)]) {
      expect([token.slice(0, 20), (await tell(token)).status]).toEqual([token.slice(0, 20), 400]);
    }
    expect(bench.ended).toEqual([]);
    expect((await tell(good)).status).toBe(200);
  });

  test('400 for two tokens, though each of them holds', async () => {
    const form = new URLSearchParams();
    for (let i = 0; i < 2; i++) form.append('logout_token', await fake.sign(claims(), HEADER));
    expect([(await post(form)).status, bench.ended]).toEqual([400, []]);
  });

  test('400 for an issuer that is written in another way than the provider writes itself', async () => {
    const answer = await tell(await fake.sign({ ...claims(), iss: `${fake.issuer}/` }, HEADER));
    expect([answer.status, bench.ended]).toEqual([400, []]);
  });

  const FORM = 'application/x-www-form-urlencoded';
  test.each([
    ['JSON', 415, '{"logout_token":"x"}', { 'content-type': 'application/json' }],
    ['a text', 415, 'logout_token=x', { 'content-type': 'text/plain' }],
    ['what is packed', 415, 'x', { 'content-type': FORM, 'content-encoding': 'gzip' }],
    ['an empty form', 400, '', { 'content-type': FORM }],
    ['70 KB', 413, `logout_token=${'x'.repeat(70_000)}`, { 'content-type': FORM }],
  ])('%s gets %i', async (_what, status, body, headers) => {
    const answer = await post(body, headers);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ type: 'invalid_request_error', message: expect.any(String) });
    expect(bench.ended).toEqual([]);
  });

  // Last, because the old key holds no more.
  test('a new key of the provider counts at once, or nearly', async () => {
    const next = await newKey('fake-2');
    fake.keys = [next.publicJwk];
    await eventually('the new key is known', async () => (await tell(await fake.sign(claims(), HEADER, next))).ok);
  });
});
