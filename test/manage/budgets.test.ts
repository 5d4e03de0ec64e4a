import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Administrator } from '../../src/domain/authority.ts';
import { type Management, OPERATOR, openManagement } from './management.ts';
import { leadOf, teamId } from './people-of-teams.ts';

let m: Management;
let lead: Administrator;

const add = (by: Administrator, team: string, name: string, key: string, more: object = {}) =>
  m.acts['key.add'](by, { team, name, key, scopes: ['fleet:read'], ...more });

beforeEach(async () => {
  m = await openManagement();
  await m.acts['team.add'](OPERATOR, { slug: 'alpha' });
  await m.acts['team.add'](OPERATOR, { slug: 'beta' });
  lead = leadOf(await teamId(m, 'alpha'));
});

afterEach(async () => {
  await m.close();
});

describe('a budget', () => {
  test('is set by name, for all its keys, and given back to what nobody knows', async () => {
    await add(OPERATOR, 'alpha', 'main', 'key-1');
    const set = (input: object) => m.acts['budget.set'](OPERATOR, { name: 'alpha-main', ...input });
    expect(await set({ limit: '600/60s', burst: 7 })).toMatchObject({
      limit: '600/60s',
      burst: 7,
      keys: ['alpha/main'],
    });
    expect(await set({ burst: 'auto' })).toMatchObject({ limit: '600/60s', burst: null });
    expect(m.record.events.at(-1)?.details).toEqual({ name: 'alpha-main', burst: 'auto', limitBefore: '600/60s' });
    expect(await set({ limit: 'auto' })).toMatchObject({ limit: null });
    expect(m.record.events.at(-1)?.details).toEqual({ name: 'alpha-main', limit: 'auto', limitBefore: '600/60s' });
    expect((await m.acts['key.list'](OPERATOR)).data).toMatchObject([{ limit: null, burst: null }]);
    await expect(set({})).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('has a spread that somebody gives, and that is measured again', async () => {
    await add(OPERATOR, 'alpha', 'main', 'key-1', { limit: '600/60s', spreadMs: 250 });
    const set = (input: object) => m.acts['budget.set'](OPERATOR, { name: 'alpha-main', ...input });
    expect((await m.acts['budget.list'](OPERATOR)).data).toMatchObject([{ spreadMs: 250 }]);
    expect(await set({ burst: 2 })).toMatchObject({ spreadMs: 250 });
    const revision = await m.store.revision();
    expect(await set({ spreadMs: '6000' })).toMatchObject({ limit: '600/60s', burst: 2, spreadMs: 6_000 });
    expect(m.record.events.at(-1)?.details).toEqual({ name: 'alpha-main', spreadMs: 6_000, limitBefore: '600/60s' });
    // By which every gateway hears of it.
    expect(await m.store.revision()).toBe(revision + 1);
    expect((await m.acts['key.list'](OPERATOR)).data).toMatchObject([{ spreadMs: 6_000 }]);
    expect(await set({ spreadMs: 0 })).toMatchObject({ spreadMs: 0 });
    const keySet = { team: 'alpha', name: 'main', spreadMs: 'measured' };
    expect(await m.acts['key.set'](OPERATOR, keySet)).toMatchObject({ limit: '600/60s', spreadMs: null });
    expect(m.record.events.at(-1)?.details).toMatchObject({ spreadMs: 'measured' });
    expect(await m.store.budgets.findByName('alpha-main')).toMatchObject({ burst: 2, spreadMs: undefined });
  });

  test('takes no spread that would cost more than it saves, neither at once nor by another limit later', async () => {
    await add(OPERATOR, 'alpha', 'main', 'key-1', { limit: '100/1s', spreadMs: 100 });
    const set = (input: object) => m.acts['budget.set'](OPERATOR, { name: 'alpha-main', ...input });
    const message = (most: string, got: number) => `spreadMs: expected 0 to ${most}, or "measured", got ${got}`;
    const tenth = '100 milliseconds (a tenth of the window of 100/1s)';
    await expect(set({ spreadMs: 101 })).rejects.toMatchObject({
      code: 'invalid_request',
      message: message(tenth, 101),
    });
    const wide = { scopes: ['fleet:read'], limit: '100/1s', spreadMs: 101 };
    for (const tried of [
      m.acts['key.add'](OPERATOR, { team: 'beta', name: 'ours', key: 'key-2', ...wide }),
      m.acts['key.set'](OPERATOR, { team: 'alpha', name: 'main', ...wide }),
    ]) {
      await expect(tried).rejects.toMatchObject({ code: 'invalid_request', message: message(tenth, 101) });
    }
    await expect(set({ limit: '10/500ms' })).rejects.toMatchObject({
      message: `${message('50 milliseconds (a tenth of the window of 10/500ms)', 100)}, which was set before`,
    });
    expect(await set({ limit: '10/500ms', spreadMs: 50 })).toMatchObject({ limit: '10/500ms', spreadMs: 50 });
    // The window of a limit that is learnt is another tomorrow.
    expect(await set({ limit: 'auto', spreadMs: 8_640_000 })).toMatchObject({ limit: null, spreadMs: 8_640_000 });
    for (const spreadMs of [-1, 8_640_001, 1.5, '40ms', 'auto', '']) {
      await expect(set({ spreadMs })).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(
          /^spreadMs: expected (?:whole milliseconds, 0 to a tenth|a whole number, 0 to 8640000)/,
        ),
      });
    }
    expect((await m.store.budgets.list()).map(({ name }) => name)).toEqual(['alpha-main']);
  });

  test('of the own keys alone is a lead’s to set', async () => {
    await add(lead, 'alpha', 'main', 'key-1', { limit: '10/1s' });
    expect(await m.acts['budget.set'](lead, { name: 'alpha-main', limit: '20/1s' })).toMatchObject({ limit: '20/1s' });
    expect(await m.acts['key.set'](lead, { team: 'alpha', name: 'main', budget: 'ours' })).toMatchObject({
      budget: 'ours',
      limit: null,
    });
  });

  test('that another team is on is nobody’s but an operator’s: no limit, no joining, no leaving with others', async () => {
    await add(OPERATOR, 'alpha', 'main', 'the-same-key', { limit: '10/1s', budget: 'account' });
    await add(OPERATOR, 'beta', 'ours', 'the-same-key');
    const conflict = {
      code: 'conflict',
      message: 'the budget account is shared with other teams: only an operator changes its limit, or puts keys on it',
    };
    await expect(m.acts['budget.set'](lead, { name: 'account', limit: '99/1s' })).rejects.toMatchObject(conflict);
    for (const change of [
      { limit: '99/1s' },
      { burst: 9 },
      { spreadMs: 9 },
      { spreadMs: 999_999 },
      { budget: 'mine' },
    ]) {
      const changed = m.acts['key.set'](lead, { team: 'alpha', name: 'main', ...change });
      await expect(changed).rejects.toMatchObject(conflict);
    }
    await expect(add(lead, 'alpha', 'other', 'key-2', { budget: 'account' })).rejects.toMatchObject(conflict);
    const scopes = ['fleet:admin'];
    expect(await m.acts['key.set'](lead, { team: 'alpha', name: 'main', scopes })).toMatchObject({ scopes });
    expect(await m.acts['budget.set'](OPERATOR, { name: 'account', limit: '99/1s' })).toMatchObject({ limit: '99/1s' });
  });

  test('tells a lead that others are on it, and not who', async () => {
    await add(OPERATOR, 'alpha', 'main', 'the-same-key');
    await add(OPERATOR, 'beta', 'secret-project', 'the-same-key');
    const { data } = await m.acts['budget.list'](lead);
    expect(data).toMatchObject([{ name: 'alpha-main', keys: ['alpha/main'], otherKeys: 1 }]);
    const { notes } = await m.acts['key.set'](lead, { team: 'alpha', name: 'main', scopes: ['fleet:admin'] });
    expect(notes[0]).toBe('the budget alpha-main is shared with 1 key of another team: one line, one limit');
    expect((await m.acts['budget.list'](OPERATOR)).data).toMatchObject([
      { keys: ['alpha/main', 'beta/secret-project'], otherKeys: 0 },
    ]);
  });

  test('of another team does not exist for a lead', async () => {
    await add(OPERATOR, 'beta', 'ours', 'key-2');
    await expect(m.acts['budget.set'](lead, { name: 'beta-ours', limit: '1/1s' })).rejects.toMatchObject({
      code: 'not_found',
      message: 'there is no budget beta-ours',
    });
    expect((await m.acts['budget.list'](lead)).data).toEqual([]);
  });

  test('a lead who has another team’s key does not learn whose it is, nor its limit', async () => {
    await add(OPERATOR, 'beta', 'ours', 'the-same-key', { limit: '5/1s' });
    await add(lead, 'alpha', 'main', 'key-1');
    const refusal = { code: 'conflict', message: expect.not.stringMatching(/beta|ours|5\/1s/) };
    await expect(add(lead, 'alpha', 'copy', 'the-same-key', { limit: '9/1s' })).rejects.toMatchObject(refusal);
    const rotated = m.acts['key.rotate'](lead, { team: 'alpha', name: 'main', key: 'the-same-key' });
    await expect(rotated).rejects.toMatchObject(refusal);
  });
});
