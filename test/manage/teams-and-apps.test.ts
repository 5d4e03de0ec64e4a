import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { GatewayError } from '../../src/domain/errors.ts';
import { type Management, OPERATOR, openManagement, START_MS } from './management.ts';

let m: Management;

beforeEach(async () => {
  m = await openManagement();
});

afterEach(async () => {
  await m.close();
});

describe('administrative acts', () => {
  test('stand on record before they are done: who, what, when, to what', async () => {
    const atIntent: unknown[] = [];
    m.record.onIntend = async () => {
      atIntent.push(await m.store.teams.list(), m.record.acts());
      m.clock.ms = 5;
    };
    const team = await m.acts['team.add'](OPERATOR, { slug: 'acme', name: 'Acme Ltd' }, 'request-1');
    expect(atIntent).toEqual([[], ['team.add intended']]);
    const announced = {
      kind: 'admin',
      requestId: 'request-1',
      at: START_MS,
      actor: OPERATOR.actor,
      act: 'team.add',
      teamId: team.id,
      team: 'acme',
      details: { slug: 'acme', name: 'Acme Ltd' },
      result: 'intended',
    };
    expect(m.record.events).toEqual([announced, { ...announced, at: START_MS + 5, result: 'done' }]);
    expect(team).toEqual({
      id: expect.stringMatching(/^team_[0-9a-z]{20}$/),
      slug: 'acme',
      name: 'Acme Ltd',
      createdAt: '2026-11-23T10:00:00.000Z',
      apps: 0,
      keys: 0,
      tokens: 0,
    });
  });

  test('what cannot be recorded is not done', async () => {
    m.record.broken = true;
    await expect(m.acts['team.add'](OPERATOR, { slug: 'acme' })).rejects.toMatchObject({ code: 'record_unavailable' });
    expect(await m.store.teams.list()).toEqual([]);
  });

  test('are on record as done, durably, only when they are', async () => {
    const seen: unknown[] = [];
    const intend = m.record.intend.bind(m.record);
    m.record.intend = async (event) => {
      seen.push([event.kind === 'admin' && event.result, (await m.store.teams.list()).length]);
      await intend(event);
    };
    await m.acts['team.add'](OPERATOR, { slug: 'acme' });
    expect(seen).toEqual([
      ['intended', 0],
      ['done', 1],
    ]);
  });

  test('what was done is answered, also when the record breaks meanwhile', async () => {
    m.record.onIntend = () => {
      m.record.broken = true;
    };
    expect(await m.acts['team.add'](OPERATOR, { slug: 'acme' })).toMatchObject({ slug: 'acme' });
    expect(await m.store.teams.list()).toHaveLength(1);
    expect(m.record.acts()).toEqual(['team.add intended']);
  });

  test('what was done, and could not be made durable in time, is on record as soon as may be', async () => {
    const intend = m.record.intend.bind(m.record);
    m.record.intend = async (event) => {
      if (event.kind === 'admin' && event.result === 'done') {
        throw new GatewayError('record_unavailable', 'not durable in time');
      }
      await intend(event);
    };
    expect(await m.acts['team.add'](OPERATOR, { slug: 'acme' }, 'r')).toMatchObject({ slug: 'acme' });
    expect(m.record.events.map(({ requestId, result }) => [requestId, result])).toEqual([
      ['r', 'intended'],
      ['r', 'done'],
    ]);
  });

  test('an operator may still look around while the record cannot be written', async () => {
    m.record.broken = true;
    expect(await m.acts['team.list'](OPERATOR)).toEqual({ data: [] });
  });

  test('an act that fails after it was announced is on record as failed, under the same request id', async () => {
    m.record.onIntend = () => m.store.close();
    await expect(m.acts['team.add'](OPERATOR, { slug: 'acme' }, 'r')).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect(m.record.events.map(({ requestId, result, errorCode }) => [requestId, result, errorCode])).toEqual([
      ['r', 'intended', undefined],
      ['r', 'failed', 'store_unavailable'],
    ]);
  });

  test('a refused act is on record as failed, and never as intended or done', async () => {
    await expect(m.acts['app.add'](OPERATOR, { team: 'nobody', name: 'x' })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(m.acts['team.add'](OPERATOR, { slug: 'Not A Slug' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(m.record.acts()).toEqual(['app.add failed not_found', 'team.add failed invalid_request']);
    expect(m.record.events[1]?.details).toEqual({});
  });

  test('all problems of an input are told at once: where, what was expected, what came', async () => {
    await expect(m.acts['app.add'](OPERATOR, { name: 'UPPER', weight: 101, colour: 'red' })).rejects.toMatchObject({
      message:
        'team: expected 1 to 63 lower-case letters, digits and "-", beginning with a letter or digit, got nothing; ' +
        'name: expected 1 to 63 lower-case letters, digits and "-", beginning with a letter or digit, got "UPPER"; ' +
        'weight: expected a whole number, 1 to 100, got 101; ' +
        'colour: expected no such field',
    });
  });

  test.each([[null], [[]], ['text'], [7]])('an input of %j is refused, not thrown over', async (input) => {
    await expect(m.acts['team.add'](OPERATOR, input)).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test.each(['', 'a'.repeat(64), '-a', 'a_b', 'ä', 'a\nb', 'a b', '../x'])('%j is no name', async (slug) => {
    await expect(m.acts['team.add'](OPERATOR, { slug })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('teams', () => {
  test('a name is given once', async () => {
    await m.acts['team.add'](OPERATOR, { slug: 'acme' });
    await expect(m.acts['team.add'](OPERATOR, { slug: 'acme' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'there is a team acme already',
    });
  });

  test('a team with apps or keys does not go by a slip; with force it goes with all that is its own', async () => {
    await m.acts['team.add'](OPERATOR, { slug: 'acme' });
    await m.acts['app.add'](OPERATOR, { team: 'acme', name: 'dashboard' });
    await m.acts['key.add'](OPERATOR, { team: 'acme', name: 'main', key: 'key-of-acme-1', scopes: ['fleet:read'] });
    const token = await m.acts['token.create'](OPERATOR, { team: 'acme', app: 'dashboard', scopes: ['fleet:read'] });
    await expect(m.acts['team.remove'](OPERATOR, { team: 'acme' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('1 apps, 1 keys and 1 tokens'),
    });
    expect(await m.acts['team.list'](OPERATOR)).toMatchObject({ data: [{ apps: 1, keys: 1, tokens: 1 }] });

    expect(await m.acts['team.remove'](OPERATOR, { team: 'acme', force: 'true' })).toEqual({ removed: 'acme' });
    expect(await m.acts['budget.list'](OPERATOR)).toEqual({ data: [] });
    await expect(m.acts['token.rotate'](OPERATOR, { id: token.id })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('apps', () => {
  beforeEach(async () => {
    await m.acts['team.add'](OPERATOR, { slug: 'acme' });
    await m.acts['team.add'](OPERATOR, { slug: 'beta' });
  });

  test('belong to a team; two teams may use one name', async () => {
    await m.acts['app.add'](OPERATOR, { team: 'acme', name: 'dashboard', weight: 5 });
    await m.acts['app.add'](OPERATOR, { team: 'beta', name: 'dashboard' });
    expect((await m.acts['app.list'](OPERATOR)).data.map((app) => [app.team, app.name, app.weight])).toEqual([
      ['acme', 'dashboard', 5],
      ['beta', 'dashboard', 1],
    ]);
    expect((await m.acts['app.list'](OPERATOR, { team: 'beta' })).data).toHaveLength(1);
    await expect(m.acts['app.add'](OPERATOR, { team: 'acme', name: 'dashboard' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test('a weight is changed, and the record tells what it was', async () => {
    await m.acts['app.add'](OPERATOR, { team: 'acme', name: 'dashboard' });
    expect(await m.acts['app.set'](OPERATOR, { team: 'acme', name: 'dashboard', weight: '7' })).toMatchObject({
      weight: 7,
    });
    expect(m.record.events.at(-1)?.details).toEqual({ team: 'acme', name: 'dashboard', weight: 7, weightBefore: 1 });
  });

  test('a removed app takes its tokens with it, at once', async () => {
    await m.acts['app.add'](OPERATOR, { team: 'acme', name: 'dashboard' });
    const token = await m.acts['token.create'](OPERATOR, { team: 'acme', app: 'dashboard', scopes: ['fleet:read'] });
    expect(await m.acts['app.remove'](OPERATOR, { team: 'acme', name: 'dashboard' })).toEqual({
      removed: 'dashboard',
      tokens: 1,
    });
    expect(await m.store.tokens.findById(token.id)).toBeUndefined();
  });

  test('one team’s app is not there for another', async () => {
    await m.acts['app.add'](OPERATOR, { team: 'acme', name: 'dashboard' });
    await expect(m.acts['app.remove'](OPERATOR, { team: 'beta', name: 'dashboard' })).rejects.toMatchObject({
      code: 'not_found',
      message: 'the team beta has no app dashboard',
    });
  });
});
