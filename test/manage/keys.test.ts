import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Management, OPERATOR, openManagement } from './management.ts';

const CANARY = 'mason-key-canary-51c7';
let m: Management;

const add = (team: string, name: string, key: string, more: object = {}) =>
  m.acts['key.add'](OPERATOR, { team, name, key, scopes: ['fleet:read'], ...more });

beforeEach(async () => {
  m = await openManagement();
  await m.acts['team.add'](OPERATOR, { slug: 'acme' });
  await m.acts['team.add'](OPERATOR, { slug: 'beta' });
});

afterEach(async () => {
  await m.close();
});

describe('Mason keys', () => {
  test('are written once and never read back: not in answers, the record, or the store’s files', async () => {
    const added = await add('acme', 'main', CANARY, { scopes: ['Fleet:READ', 'fleet:read', 'notify:reboot'] });
    const seen = JSON.stringify([added, await m.acts['key.list'](OPERATOR), m.record.events]);
    expect(added).toMatchObject({ scopes: ['fleet:read', 'notify:reboot'], last4: '51c7', lastUsedAt: null });
    for (const form of [CANARY, Buffer.from(CANARY).toString('base64'), Buffer.from(CANARY).toString('hex')]) {
      expect(seen).not.toContain(form);
      for (const file of ['gateway.db', 'gateway.db-wal']) {
        expect((await readFile(join(m.directory, file))).includes(form)).toBe(false);
      }
    }
    const stored = await m.store.keys.findByName(
      (added.id && (await m.store.teams.findBySlug('acme'))?.id) ?? '',
      'main',
    );
    const team = await m.store.teams.findBySlug('acme');
    if (stored === undefined || team === undefined) throw new Error('the key is not there');
    const opened = m.vault.open(
      { teamId: team.id, keyId: stored.id, origin: 'https://api.bymason.com' },
      stored.sealed,
      team.sealedDataKey,
    );
    expect(opened.reveal()).toBe(CANARY);
  });

  test('a key that is refused is not repeated in the message, nor put on record', async () => {
    for (const key of [`${CANARY}\r\nX-Evil: 1`, ` ${CANARY}`, `${CANARY}\u0000`, `${CANARY}€`]) {
      const failure = await add('acme', 'main', key).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('got [secret]') });
      expect(String(failure)).not.toContain('canary');
    }
    expect(JSON.stringify(m.record.events)).not.toContain('canary');
    await expect(add('acme', 'main', '')).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('without a limit, the operator hears which one applies', async () => {
    expect((await add('acme', 'main', 'key-1')).notes).toEqual([
      'no limit was given for the budget acme-main: it is learnt, from 5/1s on (see "limit show"); where it is known, give it with "key set --limit", for example --limit 100/1s',
    ]);
    expect((await add('acme', 'other', 'key-2', { limit: '100/1s' })).notes).toEqual([]);
  });

  test('one key in two teams shares one budget: Mason counts it once', async () => {
    await add('acme', 'main', 'the-same-key', { limit: '100/1s', burst: 5 });
    const second = await add('beta', 'ours', 'the-same-key');
    expect(second).toMatchObject({ budget: 'acme-main', limit: '100/1s', burst: 5 });
    expect(second.notes).toEqual(['the budget acme-main is shared with acme/main: one line, one limit']);
    expect((await m.acts['budget.list'](OPERATOR)).data).toMatchObject([
      { name: 'acme-main', limit: '100/1s', burst: 5, keys: ['acme/main', 'beta/ours'] },
    ]);
  });

  test('the same key cannot slip onto a second budget, or get a second limit', async () => {
    await add('acme', 'main', 'the-same-key', { limit: '100/1s' });
    await expect(add('beta', 'ours', 'the-same-key', { budget: 'private' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('expected acme-main or none, got private'),
    });
    await expect(add('beta', 'ours', 'the-same-key', { limit: '50/1s' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('has the limit 100/1s already, got 50/1s'),
    });
    await expect(add('acme', 'again', 'the-same-key')).rejects.toMatchObject({
      code: 'conflict',
      message: 'the team acme has this very key already, under the name main',
    });
    expect((await m.acts['budget.list'](OPERATOR)).data).toHaveLength(1);
  });

  test('other keys join a budget by its name, which makes it when it is not there', async () => {
    expect(await add('acme', 'main', 'key-1', { budget: 'account', limit: '600/60s' })).toMatchObject({
      budget: 'account',
    });
    expect(await add('beta', 'ours', 'key-2', { budget: 'account' })).toMatchObject({ limit: '600/60s' });
    expect((await m.acts['budget.list'](OPERATOR)).data).toHaveLength(1);
  });

  test('a budget of another name is found when the obvious one is taken', async () => {
    await add('acme', 'main', 'key-1', { budget: 'beta-main' });
    expect(await add('beta', 'main', 'key-2')).toMatchObject({ budget: 'beta-main-2' });
  });

  test('a limit is set for the budget, taken back, and moved away from', async () => {
    await add('acme', 'main', 'the-same-key');
    await add('beta', 'ours', 'the-same-key');
    const set = (input: object) => m.acts['key.set'](OPERATOR, { team: 'acme', name: 'main', ...input });
    expect(await set({ limit: '50/1s', burst: '2' })).toMatchObject({ limit: '50/1s', burst: 2 });
    expect((await m.acts['key.list'](OPERATOR, { team: 'beta' })).data).toMatchObject([{ limit: '50/1s' }]);
    expect(await set({ limit: 'auto' })).toMatchObject({ limit: null });
    expect(await set({ scopes: ['fleet:admin'] })).toMatchObject({ scopes: ['fleet:admin'] });
    expect(await set({ budget: 'mine' })).toMatchObject({ budget: 'mine' });
    expect((await m.acts['budget.list'](OPERATOR)).data).toMatchObject([
      { name: 'mine', keys: ['acme/main', 'beta/ours'] },
    ]);
    await expect(set({})).rejects.toMatchObject({
      message: 'input: expected at least one of scopes, limit, burst, spreadMs, budget, got an object',
    });
  });

  test.each(['100', '0/1s', '100/1y', '2000000/1s', '1/25h', '', 'none'])('%j is no limit', async (limit) => {
    await expect(add('acme', 'main', 'key-1', { limit })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/^limit: expected a limit such as 100\/1s/),
    });
  });

  test.each([[['fleet:fly']], [['gateway:audit']], [[]], ['fleet:read']])('scopes %j are refused', async (scopes) => {
    await expect(add('acme', 'main', 'key-1', { scopes })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('the last key takes its budget with it, and not before', async () => {
    await add('acme', 'main', 'the-same-key');
    await add('beta', 'ours', 'the-same-key');
    await m.acts['key.remove'](OPERATOR, { team: 'acme', name: 'main' });
    expect((await m.acts['budget.list'](OPERATOR)).data).toHaveLength(1);
    await m.acts['key.remove'](OPERATOR, { team: 'beta', name: 'ours' });
    expect((await m.acts['budget.list'](OPERATOR)).data).toEqual([]);
  });

  test('a key that is added in the moment its team goes leaves no budget behind', async () => {
    m.record.onIntend = async () => {
      await m.store.teams.remove((await m.store.teams.findBySlug('acme'))?.id ?? '');
    };
    await expect(add('acme', 'main', 'key-1')).rejects.toMatchObject({ code: 'not_found' });
    expect(await m.store.budgets.list()).toEqual([]);
    expect(m.record.acts().slice(-2)).toEqual(['key.add intended', 'key.add failed not_found']);
  });

  test('a test of a key sends exactly that key, in its turn, and the record says what came of it', async () => {
    await add('acme', 'main', CANARY);
    m.probeAnswer = { verdict: 'dead', status: 401, message: 'GET … answered 401' };
    expect(await m.acts['key.test'](OPERATOR, { team: 'acme', name: 'main' })).toEqual(m.probeAnswer);
    expect(m.probed.map((key) => key.secret.reveal())).toEqual([CANARY]);
    expect(m.record.events.at(-1)).toMatchObject({
      act: 'key.test',
      team: 'acme',
      result: 'done',
      details: { verdict: 'dead', masonStatus: 401 },
    });
  });

  test('a key for another Mason is never sent to this one', async () => {
    await add('acme', 'main', CANARY);
    const team = await m.store.teams.findBySlug('acme');
    const key = await m.store.keys.findByName(team?.id ?? '', 'main');
    if (key === undefined) throw new Error('the key is not there');
    await m.store.keys.remove(key.id);
    await m.store.keys.add({ ...key, origin: 'https://demo.example.test' });
    await expect(m.acts['key.test'](OPERATOR, { team: 'acme', name: 'main' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('belongs to https://demo.example.test'),
    });
    // Somebody wrote the real origin over it: then the seal does not open.
    await m.store.keys.remove(key.id);
    await m.store.keys.add({ ...key, id: 'key_moved' });
    await expect(m.acts['key.test'](OPERATOR, { team: 'acme', name: 'main' })).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('altered, cut, or moved'),
    });
    expect(m.probed).toEqual([]);
  });
});
