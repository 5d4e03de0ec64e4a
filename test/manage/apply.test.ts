import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Management, OPERATOR, openManagement } from './management.ts';

let m: Management;

beforeEach(async () => {
  m = await openManagement();
});

afterEach(async () => {
  await m.close();
});

const apply = (teams: object, more: object = {}) => m.acts.apply(OPERATOR, { teams, ...more }, 'request-1');
const says = async (teams: object, more: object = {}): Promise<string[]> =>
  (await apply(teams, more)).steps.map((step) => step.says);
const scopes = ['fleet:read'];

const ACME = {
  acme: {
    name: 'Acme Ltd',
    apps: { dashboard: { weight: 2 }, kiosk: null },
    keys: { main: { key: 'mason-key-canary-1', scopes, limit: '100/1s', burst: 5 } },
  },
};

describe('applying a file', () => {
  test('adds what is not there, says each step, and does nothing the second time', async () => {
    expect(await apply(ACME)).toEqual({
      applied: true,
      notes: [],
      steps: [
        { act: 'team.add', on: 'acme', says: 'add the team acme' },
        { act: 'app.add', on: 'acme/dashboard', says: 'add the app acme/dashboard, weight 2' },
        { act: 'app.add', on: 'acme/kiosk', says: 'add the app acme/kiosk, weight 1' },
        {
          act: 'key.add',
          on: 'acme/main',
          says: 'add the key acme/main with fleet:read, on the new budget acme-main, limit 100/1s, burst 5',
        },
      ],
    });
    expect((await m.acts['key.list'](OPERATOR)).data).toMatchObject([{ limit: '100/1s', burst: 5, scopes }]);
    expect(await apply(ACME)).toEqual({ applied: true, notes: [], steps: [] });
  });

  test('is an act of its own around ordinary ones, all under one request id, and no key is anywhere', async () => {
    const answer = await apply(ACME);
    expect(m.record.acts()).toEqual([
      'apply intended',
      ...['team.add', 'app.add', 'app.add', 'key.add'].flatMap((act) => [`${act} intended`, `${act} done`]),
      'apply done',
    ]);
    expect(m.record.events.every(({ requestId, actor }) => requestId === 'request-1' && actor.account === 'ada')).toBe(
      true,
    );
    expect(m.record.events.at(-1)?.details).toEqual({ prune: false, dryRun: false, teams: 1, steps: 4 });
    expect(JSON.stringify([answer, m.record.events])).not.toContain('canary');
  });

  test('changes what is otherwise, and leaves what the file does not say', async () => {
    await apply(ACME);
    await m.acts['app.add'](OPERATOR, { team: 'acme', name: 'by-hand' });
    const change = {
      acme: {
        name: 'Acme & Co',
        apps: { dashboard: { weight: 3 } },
        keys: { main: { scopes: ['fleet:admin'], limit: '50/1s' } },
      },
    };
    expect(await says(change)).toEqual([
      'change the budget acme-main: limit 50/1s (was: limit 100/1s, burst 5, spread measured)',
      'rename the team acme from "Acme Ltd" to "Acme & Co"',
      'change the weight of the app acme/dashboard from 2 to 3',
      'change the key acme/main: its scopes from fleet:read to fleet:admin',
    ]);
    expect((await m.acts['key.list'](OPERATOR)).data).toMatchObject([{ limit: '50/1s', burst: 5 }]);
    expect(m.probed).toEqual([]);
    expect((await m.acts['app.list'](OPERATOR)).data.map(({ name }) => name)).toEqual([
      'by-hand',
      'dashboard',
      'kiosk',
    ]);
  });

  test('sets the spread of a budget, takes it back, and refuses one that no limit in the file allows before anything is done', async () => {
    const main = { scopes, limit: '100/1s', spreadMs: 40 };
    await apply({ acme: { keys: { main: { key: 'mason-key-canary-1', ...main } } } });
    expect((await m.acts['key.list'](OPERATOR)).data).toMatchObject([{ limit: '100/1s', spreadMs: 40 }]);
    expect(await says({ acme: { keys: { main } } })).toEqual([]);
    const tooWide =
      'teams.acme.keys.main.spreadMs: expected 0 to 10 milliseconds (a tenth of the window of 9/100ms), or';
    for (const [wish, end] of [
      [{ limit: '9/100ms' }, '"measured", got 40, which was set before'],
      [{ limit: '9/100ms', spreadMs: 11 }, '"measured", got 11'],
    ] as const) {
      const applied = apply({ other: {}, acme: { keys: { main: { scopes, ...wish } } } });
      await expect(applied).rejects.toMatchObject({ code: 'invalid_request', message: `${tooWide} ${end}` });
    }
    // The file's mistake is where the spread stands, whatever other keys are on the budget.
    const second = { key: 'mason-key-canary-2', scopes, budget: 'acme-main' };
    const twoKeys = apply({ acme: { keys: { main: { scopes, limit: '9/100ms', spreadMs: 11 }, second } } });
    await expect(twoKeys).rejects.toMatchObject({ message: `${tooWide} "measured", got 11` });
    expect(await m.store.teams.findBySlug('other')).toBeUndefined();
    expect(await says({ acme: { keys: { main: { scopes, limit: '9/100ms', spreadMs: 'measured' } } } })).toEqual([
      'change the budget acme-main: limit 9/100ms, spread measured (was: limit 100/1s, burst auto, spread 40 ms)',
    ]);
    expect((await m.acts['key.list'](OPERATOR)).data).toMatchObject([{ limit: '9/100ms', spreadMs: null }]);
  });

  test('removes only with prune, and only in sections that the file has', async () => {
    await apply({ ...ACME, old: { apps: { x: {} } } });
    expect(await says({ acme: { keys: {} } })).toEqual([]);
    expect(await says({ acme: { keys: {} } }, { prune: true })).toEqual([
      'remove the key acme/main',
      'remove the team old, with all that is its own',
    ]);
    expect((await m.acts['app.list'](OPERATOR)).data.map(({ name }) => name)).toEqual(['dashboard', 'kiosk']);
    expect(await says({ acme: { apps: { kiosk: {} } } }, { prune: true })).toEqual([
      'remove the app acme/dashboard, with its tokens',
    ]);
  });

  test('a dry run says the same steps and does none', async () => {
    const dry = await apply(ACME, { dryRun: true });
    expect(dry.applied).toBe(false);
    expect(await m.store.teams.list()).toEqual([]);
    expect((await apply(ACME)).steps).toEqual(dry.steps);
  });

  test('another secret is a rotation, tried first; the one before stays behind it', async () => {
    await apply(ACME);
    const rotated = { acme: { keys: { main: { key: 'mason-key-canary-2', scopes } } } };
    expect(await says(rotated)).toEqual(['replace the key acme/main by another, once Mason has taken it']);
    expect(m.probed.map(({ secret }) => secret.reveal())).toEqual(['mason-key-canary-2']);
    expect((await m.acts['key.list'](OPERATOR)).data[0]?.previous).not.toBeNull();
  });

  test('everything is checked before the first step, and every problem told with its place', async () => {
    await apply({ acme: { keys: { main: { key: 'key-1', scopes, budget: 'one' } } } });
    const revision = await m.store.revision();
    await expect(
      apply({ fresh: { keys: { a: { scopes }, b: { key: 'key-b', scopes, limit: 'fast' } } }, 'No Name': {} }),
    ).rejects.toMatchObject({
      code: 'invalid_request',
      message:
        'teams.fresh.keys.b.limit: expected a limit such as 100/1s or 600/60s (1 to 1000000 calls in 100ms to 1d), or "auto", got "fast"; ' +
        'teams.No Name: expected 1 to 63 lower-case letters, digits and "-", beginning with a letter or digit, got "No Name"',
    });
    await expect(
      apply({ fresh: { keys: { a: { scopes } } }, more: { keys: { b: { scopes } } } }),
    ).rejects.toMatchObject({
      message:
        'teams.fresh.keys.a.key: expected a Mason API key, since there is none yet, got nothing; ' +
        'teams.more.keys.b.key: expected a Mason API key, since there is none yet, got nothing',
    });
    await expect(apply({ fresh: { keys: { a: { key: 'key-1', scopes, budget: 'two' } } } })).rejects.toMatchObject({
      message:
        'teams.fresh.keys.a: this key is in use by acme/main, on the budget one, and one key has one budget: expected one, got two',
    });
    const both = { key: 'key-9', scopes };
    await expect(
      apply({ p: { keys: { a: { ...both, budget: 'p' } } }, q: { keys: { a: { ...both, budget: 'q' } } } }),
    ).rejects.toMatchObject({
      message: 'teams.q.keys.a.budget: expected p, since it is the same key as teams.p.keys.a, got q',
    });
    await expect(
      apply({ p: { keys: { a: { ...both, limit: '1/1s' } } }, q: { keys: { a: { ...both, limit: '2/1s' } } } }),
    ).rejects.toMatchObject({
      message: 'teams.q.keys.a.limit: expected one limit for all keys on the budget p-a, got 2/1s beside 1/1s',
    });
    expect(await m.store.revision()).toBe(revision);
  });

  test('a secret in a file that is refused is not repeated', async () => {
    const refused = apply({ acme: { keys: { main: { key: 'canary\n', scopes: ['fleet:fly'] } } } });
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('canary') });
  });

  test('a key under another name waits until the old name is gone', async () => {
    await apply(ACME);
    const renamed = { acme: { keys: { renamed: { key: 'mason-key-canary-1', scopes, limit: '7/1s' } } } };
    await expect(apply(renamed)).rejects.toMatchObject({
      message: 'teams.acme.keys.renamed: this very key is there already, under the name main',
    });
    expect(await says(renamed, { prune: true })).toEqual([
      'remove the key acme/main',
      'add the key acme/renamed with fleet:read, on the new budget acme-renamed, limit 7/1s',
    ]);
  });

  test('a budget that goes with its last key comes back with the limit that the file gives it', async () => {
    const key = { key: 'key-1', scopes, budget: 'account', limit: '9/1s' };
    await apply({ acme: { keys: { main: key } } });
    expect(await says({ acme: { keys: { renamed: { ...key, limit: '8/1s' } } } }, { prune: true })).toEqual([
      'remove the key acme/main',
      'add the key acme/renamed with fleet:read, on the new budget account, limit 8/1s',
    ]);
    expect((await m.acts['budget.list'](OPERATOR)).data).toMatchObject([{ name: 'account', limit: '8/1s' }]);
  });

  test('where moving one key takes another along, that one is brought back', async () => {
    const key = (secret: string, budget: string) => ({ keys: { k: { key: secret, scopes, budget } } });
    await apply({ acme: key('key-1', 'one'), beta: key('key-1', 'one') });
    expect(await says({ acme: key('key-1', 'two'), beta: key('key-2', 'one') })).toEqual([
      'change the key acme/k: its budget from one to two',
      'replace the key beta/k by another, once Mason has taken it',
      'change the key beta/k: its budget from two to one',
    ]);
  });

  test('keys follow one another, each into the place of the next, in the only order there is', async () => {
    const keys = (a: string, b: string, c: string) => ({
      acme: { keys: { a: { key: a, scopes }, b: { key: b, scopes }, c: { key: c, scopes } } },
    });
    await apply(keys('key-1', 'key-2', 'key-3'), {});
    await m.acts['key.set'](OPERATOR, { team: 'acme', name: 'b', budget: 'acme-a' });
    await m.acts['key.set'](OPERATOR, { team: 'acme', name: 'c', budget: 'acme-a' });
    const { steps } = await apply(keys('key-2', 'key-3', 'key-4'));
    expect(steps.map(({ on }) => on)).toEqual(['acme/c', 'acme/b', 'acme/a']);
    await expect(apply(keys('key-3', 'key-2', 'key-4'))).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('a step that fails ends it, and the answer says what was done and what not', async () => {
    await apply(ACME);
    m.probeAnswer = { verdict: 'dead', status: 401, message: 'it answered 401' };
    const next = {
      acme: { apps: { first: {} }, keys: { main: { key: 'dead-key', scopes: ['fleet:admin'] } } },
      later: {},
    };
    await expect(apply(next)).rejects.toMatchObject({
      code: 'conflict',
      message:
        'step 2 of 4 failed, to replace the key acme/main by another, once Mason has taken it: Mason does not take the new key, so ' +
        'nothing was changed: it answered 401. Done before: add the app acme/first, weight 1. Not done: replace the key acme/main ' +
        'by another, once Mason has taken it; change the key acme/main: its scopes from fleet:read to fleet:admin; add the team ' +
        'later. Apply the same again to go on',
    });
    expect(m.record.acts().at(-1)).toBe('apply failed conflict');
    m.probeAnswer = { verdict: 'alive', status: 200, message: 'it answered 200' };
    expect((await apply(next)).steps.map(({ act }) => act)).toEqual(['key.rotate', 'key.set', 'team.add']);
  });

  test('what keys need to be told is passed on', async () => {
    const { notes } = await apply({ acme: { keys: { main: { key: 'key-1', scopes } } } });
    expect(notes).toEqual([
      expect.stringMatching(/^acme\/main: no limit was given for the budget acme-main: it is learnt, from 5\/1s on/),
    ]);
  });
});
