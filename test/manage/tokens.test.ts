import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newToken, tokenDigest } from '../../src/vault/tokens.ts';
import { type Management, OPERATOR, openManagement, START_MS } from './management.ts';

const DAY_MS = 86_400_000;
let m: Management;

const create = (more: object = {}) =>
  m.acts['token.create'](OPERATOR, { team: 'acme', app: 'dashboard', scopes: ['fleet:read'], ...more });
const iso = (ms: number) => new Date(START_MS + ms).toISOString();

beforeEach(async () => {
  m = await openManagement();
  await m.acts['team.add'](OPERATOR, { slug: 'acme' });
  await m.acts['app.add'](OPERATOR, { team: 'acme', name: 'dashboard' });
  await m.acts['key.add'](OPERATOR, { team: 'acme', name: 'main', key: 'key-1', scopes: ['fleet:manager'] });
});

afterEach(async () => {
  await m.close();
});

describe('gateway tokens', () => {
  test('are shown once, kept as a digest, and bounded by default: 90 days, no disruptive or destructive effects', async () => {
    const made = await create();
    expect(made).toMatchObject({
      id: expect.stringMatching(/^tok_[0-9a-z]{20}$/),
      token: expect.stringMatching(/^mgw_[0-9A-Za-z]{36}$/),
      effects: 'change',
      urgency: 0,
      from: [],
      state: 'active',
      expiresAt: iso(90 * DAY_MS),
      notes: [],
    });
    const { data } = await m.acts['token.list'](OPERATOR);
    expect(data).toHaveLength(1);
    expect(JSON.stringify([data, m.record.events, await m.store.tokens.findById(made.id)])).not.toContain(made.token);
    expect((await m.store.tokens.findGrant(tokenDigest(made.token)))?.app.name).toBe('dashboard');
  });

  test('carry what was asked for', async () => {
    const made = await create({
      scopes: ['Fleet:Read', 'gateway:audit'],
      effects: 'destructive',
      from: ['10.1.2.3', '10.0.0.0/8', '2001:db8::/32'],
      urgency: 3,
      expires: '1m',
    });
    expect(await m.store.tokens.findById(made.id)).toMatchObject({
      scopes: ['fleet:read', 'gateway:audit'],
      effectCeiling: 'destructive',
      addressRanges: ['10.1.2.3/32', '10.0.0.0/8', '2001:db8::/32'],
      urgencyMin: 3,
      expiresAt: START_MS + 60_000,
    });
  });

  test.each([
    ['scopes', ['fleet:fly']],
    ['scopes', []],
    ['expires', '59s'],
    ['expires', '367d'],
    ['expires', 'never'],
    ['from', ['10.0.0.0/33']],
    ['from', ['10.0.0']],
    ['from', ['::ffff:10.0.0.1']],
    ['from', ['fe80::1%eth0']],
    ['from', ['10.0.0.0/8/8']],
    ['from', ['010.0.0.1']],
    ['urgency', 8],
    ['urgency', -1],
    ['urgency', 1.5],
    ['effects', 'everything'],
    ['digest', 'x'],
  ])('%s %j is refused, and no token is made', async (field, value) => {
    await expect(create({ [field]: value })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(new RegExp(`^${field}.*: expected`)),
    });
    expect((await m.acts['token.list'](OPERATOR)).data).toEqual([]);
  });

  test('a scope that no key of the team covers is said aloud: what is needed, what is held', async () => {
    expect((await create({ scopes: ['fleet:deploy', 'fleet:locate'] })).notes).toEqual([
      'no key of the team acme covers fleet:locate (its keys hold fleet:manager): calls that need it are refused until one does',
    ]);
  });

  test('a rotation keeps the id, and the old secret for the grace', async () => {
    const old = await create();
    const rotated = await m.acts['token.rotate'](OPERATOR, { id: old.id, grace: '1h', expires: '30d' });
    expect(rotated).toMatchObject({ id: old.id, graceUntil: iso(3_600_000), expiresAt: iso(30 * DAY_MS) });
    expect(rotated.token).not.toBe(old.token);
    for (const token of [old.token, rotated.token]) {
      expect((await m.store.tokens.findGrant(tokenDigest(token)))?.token.id).toBe(old.id);
    }
    m.clock.ms = 3_600_001;
    expect((await m.acts['token.list'](OPERATOR)).data[0]?.graceUntil).toBeNull();
  });

  test('a grace never lets the old secret live longer than it would have', async () => {
    const old = await create({ expires: '10m' });
    expect(await m.acts['token.rotate'](OPERATOR, { id: old.id, grace: '24h' })).toMatchObject({
      graceUntil: iso(600_000),
    });
    const short = await create({ expires: '10m' });
    m.clock.ms = 600_000;
    expect(await m.acts['token.rotate'](OPERATOR, { id: short.id })).toMatchObject({ graceUntil: null });
    expect(await m.store.tokens.findGrant(tokenDigest(short.token))).toBeUndefined();
  });

  test('with a grace of nothing, the old secret is dead at once', async () => {
    const old = await create();
    await m.acts['token.rotate'](OPERATOR, { id: old.id, grace: '0s' });
    expect(await m.store.tokens.findGrant(tokenDigest(old.token))).toBeUndefined();
  });

  test('a revoked token stays revoked: revoking again is no error, rotating is', async () => {
    const { id } = await create();
    expect(await m.acts['token.revoke'](OPERATOR, { id })).toMatchObject({ state: 'revoked', revokedAt: iso(0) });
    m.clock.ms = 5_000;
    expect(await m.acts['token.revoke'](OPERATOR, { id })).toMatchObject({ revokedAt: iso(0) });
    await expect(m.acts['token.rotate'](OPERATOR, { id })).rejects.toMatchObject({ code: 'conflict' });
    await expect(m.acts['token.revoke'](OPERATOR, { id: 'tok_0' })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('the list points at what expires soon and what nobody uses', async () => {
    const used = await create();
    const idle = await create();
    const short = await create({ expires: '13d' });
    await m.store.tokens.touch(new Map([[used.id, START_MS + DAY_MS]]));
    const notices = async () =>
      Object.fromEntries((await m.acts['token.list'](OPERATOR)).data.map((token) => [token.id, token.notices]));
    m.clock.ms = 8 * DAY_MS;
    expect(await notices()).toEqual({ [used.id]: [], [idle.id]: ['unused'], [short.id]: ['expiring', 'unused'] });
    m.clock.ms = 80 * DAY_MS;
    expect(await notices()).toEqual({
      [used.id]: ['expiring', 'unused'],
      [idle.id]: ['expiring', 'unused'],
      [short.id]: [],
    });
    expect((await m.acts['token.list'](OPERATOR, { app: 'other' })).data).toEqual([]);
  });

  test('leaked strings are judged one by one, the live ones revoked, and none of them repeated', async () => {
    const live = await create();
    const rotated = await create();
    const dead = await create();
    await m.acts['token.rotate'](OPERATOR, { id: rotated.id, grace: '1h' });
    await m.acts['token.revoke'](OPERATOR, { id: dead.id });
    const strangers = newToken();
    const typo = `${live.token.slice(0, -1)}${live.token.endsWith('0') ? '1' : '0'}`;
    const given = [live.token, ` ${live.token}\n`, rotated.token, dead.token, strangers, typo, 'hello'];
    const { data } = await m.acts['token.revoke_leaked'](OPERATOR, { tokens: given });
    expect(data.map((leak) => [leak.result, leak.id])).toEqual([
      ['revoked', live.id],
      ['revoked', live.id],
      ['revoked', rotated.id],
      ['already_dead', dead.id],
      ['unknown', undefined],
      ['malformed', undefined],
      ['malformed', undefined],
    ]);
    expect((await m.store.tokens.findById(live.id))?.revokedAt).toBe(START_MS);
    expect((await m.store.tokens.findById(rotated.id))?.revokedAt).toBe(START_MS);
    const told = JSON.stringify([data, m.record.events]);
    for (const token of given) expect(told).not.toContain(token.trim());
    expect(m.record.events.at(-1)?.details).toEqual({ given: 7, revoked: 2, tokenIds: `${live.id} ${rotated.id}` });
  });

  test('a secret that a rotation replaced long ago does not cost the token that replaced it', async () => {
    const old = await create();
    await m.acts['token.rotate'](OPERATOR, { id: old.id, grace: '1h' });
    m.clock.ms = 2 * 3_600_000;
    const { data } = await m.acts['token.revoke_leaked'](OPERATOR, { tokens: [old.token] });
    expect(data).toMatchObject([{ result: 'already_dead', id: old.id }]);
    expect((await m.store.tokens.findById(old.id))?.revokedAt).toBeUndefined();
  });
});
