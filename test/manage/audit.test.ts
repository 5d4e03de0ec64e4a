import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredEvent } from '../../src/domain/event.ts';
import { type Management, OPERATOR, openManagement, START_MS } from './management.ts';
import { somebody, teamId } from './people-of-teams.ts';

let m: Management;

beforeEach(async () => {
  m = await openManagement();
  for (const slug of ['a', 'b', 'c']) await m.acts['team.add'](OPERATOR, { slug }, `request-${slug}`);
});

afterEach(async () => {
  await m.close();
});

function teamAndResult({ event }: StoredEvent): string {
  return `${event['team']} ${event['result']}`;
}

describe('reading the record', () => {
  test('is itself on record: who looked, for what, and how much they saw', async () => {
    const page = await m.acts['audit.query'](OPERATOR, { team: 'b', since: '1h', limit: '10' });
    expect(page.data.map(teamAndResult)).toEqual(['b done', 'b intended']);
    expect(m.record.events.at(-1)).toMatchObject({
      act: 'audit.query',
      actor: OPERATOR.actor,
      details: { team: 'b', since: START_MS - 3_600_000, events: 2 },
    });
  });

  test('goes page by page, newest first', async () => {
    const first = await m.acts['audit.query'](OPERATOR, { limit: 3 });
    expect(first.data.map(teamAndResult)).toEqual(['c done', 'c intended', 'b done']);
    const second = await m.acts['audit.query'](OPERATOR, { limit: 2, after: first.nextPage });
    expect(second.data.map(teamAndResult)).toEqual(['b intended', 'a done']);
    const rest = await m.acts['audit.query'](OPERATOR, { limit: 2, after: second.nextPage });
    expect(rest.data.map(teamAndResult)).toEqual(['a intended']);
    expect(rest).not.toHaveProperty('nextPage');
  });

  test('shows one call whole, oldest event first', async () => {
    const { data } = await m.acts['audit.show'](OPERATOR, { requestId: 'request-b' });
    expect(data.map(teamAndResult)).toEqual(['b intended', 'b done']);
    await expect(m.acts['audit.show'](OPERATOR, { requestId: 'none' })).rejects.toMatchObject({
      code: 'not_found',
      message: 'nothing with the request id none is on record',
    });
  });

  test('a reader who follows does not fill the record with the following', async () => {
    const follow = (filter: object) => m.acts['audit.query'](OPERATOR, { follow: true, ...filter });
    for (let second = 0; second < 59; second += 1) {
      m.clock.ms = second * 1_000;
      await follow({ team: 'a' });
    }
    await follow({ team: 'b' });
    await m.acts['audit.query'](
      { ...OPERATOR, actor: { kind: 'operator', account: 'eve' } },
      { follow: true, team: 'a' },
    );
    m.clock.ms = 61_000;
    await follow({ team: 'a' });
    expect(
      m.record.events
        .filter((event) => event.act === 'audit.query')
        .map((event) => [event.at - START_MS, event.actor.account]),
    ).toEqual([
      [0, 'ada'],
      [58_000, 'ada'],
      [58_000, 'eve'],
      [61_000, 'ada'],
    ]);
  });

  test('shows auditors their teams alone: by id, since names are given again, and without what is of no team', async () => {
    const b = await teamId(m, 'b');
    await m.acts['team.remove'](OPERATOR, { team: 'b' });
    await m.acts['team.add'](OPERATOR, { slug: 'b' });
    await m.acts['budget.list'](OPERATOR, {}, 'request-of-no-team');
    const auditor = somebody({ audits: new Set([b]) });
    const all = await m.acts['audit.query'](auditor);
    expect(all.data.map(({ event }) => [event['act'], event['teamId']])).toEqual([
      ['team.remove', b],
      ['team.remove', b],
      ['team.add', b],
      ['team.add', b],
    ]);
    expect((await m.acts['audit.query'](auditor, { team: 'a' })).data).toEqual([]);
    expect((await m.acts['audit.query'](auditor, { team: 'never-there' })).data).toEqual([]);
    expect((await m.acts['audit.show'](auditor, { requestId: 'request-b' })).data).toHaveLength(2);
    for (const requestId of ['request-a', 'request-of-no-team', 'never-there']) {
      await expect(m.acts['audit.show'](auditor, { requestId })).rejects.toMatchObject({
        code: 'not_found',
        message: `nothing with the request id ${requestId} is on record`,
      });
    }
    const auditorOfAll = somebody({ audits: 'all' });
    expect((await m.acts['audit.show'](auditorOfAll, { requestId: 'request-of-no-team' })).data).toHaveLength(1);
  });

  test('who reads old pages under the name of following is on record with each of them', async () => {
    const key = (await m.acts['audit.query'](OPERATOR, { limit: 1 })).nextPage;
    m.clock.ms = 3_600_000;
    m.record.events.length = 6;
    const follow = () => m.acts['audit.query'](OPERATOR, { follow: true, limit: 3, after: key });
    for (let time = 0; time < 3; time += 1) await follow();
    expect(m.record.events.slice(6).map(({ act, details }) => [act, details['events']])).toEqual(
      Array.from({ length: 3 }, () => ['audit.query', expect.any(Number)]),
    );
  });

  test('many exports asked for in the same moment are no more at once than one after the other', async () => {
    const asked = await Promise.all(Array.from({ length: 6 }, () => m.acts['audit.export'](OPERATOR, {})));
    const readers = asked.map(({ text }) => text[Symbol.asyncIterator]());
    const begun = await Promise.allSettled(readers.map((reader) => reader.next()));
    expect(begun.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 4 }, () => 'fulfilled'),
      ...Array.from({ length: 2 }, () => 'rejected'),
    ]);
    expect(begun[4]).toMatchObject({ reason: { code: 'queue_full' } });
    for (const reader of readers) await reader.return?.();
    for await (const _ of (await m.acts['audit.export'](OPERATOR, {})).text);
  });

  test('a question that cannot be understood says what can', async () => {
    await expect(
      m.acts['audit.query'](OPERATOR, { since: 'Friday', effect: 'bad', status: 99, limit: 1_001, colour: 1 }),
    ).rejects.toMatchObject({
      message:
        'since: expected an ISO time such as 2026-11-23T10:00:00Z, or 15m, 2h, 7d ago, got "Friday"; ' +
        'effect: expected one of read, change, disruptive, destructive, got "bad"; ' +
        'status: expected a whole number, 100 to 599, got 99; ' +
        'limit: expected a whole number, 1 to 1000, got 1001; ' +
        'colour: expected no such field',
    });
  });
});
