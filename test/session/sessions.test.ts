import { createHmac, hash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { GatewayError } from '../../src/domain/errors.ts';
import type { Person } from '../../src/domain/person.ts';
import { settled } from '../support/virtual-clock.ts';
import { openTestRoom, SECRET, type TestRoom } from './room.ts';

let room: TestRoom;

beforeEach(async () => {
  room = await openTestRoom();
});

afterEach(async () => {
  expect(room.bugs).toEqual([]);
  await room[Symbol.asyncDispose]();
});

const look = (cookie: string | undefined, path = '/auth/session?slide=false') =>
  room.ask('GET', path, { cookie, headers: room.page });
const signed = (id: string, secret = SECRET): string =>
  `mason-gateway=${encodeURIComponent(`s:${id}.${createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')}`)}`;
const idIn = (cookie: string): string =>
  decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
    .slice(2)
    .split('.')[0] ?? '';
const digestOf = (cookie: string): string => hash('sha256', idIn(cookie), 'base64url');
const rows = () => room.store.sessions.list(1_000);
const acts = () => room.events.map((event) => ('act' in event ? event.act : event.kind));

/** A promise that a test lets go. */
function gate(): { opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe('B1: an id is drawn here or it is nobody', () => {
  test('a signed cookie with an id that was never given out is refused, and nothing is stored', async () => {
    const answer = await look(signed(randomBytes(32).toString('base64url')));
    expect(answer.status).toBe(401);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(await rows()).toEqual([]);
  });

  test('ids have 256 random bits, and never come twice', async () => {
    const ids = new Set<string>();
    for (let count = 0; count < 20; count += 1) ids.add(idIn(await room.signIn()));
    expect(ids.size).toBe(20);
    for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(32);
  });

  const good = signed(randomBytes(32).toString('base64url'));
  test.each([
    ['empty', 'mason-gateway='],
    ['unsigned', `mason-gateway=${randomBytes(32).toString('base64url')}`],
    ['a signature of another secret', signed(randomBytes(32).toString('base64url'), 'x'.repeat(43))],
    ['bad percent', 'mason-gateway=s%3A%E0%A4%A'],
    ['half a percent', 'mason-gateway=%'],
    ['64 KB', `mason-gateway=${'a'.repeat(60_000)}`],
    ['64 KB of percents', `mason-gateway=${'%41'.repeat(20_000)}`],
    ['not ASCII', 'mason-gateway=\u00e9\u00ff'],
    ['quoted', `${good.replace('=', '="')}"`],
    ['twice', `${good}; ${good}`],
    ['no value at all', 'mason-gateway'],
    ['thousands of others', `${'a=b; '.repeat(12_000)}mason-gateway=x`],
    ['an id of another form, well signed', signed('short')],
    ['an empty id, well signed', signed('')],
    ['a path as id, well signed', signed('../../etc/passwd')],
  ])('a cookie that is %s gives 401, never 500', async (_what, cookie) => {
    const answer = await look(cookie);
    expect([answer.status, answer.json.type]).toEqual([401, 'authentication_error']);
  });

  test('an id of another form is not even looked up, though its signature is good', async () => {
    const operations: string[] = [];
    room.trouble.before = async (operation) => void operations.push(operation);
    for (const id of ['short', '', '../../etc/passwd', 'x'.repeat(44), `${'x'.repeat(42)}\u00e9`]) {
      expect((await look(signed(id))).status).toBe(401);
    }
    expect(operations).toEqual([]);
    await look(good);
    expect(operations).toEqual(['find']);
  });

  test('the same cookie twice is refused though each is good: one of them may be planted', async () => {
    const cookie = await room.signIn();
    expect((await look(cookie)).status).toBe(200);
    expect((await look(`${cookie}; ${cookie}`)).json.message).toMatch(/expected one cookie/);
    const sent = await room.ask('GET', '/auth/session', { headers: { ...room.page, Cookie: [cookie, cookie] } });
    expect(sent.status).toBe(401);
  });

  test('cookies of other names beside it do not matter', async () => {
    const cookie = await room.signIn();
    expect((await look(`a=1; xmason-gateway=2; ${cookie};b; =c`)).status).toBe(200);
  });
});

describe('B2: signing in gives a new id', () => {
  test('a cookie that was planted is not the one that is signed in, and dies', async () => {
    const planted = await room.signIn('Mallory');
    const secret = await room.newLink('Grace');
    const answer = await room.ask('POST', '/auth/link', { cookie: planted, headers: room.page, body: { secret } });
    expect(answer.status).toBe(200);
    expect(idIn(answer.cookie ?? '')).not.toBe(idIn(planted));
    expect((await look(planted)).status).toBe(401);
    expect((await look(answer.cookie)).json.person.name).toBe('Grace');
  });

  test('an id that somebody made up and signed is not taken over', async () => {
    const planted = signed(randomBytes(32).toString('base64url'));
    const answer = await room.ask('POST', '/auth/link', {
      cookie: planted,
      headers: room.page,
      body: { secret: await room.newLink() },
    });
    expect(idIn(answer.cookie ?? '')).not.toBe(idIn(planted));
  });
});

describe('B3: a sign-in answers once the session is stored', () => {
  test('where it cannot be, 503 and no cookie', async () => {
    const secret = await room.newLink();
    room.trouble.before = async (operation) => {
      if (operation === 'add') throw new GatewayError('store_unavailable', 'away', { retryAfterMs: 1_000 });
    };
    const answer = await room.ask('POST', '/auth/link', { headers: room.page, body: { secret } });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([503, undefined]);
    expect(answer.headers['retry-after']).toBe('1');
    expect(acts()).not.toContain('session.start');
    expect(await rows()).toEqual([]);
  });

  test('where what comes after storing fails, no cookie either', async () => {
    const secret = await room.newLink();
    room.trouble.before = async (operation) => {
      if (operation === 'listByPerson') throw new GatewayError('store_unavailable', 'away');
    };
    const answer = await room.ask('POST', '/auth/link', { headers: room.page, body: { secret } });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([503, undefined]);
  });

  test('nothing is answered while it is being stored', async () => {
    const secret = await room.newLink();
    const storing = gate();
    const asked = gate();
    room.trouble.before = async (operation) => {
      if (operation !== 'add') return;
      asked.open();
      await storing.opened;
    };
    let isAnswered = false;
    const answering = room.ask('POST', '/auth/link', { headers: room.page, body: { secret } }).then((answer) => {
      isAnswered = true;
      return answer;
    });
    await asked.opened;
    await settled();
    expect(isAnswered).toBe(false);
    storing.open();
    expect((await look((await answering).cookie)).status).toBe(200);
  });
});

describe('B4: nobody is nobody', () => {
  test('1,000 anonymous requests store nothing and set no cookie', async () => {
    const paths = [
      '/',
      '/auth/account',
      '/auth/session',
      '/auth/link',
      '/auth/whoami',
      '/auth/login',
      '/v1/default/device',
      '/x',
    ];
    const operations: string[] = [];
    room.trouble.before = async (operation) => void operations.push(operation);
    for (let round = 0; round < 125; round += 1) {
      const answers = await Promise.all(paths.map((path) => room.ask('GET', path, { headers: room.page })));
      for (const answer of answers) expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect(await rows()).toEqual([]);
    expect(operations).toEqual([]);
  });
});

describe('B5: sessions end by themselves', () => {
  test('after the idle time without use, on the server', async () => {
    const cookie = await room.signIn();
    await room.clock.advance(1_799_000);
    expect((await look(cookie)).json.secondsLeft).toBe(1);
    await room.clock.advance(1_000);
    const answer = await look(cookie);
    expect([answer.status, answer.json.message]).toEqual([401, expect.stringMatching(/not used for too long/)]);
  });

  test('after the absolute time, however busy', async () => {
    const cookie = await room.signIn();
    for (let minutes = 0; minutes < 470; minutes += 10) {
      await room.clock.advance(600_000);
      expect((await look(cookie, '/auth/session')).status).toBe(200);
    }
    expect((await look(cookie, '/auth/session')).json.secondsLeft).toBe(600);
    await room.clock.advance(600_000);
    expect((await look(cookie)).json.message).toMatch(/full length/);
  });

  test('a use is known at once here, and written down soon for the other gateways', async () => {
    await using other = await openTestRoom({ beside: room });
    const cookie = await room.signIn();
    await room.clock.advance(1_790_000);
    await look(cookie, '/auth/session');
    await room.clock.advance(6_000);
    await room.clock.advance(1_000_000);
    const answer = await other.ask('GET', '/auth/session?slide=false', { cookie, headers: room.page });
    expect(answer.json.secondsLeft).toBe(1_800 - 1_006);
  });

  test('a use that could not be written down is not lost', async () => {
    const cookie = await room.signIn();
    await room.clock.advance(1_000_000);
    await look(cookie, '/auth/session');
    room.trouble.before = async (operation) => {
      if (operation === 'touch') throw new GatewayError('store_unavailable', 'away');
    };
    await room.clock.advance(30_000);
    room.trouble.before = undefined;
    await room.clock.advance(6_000);
    await room.clock.advance(1_000_000);
    expect((await look(cookie)).status).toBe(200);
  });

  test('a use counts while it is being written down, however long that takes', async () => {
    const cookie = await room.signIn();
    await room.clock.advance(1_790_000);
    await look(cookie, '/auth/session');
    const writing = gate();
    room.trouble.before = async (operation) => (operation === 'touch' ? writing.opened : undefined);
    await room.clock.advance(20_000);
    expect((await look(cookie)).status).toBe(200);
    writing.open();
  });

  test('what ended is swept away', async () => {
    await room.signIn();
    expect(await rows()).toHaveLength(1);
    await room.clock.advance(1_800_000 + 1_300_000);
    expect(await rows()).toEqual([]);
  });
});

test('B6: a page that only looks how long it has keeps nothing alive', async () => {
  const cookie = await room.signIn();
  for (let looks = 0; looks < 29; looks += 1) {
    await room.clock.advance(60_000);
    expect((await look(cookie)).json.secondsLeft).toBe(1_800 - 60 * (looks + 1));
  }
  expect((await look(cookie, '/auth/session')).json.secondsLeft).toBe(1_800);
});

describe('B7: a logout wins', () => {
  test('over a request in flight, which revives nothing', async () => {
    const cookie = await room.signIn();
    await room.clock.advance(600);
    const slow = gate();
    const asked = gate();
    room.trouble.before = async (operation) => {
      if (operation !== 'listByPerson') return;
      asked.open();
      await slow.opened;
    };
    const inFlight = room.ask('GET', '/auth/sessions', { cookie, headers: room.page });
    await asked.opened;
    const logout = await room.ask('POST', '/auth/logout', { cookie, headers: room.page });
    expect(logout.status).toBe(204);
    slow.open();
    await inFlight;
    await room.clock.advance(20_000);
    expect((await look(cookie)).status).toBe(401);
    expect(await rows()).toEqual([]);
  });

  test('over a look-up in flight: who asked before and hears after is refused', async () => {
    const cookie = await room.signIn();
    await room.clock.advance(600);
    const found = gate();
    const asked = gate();
    let isFirst = true;
    const { sessions } = room.store;
    room.trouble.before = async (operation) => {
      if (operation !== 'find' || !isFirst) return;
      isFirst = false;
      // The row is read before the logout, and arrives after it.
      const row = await sessions.find(digestOf(cookie));
      expect(row).toBeDefined();
      asked.open();
      await found.opened;
    };
    const checking = room.browsers.check(digestOf(cookie));
    await asked.opened;
    await room.browsers.end({ digest: digestOf(cookie) });
    found.open();
    await expect(checking).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('over a person looked up meanwhile', async () => {
    const asked = gate();
    const found = gate();
    const people = new Map<string, Person>();
    await using slow = await openTestRoom({
      person: async (id) => {
        asked.open();
        await found.opened;
        return people.get(id);
      },
    });
    const cookie = await slow.signIn();
    for (const [id, person] of slow.people) people.set(id, person);
    const checking = slow.browsers.check(digestOf(cookie));
    await asked.opened;
    await slow.browsers.end({ digest: digestOf(cookie) });
    found.open();
    await expect(checking).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('over calls under way: they are told before the logout is answered', async () => {
    const cookie = await room.signIn();
    const told: string[] = [];
    room.browsers.onEnded((digest) => told.push(digest));
    const ending = room.browsers.end({ digest: digestOf(cookie) }).then(() => told.push('answered'));
    await ending;
    expect(told).toEqual([digestOf(cookie), 'answered']);
    await expect(room.browsers.check(digestOf(cookie))).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('over 50 parallel calls: none gets through after the answer', async () => {
    const cookie = await room.signIn();
    const call = () => room.ask('GET', '/v1/default/device', { cookie, headers: room.page });
    const before = Array.from({ length: 50 }, call);
    await room.ask('POST', '/auth/logout', { cookie, headers: room.page });
    const sent = room.hits.length;
    const after = await Promise.all(Array.from({ length: 50 }, call));
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([401]));
    await Promise.all(before);
    expect(room.hits.length).toBe(sent);
  });

  test('here, over a session that another gateway ended a moment ago and this one remembers', async () => {
    const cookie = await room.signIn();
    await look(cookie);
    await room.store.sessions.end({ digest: digestOf(cookie) });
    expect((await look(cookie)).status).toBe(200);
    expect((await room.ask('POST', '/auth/logout', { cookie, headers: room.page })).status).toBe(204);
    expect((await look(cookie)).status).toBe(401);
  });
});

describe('a session that ended elsewhere', () => {
  test('is refused here half a second later', async () => {
    await using other = await openTestRoom({ beside: room });
    const cookie = await room.signIn();
    expect((await other.ask('GET', '/auth/session', { cookie, headers: room.page })).status).toBe(200);
    await room.ask('POST', '/auth/logout', { cookie, headers: room.page });
    await room.clock.advance(500);
    expect((await other.ask('GET', '/auth/session', { cookie, headers: room.page })).status).toBe(401);
  });

  test('ends its calls under way here within a second, though nobody asks', async () => {
    const cookie = await room.signIn();
    const digest = digestOf(cookie);
    const told: string[] = [];
    room.browsers.onEnded((ended) => told.push(ended));
    room.inUse.add(digest);
    await room.clock.advance(5_000);
    expect(told).toEqual([]);
    // It is asked for just before: what is remembered must not hide that it ended.
    const sinceWatchMs = (room.clock.now() - 1_000) % 750;
    await room.clock.advance(750 - sinceWatchMs + 500);
    expect((await look(cookie)).status).toBe(200);
    await room.store.sessions.end({ digest });
    await room.clock.advance(999);
    expect(told).toEqual([digest]);
  });
});

test('B8: what is written side by side is all there', async () => {
  await using other = await openTestRoom({ beside: room });
  const cookies = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? room : other).signIn(`Person ${index}`)),
  );
  const answers = await Promise.all(cookies.map((cookie) => look(cookie)));
  expect(answers.map(({ json }) => json.person.name)).toEqual(cookies.map((_, index) => `Person ${index}`));
  expect(await rows()).toHaveLength(20);
});

describe('B9: signing out', () => {
  test('is done once and said twice: 204, 204, and nothing is left', async () => {
    const cookie = await room.signIn();
    const first = await room.ask('POST', '/auth/logout', { cookie, headers: room.page });
    const second = await room.ask('POST', '/auth/logout', { cookie, headers: room.page });
    expect([first.status, second.status]).toEqual([204, 204]);
    expect(first.headers['clear-site-data']).toBe('"storage"');
    expect(String(first.headers['set-cookie'])).toMatch(/^mason-gateway=; Path=\/; Expires=Thu, 01 Jan 1970/);
    expect(await rows()).toEqual([]);
    expect(acts().filter((act) => act === 'session.end')).toHaveLength(1);
  });

  test('works without any session, too', async () => {
    expect((await room.ask('POST', '/auth/logout', { headers: room.page })).status).toBe(204);
    expect((await room.ask('POST', '/auth/logout', { cookie: 'mason-gateway=x', headers: room.page })).status).toBe(
      204,
    );
  });

  test('cannot be done by GET, nor by another site', async () => {
    const cookie = await room.signIn();
    const got = await room.ask('GET', '/auth/logout', { cookie, headers: room.page });
    expect([got.status, got.headers['allow']]).toEqual([405, 'POST']);
    const foreign = { 'X-Requested-By': 'x', 'Sec-Fetch-Site': 'cross-site' };
    expect((await room.ask('POST', '/auth/logout', { cookie, headers: foreign })).status).toBe(403);
    expect((await look(cookie)).status).toBe(200);
  });

  test('works for a session that is idle too long, and for somebody kept out', async () => {
    const [idle, out] = [await room.signIn(), await room.signIn()];
    await room.clock.advance(1_790_000);
    await room.clock.advance(20_000);
    room.people.clear();
    expect(await rows()).toHaveLength(2);
    for (const cookie of [idle, out]) {
      expect((await room.ask('POST', '/auth/logout', { cookie, headers: room.page })).status).toBe(204);
    }
    expect(await rows()).toEqual([]);
  });

  test('is not said while the store cannot do it', async () => {
    const cookie = await room.signIn();
    room.trouble.before = async (operation) => {
      if (operation === 'end') throw new GatewayError('store_unavailable', 'away');
    };
    const answer = await room.ask('POST', '/auth/logout', { cookie, headers: room.page });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([503, undefined]);
  });
});

describe('B10: somebody who is kept out', () => {
  test.each(['disabled', 'gone'])('is out with the next request, when %s', async (how) => {
    const cookie = await room.signIn();
    const [person] = room.people.values();
    if (person === undefined) throw new Error('nobody is there');
    if (how === 'gone') room.people.delete(person.id);
    else room.people.set(person.id, { ...person, disabledAt: 1 });
    for (const path of ['/auth/session', '/auth/sessions', '/v1/default/device']) {
      expect((await room.ask('GET', path, { cookie, headers: room.page })).status).toBe(401);
    }
    expect(room.hits).toEqual([]);
  });
});

describe("B11: one can see and end one's own sessions", () => {
  test('three sign-ins are three rows, with public ids that are not in any cookie', async () => {
    const cookies: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const headers = { 'User-Agent': `${count} ${'x'.repeat(1_000)}` };
      cookies.push((await room.ask('GET', '/auth/callback?as=grace', { headers })).cookie ?? '');
      await room.clock.advance(1_000);
    }
    const [first = '', second = '', third = ''] = cookies;
    const { json, text } = await look(third, '/auth/sessions');
    expect(json.sessions).toMatchObject([
      { current: true, address: '127.0.0.1', issuer: 'https://login.test', userAgent: expect.stringMatching(/^2 x+$/) },
      { current: false },
      { current: false },
    ]);
    for (const row of json.sessions) {
      expect(row.id).toMatch(/^ses_/);
      expect(row.userAgent).toHaveLength(256);
    }
    for (const cookie of cookies) {
      expect(text).not.toContain(idIn(cookie));
      expect(text).not.toContain(digestOf(cookie));
    }
    const path = `/auth/sessions/${json.sessions[2].id}`;
    expect((await room.ask('DELETE', path, { cookie: third, headers: room.page })).status).toBe(204);
    expect((await room.ask('DELETE', path, { cookie: third, headers: room.page })).status).toBe(404);
    expect([(await look(first)).status, (await look(second)).status]).toEqual([401, 200]);
    const rest = await room.ask('DELETE', '/auth/sessions', { cookie: third, headers: room.page });
    expect(rest.json).toEqual({ ended: 1 });
    expect([(await look(second)).status, (await look(third)).status]).toEqual([401, 200]);
  });

  test("somebody else's session does not exist for them", async () => {
    const [grace, ada] = [await room.signIn('Grace'), await room.signIn('Ada')];
    const id = (await look(ada)).json.session;
    const answer = await room.ask('DELETE', `/auth/sessions/${id}`, { cookie: grace, headers: room.page });
    expect([answer.status, answer.json.type]).toEqual([404, 'not_found_error']);
    expect((await look(ada)).status).toBe(200);
  });

  test('one person has so many sessions at most: the one not used for longest goes', async () => {
    await using small = await openTestRoom({ perPersonMax: 2 });
    const begin = async () => (await small.ask('GET', '/auth/callback?as=grace')).cookie;
    const hold = async (cookie: string | undefined) =>
      (await small.ask('GET', '/auth/session', { cookie, headers: small.page })).status;
    const first = await begin();
    await small.clock.advance(1_000);
    const second = await begin();
    await small.clock.advance(1_000);
    expect(await hold(first)).toBe(200);
    await small.clock.advance(1_000);
    const third = await begin();
    expect([await hold(first), await hold(second), await hold(third)]).toEqual([200, 401, 200]);
    expect(await small.store.sessions.list(9)).toHaveLength(2);
  });

  test('a logout at the provider ends the sessions that it began, and no others', async () => {
    const mine = [1, 2].map(() => room.ask('GET', '/auth/callback?as=grace'));
    const [one, two] = (await Promise.all(mine)).map(({ cookie }) => cookie);
    const other = (await room.ask('GET', '/auth/callback?as=ada')).cookie;
    for (const cookie of [one, two, other]) expect((await look(cookie)).status).toBe(200);
    expect((await room.ask('POST', '/auth/backchannel-logout?of=grace')).json).toEqual({ ended: 2 });
    const statuses = [await look(one), await look(two), await look(other)].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 200]);
    expect(room.events.at(-1)).toMatchObject({
      act: 'session.end',
      actor: { kind: 'gateway' },
      details: { reason: 'logout at the provider', sessions: 2 },
    });
  });
});

test('B12: who has the store alone, all of it, cannot act: no id, no content, no cookie stands in it', async () => {
  const cookie = await room.signIn('Grace Hopper-Canary');
  await room.ask('POST', '/auth/ticket', { cookie, headers: room.page, body: { method: 'GET', path: '/v1/x' } });
  const files = readdirSync(room.directory).map((name) => readFileSync(join(room.directory, name)));
  const dump = Buffer.concat(files).toString('latin1');
  expect(dump).toContain(digestOf(cookie));
  for (const secret of [idIn(cookie), decodeURIComponent(cookie), SECRET]) expect(dump).not.toContain(secret);
  const [row] = await rows();
  const sealed = Buffer.from(row?.sealed ?? []).toString('latin1');
  for (const word of ['sign-in-link', '127.0.0.1', 'personId', 'per_']) expect(sealed).not.toContain(word);
});

test('B12: a sealed content that was moved to another session, or altered, opens nothing', async () => {
  const [grace, ada] = [await room.signIn('Grace'), await room.signIn('Ada')];
  const stored = await rows();
  const rowOf = (cookie: string) => stored.find(({ digest }) => digest === digestOf(cookie));
  const [mine, theirs] = [rowOf(ada), rowOf(grace)];
  if (mine === undefined || theirs === undefined) throw new Error('not stored');
  await room.store.sessions.end({ digest: mine.digest });
  await room.store.sessions.add({ ...mine, sealed: theirs.sealed });
  expect((await look(ada)).status).toBe(401);
});

describe('B13: the secret of cookies is replaced without sign-outs', () => {
  test('an old cookie is taken and set anew; once its secret is gone, it is nothing', async () => {
    const old = await room.signIn();
    const fresh = randomBytes(32).toString('base64url');
    await using rotated = await openTestRoom({ beside: room, secrets: [fresh, SECRET] });
    const answer = await rotated.ask('GET', '/auth/session', { cookie: old, headers: room.page });
    expect(answer.status).toBe(200);
    expect(answer.headers['set-cookie']).toHaveLength(1);
    expect(answer.cookie).not.toBe(old);
    expect(idIn(answer.cookie ?? '')).toBe(idIn(old));
    expect(String(answer.headers['set-cookie'])).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    const again = await rotated.ask('GET', '/auth/session', { cookie: answer.cookie, headers: room.page });
    expect([again.status, again.headers['set-cookie']]).toEqual([200, undefined]);
    await using done = await openTestRoom({ beside: room, secrets: [fresh] });
    expect((await done.ask('GET', '/auth/session', { cookie: old, headers: room.page })).status).toBe(401);
    expect((await done.ask('GET', '/auth/session', { cookie: answer.cookie, headers: room.page })).status).toBe(200);
  });
});

describe('B14: the store is away', () => {
  test('503 with Retry-After at once, and back without a restart', async () => {
    const cookie = await room.signIn();
    await room.clock.advance(600);
    room.trouble.before = async () => {
      throw new GatewayError('store_unavailable', 'away', { retryAfterMs: 1_000 });
    };
    for (const path of ['/auth/session', '/auth/sessions', '/v1/default/device']) {
      const answer = await room.ask('GET', path, { cookie, headers: room.page });
      expect([answer.status, answer.headers['retry-after'], answer.json.type]).toEqual([503, '1', 'api_error']);
    }
    expect(room.hits).toEqual([]);
    room.trouble.before = undefined;
    expect((await look(cookie)).status).toBe(200);
  });

  test('a session with calls under way is not taken for ended', async () => {
    const cookie = await room.signIn();
    room.inUse.add(digestOf(cookie));
    const told: string[] = [];
    room.browsers.onEnded((digest) => told.push(digest));
    room.trouble.before = async () => {
      throw new GatewayError('store_unavailable', 'away');
    };
    await room.clock.advance(10_000);
    expect(told).toEqual([]);
  });
});

test('B15: no session is written on the path of an answer', async () => {
  const cookie = await room.signIn();
  const touched = gate();
  let isTouching = false;
  room.trouble.before = async (operation) => {
    if (operation !== 'touch') return;
    isTouching = true;
    await touched.opened;
  };
  await look(cookie, '/auth/session');
  await room.clock.advance(6_000);
  expect(isTouching).toBe(true);
  // The writing hangs; nobody waits for it.
  expect((await room.ask('GET', '/v1/default/device', { cookie, headers: room.page })).status).toBe(200);
  expect((await look(cookie, '/auth/session')).status).toBe(200);
  touched.open();
});

test('what is remembered is at most half a second old, and 50 requests at once ask the store once', async () => {
  const cookie = await room.signIn();
  const asked: string[] = [];
  room.trouble.before = async (operation) => void asked.push(operation);
  const call = () => room.ask('GET', '/v1/default/device', { cookie, headers: room.page });
  await Promise.all(Array.from({ length: 50 }, call));
  expect(asked).toEqual(['find']);
  await room.clock.advance(499);
  await call();
  expect(asked).toEqual(['find']);
  await room.clock.advance(1);
  await call();
  expect(asked).toEqual(['find', 'find']);
});
