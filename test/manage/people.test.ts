import { hash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventLine } from '../../src/audit/event-line.ts';
import type { Administrator } from '../../src/domain/authority.ts';
import { LINK_ISSUER, type RoleGrant } from '../../src/domain/person.ts';
import { type Management, OPERATOR, openManagement, START_MS } from './management.ts';
import { signedIn, teamId } from './people-of-teams.ts';

let m: Management;
let viewer: RoleGrant;

beforeEach(async () => {
  m = await openManagement();
  for (const slug of ['alpha', 'beta']) await m.acts['team.add'](OPERATOR, { slug });
  viewer = { role: 'viewer', teamId: await teamId(m, 'alpha'), scopes: ['fleet:read'] };
});

afterEach(async () => {
  await m.close();
});

const liveSessions = async (): Promise<string[]> => (await m.acts['session.list'](OPERATOR)).data.map(({ id }) => id);

describe('people', () => {
  test('are listed with their roles, by team too', async () => {
    const ada = await signedIn(m, [viewer]);
    await signedIn(m, [{ role: 'operator', teamId: undefined, scopes: [] }]);
    expect((await m.acts['person.list'](OPERATOR)).data).toHaveLength(2);
    expect((await m.acts['person.list'](OPERATOR, { team: 'beta' })).data).toEqual([]);
    expect((await m.acts['person.list'](OPERATOR, { team: 'alpha' })).data).toEqual([
      {
        id: ada.id,
        name: ada.name,
        issuer: 'https://login.example.com',
        subject: ada.subject,
        grants: [{ role: 'viewer', team: 'alpha', scopes: ['fleet:read'] }],
        pinned: false,
        disabledAt: null,
        createdAt: new Date(START_MS).toISOString(),
        lastSignInAt: new Date(START_MS).toISOString(),
      },
    ]);
  });

  test('roles given by hand hold at once, in sessions that live, and no sign-in takes them back', async () => {
    const ada = await signedIn(m, [viewer]);
    const grants = [
      { role: 'lead', team: 'alpha' },
      { role: 'member', team: 'beta', scopes: ['Fleet:READ'] },
      { role: 'auditor' },
    ];
    expect(await m.acts['person.set'](OPERATOR, { id: ada.id, grants })).toMatchObject({
      pinned: true,
      sessionsEnded: 0,
      grants: [
        { role: 'lead', team: 'alpha', scopes: ['account:owner'] },
        { role: 'member', team: 'beta', scopes: ['fleet:read'] },
        { role: 'auditor', team: null, scopes: [] },
      ],
    });
    expect(await liveSessions()).toEqual(ada.sessionIds);
    const { id, issuer, subject, name } = ada;
    const again = await m.store.people.signIn({ id, issuer, subject, name, grants: [viewer], at: START_MS + 1 });
    expect(again.grants).toHaveLength(3);
    expect(m.record.events.filter(({ act }) => act === 'person.set').at(-1)).toMatchObject({
      details: { id: ada.id, rolesBefore: 'viewer@alpha', roles: 'lead@alpha member@beta auditor' },
    });
  });

  test('roles left to claims do not outlast the session in which they were given by hand', async () => {
    const ada = await signedIn(m, [viewer], { sessions: 2 });
    await m.acts['person.set'](OPERATOR, { id: ada.id, grants: [{ role: 'operator' }] });
    const set = await m.acts['person.set'](OPERATOR, { id: ada.id, grants: 'claims' });
    expect(set).toMatchObject({ pinned: false, sessionsEnded: 2 });
    expect(await liveSessions()).toEqual([]);
    const { id, issuer, subject, name } = ada;
    const again = await m.store.people.signIn({ id, issuer, subject, name, grants: [viewer], at: START_MS + 1 });
    expect(again.grants).toEqual([viewer]);
  });

  test('who came by a link has no claims to go back to', async () => {
    const guest = await signedIn(m, [viewer], { issuer: LINK_ISSUER });
    await expect(m.acts['person.set'](OPERATOR, { id: guest.id, grants: 'claims' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test.each([
    [
      [{ role: 'operator', team: 'alpha' }],
      'grants.0.team: expected no team for an operator, who has all, got "alpha"',
    ],
    [[{ role: 'lead' }], 'grants.0.team: expected the team in which somebody becomes lead, got nothing'],
    [
      [{ role: 'auditor', scopes: ['fleet:read'] }],
      'grants.0.scopes: expected no scopes for the role auditor, which calls nothing, got a list of 1',
    ],
    [[{ role: 'king' }], 'grants.0.role: expected one of viewer, member, lead, auditor, operator, got "king"'],
    [
      [
        { role: 'lead', team: 'alpha' },
        { role: 'lead', team: 'alpha', scopes: ['fleet:read'] },
      ],
      'grants: expected each role of a team once, got lead@alpha again',
    ],
    [[{ role: 'lead', team: 'gone' }], 'there is no team gone'],
  ])('roles %j are refused, and nothing changes', async (grants, message) => {
    const ada = await signedIn(m, [viewer]);
    await expect(m.acts['person.set'](OPERATOR, { id: ada.id, grants })).rejects.toMatchObject({ message });
    expect((await m.store.people.findById(ada.id))?.grants).toEqual([viewer]);
  });

  test('all roles can be taken away, and the next sign-in does not bring them back', async () => {
    const ada = await signedIn(m, [viewer]);
    expect(await m.acts['person.set'](OPERATOR, { id: ada.id, grants: [] })).toMatchObject({
      grants: [],
      pinned: true,
    });
    expect((await m.store.people.findById(ada.id))?.grants).toEqual([]);
  });

  test('who is disabled loses every session at once, and keeps the time of the first disabling', async () => {
    const ada = await signedIn(m, [viewer], { sessions: 3 });
    const other = await signedIn(m, [viewer]);
    const disabledAt = new Date(START_MS).toISOString();
    const disable = () => m.acts['person.disable'](OPERATOR, { id: ada.id });
    expect(await disable()).toMatchObject({ disabledAt, sessionsEnded: 3 });
    expect(m.ended).toEqual([[{ personId: ada.id }, 'person disabled']]);
    expect(await liveSessions()).toEqual(other.sessionIds);
    m.clock.ms = 1_000;
    expect(await disable()).toMatchObject({ disabledAt, sessionsEnded: 0 });
    expect(await m.acts['person.enable'](OPERATOR, { id: ada.id })).toMatchObject({ disabledAt: null });
  });

  test('sessions end after the person is kept out, or one could begin in between', async () => {
    const ada = await signedIn(m, [viewer]);
    const seen: unknown[] = [];
    const end = m.store.sessions.end;
    m.store.sessions.end = async (which) => {
      seen.push((await m.store.people.findById(ada.id))?.disabledAt);
      return await end(which);
    };
    await m.acts['person.disable'](OPERATOR, { id: ada.id });
    await m.acts['person.remove'](OPERATOR, { id: ada.id });
    expect(seen).toEqual([START_MS, undefined]);
  });

  test('who is removed is forgotten, with every session', async () => {
    const ada = await signedIn(m, [viewer], { sessions: 2 });
    expect(await m.acts['person.remove'](OPERATOR, { id: ada.id })).toEqual({ removed: ada.id, sessionsEnded: 2 });
    expect([await m.store.people.list(), await liveSessions()]).toEqual([[], []]);
    for (const act of ['person.remove', 'person.enable', 'person.disable'] as const) {
      await expect(m.acts[act](OPERATOR, { id: ada.id })).rejects.toMatchObject({
        code: 'not_found',
        message: `there is no person ${ada.id}`,
      });
    }
  });

  test('whoever is erased is in no byte of the record by name, and the record is shown without it from then on', async () => {
    const ada = await signedIn(m, [viewer], { sessions: 2 });
    const by: Administrator = { ...OPERATOR, actor: { kind: 'person', personId: ada.id } };
    await m.acts['link.create'](by, { name: 'Ada again', grants: [{ role: 'member', team: 'alpha' }] });
    await m.acts['link.create'](by, { name: 'Ada again', grants: [{ role: 'member', team: 'none' }] }).catch(() => 0);
    await m.acts['person.disable'](by, { id: ada.id });
    const shown = async (): Promise<string> =>
      JSON.stringify((await m.acts['audit.query'](OPERATOR, { person: ada.id })).data.map(({ event }) => event));
    expect(await shown()).toContain(`"person":${JSON.stringify(ada.name)}`);
    expect(await shown()).toContain(`"personName":${JSON.stringify(ada.name)}`);
    await m.acts['person.remove'](OPERATOR, { id: ada.id });
    expect(await shown()).toContain(ada.name);

    expect(await m.acts['person.erase'](OPERATOR, { id: ada.id })).toEqual({ erased: ada.id, sessionsEnded: 0 });
    expect(await shown()).not.toContain(ada.name);
    const bytes = m.record.events.map(eventLine).join('');
    expect(bytes).toContain('"act":"person.erase"');
    for (const personal of [ada.name, ada.subject, 'Ada again']) expect(bytes).not.toContain(personal);
    await expect(m.acts['person.erase'](OPERATOR, { id: ada.id })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('a role in a team that went is not shown: it leads nowhere', async () => {
    const ada = await signedIn(m, [viewer]);
    await m.acts['team.remove'](OPERATOR, { team: 'alpha' });
    expect((await m.acts['person.list'](OPERATOR)).data).toMatchObject([{ id: ada.id, grants: [] }]);
  });
});

describe('sessions', () => {
  test('are shown without anything that would let somebody act', async () => {
    const ada = await signedIn(m, [viewer], { sessions: 2 });
    await signedIn(m, [viewer]);
    const { data } = await m.acts['session.list'](OPERATOR, { person: ada.id });
    const [id] = ada.sessionIds;
    expect(data).toHaveLength(2);
    expect(data[0]).toEqual({
      id,
      personId: ada.id,
      person: ada.name,
      lastSeenAt: new Date(START_MS).toISOString(),
      endsAt: new Date(START_MS + 3_600_000).toISOString(),
    });
    m.clock.ms = 3_600_000;
    expect(await liveSessions()).toEqual([]);
  });

  test('end one by one, once', async () => {
    const ada = await signedIn(m, [viewer], { sessions: 2 });
    const [id, other] = ada.sessionIds;
    expect(await m.acts['session.end'](OPERATOR, { id })).toEqual({ ended: id });
    expect(m.ended).toEqual([[{ id }, 'ended by an operator']]);
    expect(await liveSessions()).toEqual([other]);
    await expect(m.acts['session.end'](OPERATOR, { id })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a sign-in link', () => {
  test('is shown once; the store has a digest of it, and the record nothing', async () => {
    const grants = [{ role: 'lead', team: 'alpha' }];
    const link = await m.acts['link.create'](OPERATOR, { name: 'Ada', grants });
    expect(link).toEqual({
      id: expect.stringMatching(/^lnk_[0-9a-z]{20}$/),
      secret: expect.stringMatching(/^[\w-]{43}$/),
      path: `/auth/link#${link.secret}`,
      url: null,
      name: 'Ada',
      grants: [{ role: 'lead', team: 'alpha', scopes: ['account:owner'] }],
      endsAt: new Date(START_MS + 600_000).toISOString(),
    });
    const digest = hash('sha256', link.secret, 'base64url');
    expect(JSON.stringify(m.record.events)).not.toContain(link.secret);
    expect(JSON.stringify(m.record.events)).not.toContain(digest);
    expect(m.record.events.at(-1)?.details).toEqual({ linkId: link.id, roles: 'lead@alpha' });
    const taken = await m.store.links.take(digest, START_MS + 599_999);
    expect(taken).toMatchObject({ id: link.id, name: 'Ada', grants: [{ role: 'lead', teamId: viewer.teamId }] });
  });

  test('is worth nothing after ten minutes', async () => {
    const link = await m.acts['link.create'](OPERATOR, { grants: [{ role: 'operator' }] });
    expect(await m.store.links.take(hash('sha256', link.secret, 'base64url'), START_MS + 600_000)).toBeUndefined();
  });
});
