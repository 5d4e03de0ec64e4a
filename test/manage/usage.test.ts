import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bucketOf } from '../../src/audit/usage-times.ts';
import type { UsageDelta } from '../../src/domain/usage.ts';
import { type Management, OPERATOR, openManagement, START_MS } from './management.ts';
import { leadOf, signedIn, somebody, teamId } from './people-of-teams.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
let m: Management;
const ids = { alpha: '', beta: '', kiosk: '', board: '', person: '' };

beforeAll(async () => {
  m = await openManagement();
  for (const [team, app] of [
    ['alpha', 'kiosk'],
    ['beta', 'board'],
  ] as const) {
    await m.acts['team.add'](OPERATOR, { slug: team });
    await m.acts['app.add'](OPERATOR, { team, name: app });
    ids[team] = await teamId(m, team);
    ids[app] = (await m.store.apps.findByName(ids[team], app))?.id ?? '';
  }
  ids.person = (await signedIn(m, [{ role: 'member', teamId: ids.alpha, scopes: [] }])).id;
  await m.store.names.set(ids.person, 'Ada L.');
  await m.store.usage.add(
    [
      used({ calls: 10, masonMs: [[bucketOf(100), 10]] }),
      used({ calls: 5, outcome: 'error', masonMs: [[bucketOf(2_000), 5]] }),
      used({ calls: 3, minute: START_MS - 3 * DAY_MS }),
      used({ calls: 2, callerId: ids.person, operation: 'device.reboot', outcome: 'unknown' }),
      used({ calls: 7, teamId: ids.beta, callerId: ids.board }),
      used({ calls: 1, teamId: ids.beta, callerId: 'app_gone' }),
      used({ calls: 4, teamId: '', callerId: '', operation: '', outcome: 'refused' }),
    ],
    { chain: 'gw/1', batch: 1 },
  );
});

afterAll(async () => {
  await m.close();
});

function used(fields: Partial<UsageDelta>): UsageDelta {
  return {
    minute: START_MS - 10 * MINUTE_MS,
    teamId: ids.alpha,
    callerId: ids.kiosk,
    operation: 'device.list',
    outcome: 'ok',
    calls: 1,
    attempts: fields.calls ?? 1,
    bytesIn: 0,
    bytesOut: 100,
    queueMs: [],
    masonMs: [],
    gatewayMs: [],
    ...fields,
  };
}

async function ask(input: object, by = OPERATOR): Promise<unknown[]> {
  const { data } = await m.acts['usage.query'](by, input);
  return data.map(({ team, caller, operation, outcome, at, calls }) =>
    [at, team, caller === null ? null : caller?.name, operation, outcome, calls].filter((value) => value !== undefined),
  );
}

test('usage is told apart by what was asked for, the most first, with the names of now', async () => {
  expect(await ask({})).toEqual([
    ['kiosk', 15],
    ['board', 7],
    [null, 4],
    ['Ada L.', 2],
    ['app_gone', 1],
  ]);
  expect(await ask({ by: 'team', since: '7d' })).toEqual([
    ['alpha', 20],
    ['beta', 8],
    [null, 4],
  ]);
  expect(await ask({ by: 'operation,outcome', team: 'alpha' })).toEqual([
    ['device.list', 'ok', 10],
    ['device.list', 'error', 5],
    ['device.reboot', 'unknown', 2],
  ]);
  expect(await ask({ by: 'time', since: '7d', app: 'kiosk' })).toEqual([
    ['2026-11-20T00:00:00.000Z', 3],
    ['2026-11-23T00:00:00.000Z', 15],
  ]);
  expect(await ask({ person: ids.person, by: 'team' })).toEqual([['alpha', 2]]);
  expect(await ask({ operation: 'device.reboot', since: '30m', by: 'outcome' })).toEqual([['unknown', 2]]);
  expect(await ask({ app: 'nothing' })).toEqual([]);
});

test('times are percentiles of all that is added up, and errors are what did not end well', async () => {
  const { data, span, since } = await m.acts['usage.query'](OPERATOR, { app: 'kiosk', since: '90m' });
  expect([span, since, data.length]).toEqual(['minute', '2026-11-23T08:30:00.000Z', 1]);
  const { calls, errors, masonMs, queueMs } = data[0] ?? {};
  expect([calls, errors, queueMs]).toEqual([15, 5, { p50: null, p95: null, p99: null }]);
  expect(Math.abs((masonMs?.p50 ?? 0) - 100)).toBeLessThan(5);
  expect(Math.abs((masonMs?.p99 ?? 0) - 2_000)).toBeLessThan(100);
});

test('leads, auditors and tokens for usage see their team, and nothing of another', async () => {
  const lead = [
    ['kiosk', 15],
    ['Ada L.', 2],
  ];
  expect(await ask({}, leadOf(ids.alpha))).toEqual(lead);
  expect(await ask({}, somebody({ audits: new Set([ids.alpha]) }))).toEqual(lead);
  expect(await ask({}, somebody({ usage: new Set([ids.alpha]) }))).toEqual(lead);
  expect(await ask({ by: 'team' }, somebody({ audits: 'all' }))).toHaveLength(3);
  const token = somebody({ usage: new Set([ids.alpha]) });
  await expect(ask({ team: 'beta' }, token)).rejects.toMatchObject({ message: 'there is no team beta' });
  expect(await ask({ app: 'board' }, token)).toEqual([]);
  await expect(ask({}, somebody({}))).rejects.toMatchObject({ code: 'forbidden' });
});

test('an old hour is told by the shortest span that is still kept, and never as if nobody had called', async () => {
  const { span, data } = await m.acts['usage.query'](OPERATOR, {
    since: '2026-11-20T08:30:00Z',
    until: '2026-11-20T10:30:00Z',
    app: 'kiosk',
  });
  expect([span, data[0]?.calls]).toEqual(['hour', 3]);
  const old = { since: '2026-05-01T08:00:00Z', until: '2026-05-01T09:00:00Z' };
  expect(await m.acts['usage.query'](OPERATOR, old)).toMatchObject({ span: 'day' });
  for (const asked of [
    { since: '3d', span: 'minute' },
    { ...old, span: 'hour' },
  ]) {
    await expect(ask(asked)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('kept'),
    });
  }
});

test('looking at usage is on record, and a question that makes no sense is refused in words', async () => {
  const before = m.record.events.length;
  await ask({ by: 'team,time', since: '7d' });
  expect(m.record.events.slice(before)).toMatchObject([
    { act: 'usage.query', details: { by: 'team,time', rows: 4 }, result: 'done' },
  ]);
  for (const input of [{ by: 'everything' }, { by: '' }, { since: '1h', until: '2h' }, { span: 'week' }]) {
    await expect(ask(input)).rejects.toMatchObject({ code: 'invalid_request' });
  }
  await expect(ask({ app: 'kiosk', person: ids.person })).rejects.toMatchObject({ code: 'invalid_request' });
});
