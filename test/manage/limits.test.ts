import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Administrator } from '../../src/domain/authority.ts';
import { LimitKeeper } from '../../src/lane/learning/limit-keeper.ts';
import { type Management, OPERATOR, openManagement } from './management.ts';
import { leadOf, teamId } from './people-of-teams.ts';

let m: Management;
let lead: Administrator;

const add = (team: string, name: string, key: string, more: object = {}) =>
  m.acts['key.add'](OPERATOR, { team, name, key, scopes: ['fleet:read'], ...more });

/** What a gateway learns and keeps: three calls were taken in a second, the fourth was refused. */
async function learn(budgetId: string): Promise<void> {
  const options = { gatewayId: 'one', pauseMsMax: 60_000, onProblem: () => {} };
  await using keeper = new LimitKeeper(m.store.learnedLimits, m.clock, options);
  await keeper.look(budgetId);
  const learner = keeper.learnerOf(budgetId);
  for (let call = 0; call < 4; call++) learner.sent(m.clock.ms, true);
  learner.heard({ sentAt: m.clock.ms, refused: true, askedMs: 1_000, stated: [] }, m.clock.ms);
  keeper.note(budgetId, true);
}

const idOf = async (name: string) => (await m.store.budgets.findByName(name))?.id ?? '';

beforeEach(async () => {
  m = await openManagement();
  await m.acts['team.add'](OPERATOR, { slug: 'alpha' });
  await m.acts['team.add'](OPERATOR, { slug: 'beta' });
  lead = leadOf(await teamId(m, 'alpha'));
});

afterEach(async () => {
  await m.close();
});

describe('the limits in force', () => {
  test('say what each is known from, also while no gateway runs', async () => {
    await add('alpha', 'given', 'key-1', { limit: '100/1s' });
    await add('alpha', 'fresh', 'key-2');
    await add('alpha', 'learnt', 'key-3', { limit: 'auto' });
    await learn(await idOf('alpha-learnt'));
    const { data } = await m.acts['limit.show'](OPERATOR);
    expect(data).toMatchObject([
      { budget: 'alpha-fresh', limit: '5/1s', known: 'assumed', mode: null, levels: [], spreadMs: null },
      { budget: 'alpha-given', limit: '100/1s', known: 'given', mode: null },
      {
        budget: 'alpha-learnt',
        limit: '3/1s',
        known: 'learnt',
        mode: 'holding',
        levels: [{ limit: '3/1s', known: 'learnt', takenBefore: 3 }],
        refusals: [{ at: '2026-11-23T10:00:00.000Z', askedMs: 1_000, window: '1s', taken: 3 }],
        refusalsSeen: 1,
        probesAt: expect.any(String),
      },
    ]);
  });

  test('of a running lane are what it knows now, with the spread of the way', async () => {
    await add('alpha', 'main', 'key-1', { limit: '100/1s' });
    m.pace = { limit: { calls: 100, windowMs: 1_000 }, spreadMs: 12.5, learning: undefined };
    const shown = async () => (await m.acts['limit.show'](OPERATOR, { budget: 'alpha-main' })).data;
    expect(await shown()).toMatchObject([{ spreadMs: 12.5, spreadKnown: 'measured' }]);
    const set = (input: object) => m.acts['budget.set'](OPERATOR, { name: 'alpha-main', ...input });
    await set({ spreadMs: 40 });
    expect(await shown()).toMatchObject([{ spreadMs: 40, spreadKnown: 'given' }]);
    await set({ limit: 'auto', spreadMs: 5_000 });
    expect(await shown()).toMatchObject([{ spreadMs: 100, spreadKnown: 'given' }]);
    m.pace = undefined;
    expect(await shown()).toMatchObject([{ spreadMs: 5_000, spreadKnown: 'given' }]);
  });

  test('of other teams do not exist for a lead', async () => {
    await add('alpha', 'main', 'key-1');
    await add('beta', 'ours', 'key-2');
    expect((await m.acts['limit.show'](lead)).data).toMatchObject([{ budget: 'alpha-main' }]);
    const notThere = { code: 'not_found', message: 'there is no budget beta-ours' };
    await expect(m.acts['limit.show'](lead, { budget: 'beta-ours' })).rejects.toMatchObject(notThere);
    await expect(m.acts['limit.forget'](lead, { budget: 'beta-ours' })).rejects.toMatchObject(notThere);
  });
});

describe('forgetting what was learnt', () => {
  test('begins anew, and stands on record', async () => {
    await add('alpha', 'main', 'key-1');
    await learn(await idOf('alpha-main'));
    const before = await m.store.revision();
    expect(await m.acts['limit.forget'](OPERATOR, { budget: 'alpha-main' })).toEqual({ forgotten: 'alpha-main' });
    expect((await m.acts['limit.show'](OPERATOR)).data).toMatchObject([{ limit: '5/1s', known: 'assumed' }]);
    expect(await m.store.revision()).toBe(before + 1);
    const forgotten = m.record.events.filter(({ act }) => act === 'limit.forget');
    expect(forgotten.map(({ result, details }) => [result, details])).toEqual([
      ['intended', { budget: 'alpha-main' }],
      ['done', { budget: 'alpha-main' }],
    ]);
  });

  test('is not for a lead where other teams wait in the same line', async () => {
    await add('alpha', 'main', 'the-same-key', { budget: 'account' });
    await add('beta', 'ours', 'the-same-key');
    await expect(m.acts['limit.forget'](lead, { budget: 'account' })).rejects.toMatchObject({ code: 'conflict' });
  });
});
