import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ProbedKey } from '../../src/domain/probed-key.ts';
import { type Management, OPERATOR, openManagement, START_MS } from './management.ts';

const OLD = 'mason-key-canary-old-51c7';
const FRESH = 'mason-key-canary-new-88aa';
let m: Management;

const add = (team: string, name: string, key: string, more: object = {}) =>
  m.acts['key.add'](OPERATOR, { team, name, key, scopes: ['fleet:read'], ...more });
const rotate = (key: string, name = 'main') => m.acts['key.rotate'](OPERATOR, { team: 'acme', name, key });
const stored = async (name = 'main') => {
  const team = await m.store.teams.findBySlug('acme');
  const key = await m.store.keys.findByName(team?.id ?? '', name);
  if (team === undefined || key === undefined) throw new Error('the key is not there');
  return { team, key };
};

beforeEach(async () => {
  m = await openManagement();
  await m.acts['team.add'](OPERATOR, { slug: 'acme' });
  await m.acts['team.add'](OPERATOR, { slug: 'beta' });
  await add('acme', 'main', OLD, { limit: '10/1s' });
});

afterEach(async () => {
  await m.close();
});

const answered = (status: number): ProbedKey => ({
  verdict: status === 401 ? 'dead' : status === 200 || status === 403 ? 'alive' : 'unclear',
  status,
  message: `GET /v1/default/device?limit=1 answered ${status}`,
});

describe('a rotation', () => {
  test('tries the new key in its turn on the same budget, and keeps the old one behind it', async () => {
    const before = await stored();
    m.clock.ms = 5_000;
    const rotated = await rotate(FRESH);
    expect(m.probed).toEqual([
      expect.objectContaining({ id: before.key.id, budgetId: before.key.budgetId, scopes: ['fleet:read'] }),
    ]);
    expect(m.probed[0]?.secret.reveal()).toBe(FRESH);
    expect(rotated).toMatchObject({
      id: before.key.id,
      last4: '88aa',
      limit: '10/1s',
      notes: [],
      previous: {
        last4: '51c7',
        fingerprint: before.key.fingerprint,
        replacedAt: new Date(START_MS + 5_000).toISOString(),
      },
    });
    const { team, key } = await stored();
    const binding = { teamId: team.id, keyId: key.id, origin: key.origin };
    const opened = [key.sealed, key.previous?.sealed ?? key.sealed].map((sealed) =>
      m.vault.open(binding, sealed, team.sealedDataKey).reveal(),
    );
    expect(opened).toEqual([FRESH, OLD]);
    expect((await m.acts['key.list'](OPERATOR, { team: 'acme' })).data).toMatchObject([
      { previous: { last4: '51c7' } },
    ]);
  });

  test('is on record with both fingerprints, and neither key is anywhere', async () => {
    const { key } = await stored();
    const rotated = await rotate(FRESH);
    expect(m.record.events.slice(-2).map(({ result, details }) => [result, details['fingerprintBefore']])).toEqual([
      ['intended', key.fingerprint],
      ['done', key.fingerprint],
    ]);
    expect(m.record.events.at(-1)?.details['fingerprint']).toBe(rotated.fingerprint);
    expect(JSON.stringify([rotated, m.record.events])).not.toContain('canary');
  });

  test.each([200, 403])('a new key that Mason answers with %i is alive', async (status) => {
    m.probeAnswer = answered(status);
    expect(await rotate(FRESH)).toMatchObject({ last4: '88aa' });
  });

  test('a key that Mason does not know changes nothing', async () => {
    const before = await stored();
    m.probeAnswer = answered(401);
    await expect(rotate(FRESH)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/^Mason does not take the new key, so nothing was changed: .*401/),
    });
    expect(await stored()).toEqual(before);
    expect(m.record.acts().slice(-2)).toEqual(['key.rotate intended', 'key.rotate failed conflict']);
  });

  test('when Mason says slow down, the new key waits and is tried again', async () => {
    m.probeAnswer = () => answered(m.probed.length < 4 ? 429 : 200);
    expect(await rotate(FRESH)).toMatchObject({ last4: '88aa' });
    expect([m.probed.length, m.clock.ms]).toEqual([4, 7_000]);
  });

  test.each([
    [429, 'mason_bad_answer', 6],
    [500, 'mason_bad_answer', 1],
    [undefined, 'mason_unreachable', 1],
  ])('with nothing but %s from Mason, the key that works stays', async (status, code, tries) => {
    const before = await stored();
    m.probeAnswer = status === undefined ? { verdict: 'unclear', message: 'no answer' } : answered(status);
    await expect(rotate(FRESH)).rejects.toMatchObject({ code });
    expect([await stored(), m.probed.length]).toEqual([before, tries]);
  });

  test('the same key again is no rotation: the one behind it would be lost', async () => {
    await rotate(FRESH);
    await expect(rotate(FRESH)).rejects.toMatchObject({
      code: 'conflict',
      message: 'the key main is this very key already: nothing was changed',
    });
    expect((await stored()).key.previous?.last4).toBe('51c7');
  });

  test('a key that is in use elsewhere is refused before Mason hears of it', async () => {
    await add('acme', 'second', 'key-2');
    await add('beta', 'ours', 'key-3');
    await expect(rotate('key-2')).rejects.toMatchObject({
      code: 'conflict',
      message: 'the team has this very key already, under the name second',
    });
    await expect(rotate('key-3')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('on the budget beta-ours, and one key has one budget'),
    });
    expect(m.probed).toEqual([]);
  });

  test('another team on the same key is told of: it still uses the old one', async () => {
    await add('beta', 'ours', OLD);
    const { notes } = await rotate(FRESH);
    expect(notes).toEqual([
      'the key that was replaced is still in use by beta/ours: rotate it there too',
      'the budget acme-main is shared with beta/ours: one line, one limit',
    ]);
    const team = await m.store.teams.findBySlug('beta');
    expect((await m.store.keys.findByName(team?.id ?? '', 'ours'))?.last4).toBe('51c7');
    expect(await m.acts['key.rotate'](OPERATOR, { team: 'beta', name: 'ours', key: FRESH })).toMatchObject({
      last4: '88aa',
    });
  });

  test('a key that goes while the new one is tried does not come back', async () => {
    m.probeAnswer = answered(429);
    const rotating = rotate(FRESH).catch((error: unknown) => error);
    m.probeAnswer = () => answered(m.probed.length > 1 ? 200 : 429);
    await m.store.keys.remove((await stored()).key.id);
    expect(await rotating).toMatchObject({ code: 'not_found' });
    expect(await m.store.keys.list()).toEqual([]);
  });

  test('a key for another Mason is not rotated here', async () => {
    const { key } = await stored();
    await m.store.keys.remove(key.id);
    await m.store.keys.add({ ...key, origin: 'simulator' });
    await expect(rotate(FRESH)).rejects.toMatchObject({ code: 'conflict' });
    expect(m.probed).toEqual([]);
  });
});

describe('the key before', () => {
  test('is forgotten at once when it is told to be, once', async () => {
    await rotate(FRESH);
    expect(await m.acts['key.forget'](OPERATOR, { team: 'acme', name: 'main' })).toMatchObject({ previous: null });
    expect((await stored()).key.previous).toBeUndefined();
    await expect(m.acts['key.forget'](OPERATOR, { team: 'acme', name: 'main' })).rejects.toMatchObject({
      code: 'not_found',
      message: 'the key main of the team acme has no key before it',
    });
  });
});
