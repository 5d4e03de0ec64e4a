import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { requestFor } from '../../src/admin/routes.ts';
import { OPERATES } from '../../src/domain/authority.ts';
import type { ActName } from '../../src/manage/acts.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const OPERATOR = { actor: { kind: 'operator' }, authority: OPERATES } as const;
const FRONTEND = 'http://localhost:5173';

type Who = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  readonly body: any;
}

let simulator: SimulatorProcess;
let gateway: TestGateway;
let acts: TestGateway['gateway']['acts'];

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`]);
  gateway = await startGateway({
    masonUrl: simulator.url,
    settings: { frontends: [{ origin: FRONTEND, teams: ['alpha'] }] },
  });
  acts = gateway.gateway.acts;
  await acts['app.add'](OPERATOR, { team: 'alpha', name: 'robot' });
  await acts['team.add'](OPERATOR, { slug: 'beta' });
  await acts['app.add'](OPERATOR, { team: 'beta', name: 'theirs' });
  const key = { team: 'beta', name: 'key-1', key: 'beta-key-0123456789', scopes: ['fleet:read'], limit: '10/1s' };
  await acts['key.add'](OPERATOR, key);
});

afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

/** A page of the gateway's own, after somebody signed in by a link with these roles. */
async function page(...grants: { role: string; team?: string; scopes?: string[] }[]): Promise<Who> {
  const { secret } = await acts['link.create'](OPERATOR, { name: grants.map(({ role }) => role).join(' '), grants });
  const headers = { 'x-requested-by': 'page', 'sec-fetch-site': 'same-origin' };
  const signedIn = await fetch(`${gateway.url}/auth/link`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ secret }),
  });
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0];
  if (cookie === undefined) throw new Error(`no session: ${signedIn.status} ${await signedIn.text()}`);
  return { ...headers, cookie };
}

async function token(scopes: string[], more: Record<string, unknown> = {}): Promise<Who> {
  return { authorization: `Bearer ${await gateway.token({ app: 'robot', scopes, effects: 'change', ...more })}` };
}

async function ask(who: Who, method: string, target: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(gateway.url + target, {
    method,
    redirect: 'manual',
    headers: { ...who, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: answer.status, body: isJson && text !== '' ? JSON.parse(text) : text };
}

function perform(who: Who, act: ActName, input: Readonly<Record<string, unknown>>): Promise<Answer> {
  const { method, target, body } = requestFor(act, input);
  return ask(who, method, target, body);
}

interface LiveOperation {
  readonly act: ActName;
  readonly need: 'operator' | 'team' | 'audit' | 'usage' | 'anyone';
  readonly method: string;
  readonly path: string;
}

const key = { team: 'nobody', name: 'nothing' };
const person = { id: 'per_nobody' };

/** A sound input for each act, about things that are not there where that can be. */
const SOUND_INPUTS: Readonly<Record<ActName, Readonly<Record<string, unknown>>>> = {
  'team.add': { slug: 'gamma' },
  'team.list': {},
  'team.set': { team: 'nobody', name: 'Nobody' },
  'team.remove': { team: 'nobody' },
  'key.add': { ...key, key: 'nobodys-key-0123456789', scopes: ['fleet:read'] },
  'key.list': {},
  'key.set': { ...key, limit: '1/1s' },
  'key.test': key,
  'key.rotate': { ...key, key: 'nobodys-key-0123456789' },
  'key.forget': key,
  'key.remove': key,
  'budget.list': {},
  'budget.set': { name: 'nothing', limit: '1/1s' },
  'limit.show': { budget: 'nothing' },
  'limit.forget': { budget: 'nothing' },
  'app.add': key,
  'app.list': {},
  'app.set': { ...key, weight: 1 },
  'app.remove': key,
  'token.create': { team: 'nobody', app: 'nothing', scopes: ['fleet:read'] },
  'token.list': {},
  'token.rotate': { id: 'tok_nobody' },
  'token.revoke': { id: 'tok_nobody' },
  'token.revoke_leaked': { tokens: ['nothing'] },
  'person.list': {},
  'person.set': { ...person, grants: [{ role: 'operator' }] },
  'person.disable': person,
  'person.enable': person,
  'person.remove': person,
  'person.erase': person,
  'session.list': {},
  'session.end': { id: 'ses_nobody' },
  'stream.list': {},
  'stream.end': { id: '0199d1a4-3c1e-7000-8000-000000000000' },
  'link.create': { grants: [{ role: 'operator' }] },
  apply: { teams: {} },
  'audit.query': {},
  'audit.prune.preview': {},
  'audit.prune': {},
  'audit.export': {},
  'audit.sinks': {},
  'audit.keys': {},
  'audit.key.rotate': {},
  'audit.show': { requestId: 'nothing' },
  'usage.query': {},
};

/** What the live gateway says of itself; that it is true is another test's. */
async function liveOperations(): Promise<LiveOperation[]> {
  const { body } = await ask({}, 'GET', '/admin/v1/openapi.json');
  return Object.entries<Record<string, { operationId: ActName; 'x-need': LiveOperation['need'] }>>(body.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods)
        .filter(([, operation]) => operation['x-need'] !== undefined)
        .map(([method, operation]) => ({
          act: operation.operationId,
          need: operation['x-need'],
          method: method.toUpperCase(),
          // Names that nobody has: what is allowed finds nothing to do.
          path: path.replaceAll(/\{\w+\}/g, 'nothing'),
        })),
  );
}

describe('Who may manage what', () => {
  const may: Record<string, readonly LiveOperation['need'][]> = {
    nobody: [],
    viewer: [],
    member: [],
    lead: ['team', 'audit', 'usage', 'anyone'],
    auditor: ['audit', 'usage', 'anyone'],
    'auditor of all': ['audit', 'usage', 'anyone'],
    operator: ['operator', 'team', 'audit', 'usage', 'anyone'],
    'a token for calls': [],
    'a token with gateway:usage': ['usage', 'anyone'],
    'a token with gateway:audit': ['audit', 'usage', 'anyone'],
    'a token with gateway:admin': ['team', 'audit', 'usage', 'anyone'],
  };

  test('each role and scope × each route of the live gateway: what is not theirs is refused, in words', async () => {
    const who: Record<string, Who> = {
      nobody: {},
      viewer: await page({ role: 'viewer', team: 'alpha' }),
      member: await page({ role: 'member', team: 'alpha' }),
      lead: await page({ role: 'lead', team: 'alpha' }),
      auditor: await page({ role: 'auditor', team: 'alpha' }),
      'auditor of all': await page({ role: 'auditor' }),
      operator: await page({ role: 'operator' }),
      'a token for calls': await token(['account:owner'], { effects: 'destructive' }),
      'a token with gateway:usage': await token(['gateway:usage']),
      'a token with gateway:audit': await token(['gateway:audit']),
      'a token with gateway:admin': await token(['gateway:admin']),
    };
    const operations = await liveOperations();
    expect(operations.length).toBeGreaterThan(30);
    for (const [name, headers] of Object.entries(who)) {
      for (const { act, need } of operations) {
        const { status, body } = await perform(headers, act, SOUND_INPUTS[act]);
        const refused = name === 'nobody' ? 401 : 403;
        const outcome = status === 401 || status === 403 ? status : 'let in';
        expect([name, act, outcome]).toEqual([name, act, may[name]?.includes(need) ? 'let in' : refused]);
        if (outcome === 'let in') expect([200, 201, 404, 409]).toContain(status);
        if (status >= 400) expect([name, act, Object.keys(body)]).toEqual([name, act, ['type', 'message']]);
      }
    }
  });

  test('a lead, and a token of a team, find nothing of another team’s: it answers as what is not there', async () => {
    const theirs = await acts['token.create'](OPERATOR, { team: 'beta', app: 'theirs', scopes: ['fleet:read'] });
    const { data } = await acts['audit.query'](OPERATOR, { team: 'beta', limit: 1 });
    const requestId = String(data[0]?.event['requestId']);
    const key = { key: 'another-key-0123456789', scopes: ['fleet:read'] };
    const foreign: [ActName, Record<string, unknown>, Record<string, unknown>][] = [
      ['key.add', { team: 'beta', name: 'x', ...key }, { team: 'nobody', name: 'x', ...key }],
      ['key.list', { team: 'beta' }, { team: 'nobody' }],
      ['key.set', { team: 'beta', name: 'key-1', limit: '1/1s' }, { team: 'nobody', name: 'key-1', limit: '1/1s' }],
      ['key.test', { team: 'beta', name: 'key-1' }, { team: 'nobody', name: 'key-1' }],
      [
        'key.rotate',
        { team: 'beta', name: 'key-1', key: 'x-0123456789' },
        { team: 'nobody', name: 'key-1', key: 'x-0123456789' },
      ],
      ['key.forget', { team: 'beta', name: 'key-1' }, { team: 'nobody', name: 'key-1' }],
      ['key.remove', { team: 'beta', name: 'key-1' }, { team: 'nobody', name: 'key-1' }],
      ['budget.set', { name: 'beta-key-1', limit: '1/1s' }, { name: 'nobody-key-1', limit: '1/1s' }],
      ['app.add', { team: 'beta', name: 'x' }, { team: 'nobody', name: 'x' }],
      ['app.list', { team: 'beta' }, { team: 'nobody' }],
      ['app.set', { team: 'beta', name: 'theirs', weight: 9 }, { team: 'nobody', name: 'theirs', weight: 9 }],
      ['app.remove', { team: 'beta', name: 'theirs' }, { team: 'nobody', name: 'theirs' }],
      [
        'token.create',
        { team: 'beta', app: 'theirs', scopes: ['fleet:read'] },
        { team: 'nobody', app: 'theirs', scopes: ['fleet:read'] },
      ],
      ['token.list', { team: 'beta' }, { team: 'nobody' }],
      ['token.rotate', { id: theirs.id }, { id: 'tok_nobody' }],
      ['token.revoke', { id: theirs.id }, { id: 'tok_nobody' }],
      ['audit.show', { requestId }, { requestId: 'nobody' }],
    ];
    const before = await gateway.record({ team: 'beta', kind: 'admin', limit: 1_000 });
    for (const who of [await page({ role: 'lead', team: 'alpha' }), await token(['gateway:admin', 'gateway:audit'])]) {
      for (const [act, there, absent] of foreign) {
        const [found, missing] = [await perform(who, act, there), await perform(who, act, absent)];
        expect([act, found.status]).toEqual([act, 404]);
        const plain = (text: string): string =>
          text
            .replaceAll(/tok_\w+/g, '<token>')
            .replaceAll(requestId, '<team>')
            .replaceAll(/beta|nobody/g, '<team>');
        expect([act, plain(found.body.message)]).toEqual([act, plain(missing.body.message)]);
      }
      for (const act of ['team.list', 'key.list', 'budget.list', 'app.list', 'token.list', 'audit.query'] as const) {
        const { status, body } = await perform(who, act, {});
        expect([act, status]).toEqual([act, 200]);
        expect(JSON.stringify(body.data)).not.toContain('beta');
      }
    }
    // Nothing was done to them; and nothing of what was tried stands on their record as theirs.
    expect(await gateway.record({ team: 'beta', kind: 'admin', limit: 1_000 })).toEqual(before);
    expect(await gateway.call(theirs.token, '/v1/default/device?limit=1')).toMatchObject({ status: 502 });
  });

  test('a team in a header or in the query changes nothing about whose things they are', async () => {
    const lead = await page({ role: 'lead', team: 'alpha' });
    const { status, body } = await ask({ ...lead, 'gateway-team': 'beta' }, 'GET', '/admin/v1/apps');
    expect([status, JSON.stringify(body).includes('beta')]).toEqual([200, false]);
  });
});

describe('Only a page of our own', () => {
  test('the cookie without X-Requested-By is refused on every route and method of the live gateway', async () => {
    const { 'x-requested-by': _, ...bare } = await page({ role: 'operator' });
    const paths = new Set((await liveOperations()).map(({ path }) => path));
    const since = Date.now();
    let asked = 0;
    for (const path of [...paths, '/admin/v1', '/admin/v1/nothing']) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
        for (const site of ['same-origin', 'none', 'cross-site']) {
          const { status } = await ask({ ...bare, 'sec-fetch-site': site }, method, path);
          expect([method, path, status]).toEqual([method, path, 403]);
          asked += 1;
        }
      }
    }
    const noted = (await gateway.record({ since, limit: 1_000 })).filter(
      ({ errorCode }) => errorCode === 'csrf_refused',
    );
    // The first hundred of a minute; of the rest their number.
    expect(new Set(noted.map(({ act }) => act))).toEqual(new Set(['management.refused']));
    expect(asked).toBeGreaterThan(200);
    const others = await gateway.record({ since, kind: 'admin', limit: 1_000 });
    expect(others.filter(({ act }) => act !== 'management.refused' && act !== 'audit.query')).toEqual([]);
  });

  test('a sibling subdomain, another site and a listed frontend are refused, with the header too', async () => {
    const operator = await page({ role: 'operator' });
    const strangers: Who[] = [
      { ...operator, 'sec-fetch-site': 'same-site' },
      { ...operator, 'sec-fetch-site': 'cross-site' },
      { ...operator, 'sec-fetch-site': 'same-site', origin: 'http://evil.localhost' },
      { ...operator, origin: 'null' },
      { ...operator, 'sec-fetch-site': 'same-site', origin: FRONTEND },
    ];
    for (const { method, path } of await liveOperations()) {
      for (const stranger of strangers) {
        const { status, body } = await ask(stranger, method, path);
        expect([method, path, status, body.type]).toEqual([method, path, 403, 'permission_error']);
      }
    }
  });
});

describe('What a lead gives away', () => {
  test('a token for an own app works at once, holds no more than its maker, and dies at once', async () => {
    const lead = await page({ role: 'lead', team: 'alpha', scopes: ['fleet:admin'] });
    const given = { team: 'alpha', app: 'robot' };
    const made = await perform(lead, 'token.create', { ...given, scopes: ['fleet:read'] });
    expect(made.status).toBe(201);
    const devices = await gateway.call(made.body.token, '/v1/default/device?limit=1');
    expect(devices.status).toBe(200);
    for (const tooMuch of [{ scopes: ['account:owner'] }, { scopes: ['connect:read'] }]) {
      const refused = await perform(lead, 'token.create', { ...given, ...tooMuch });
      expect([refused.status, refused.body.type]).toEqual([403, 'permission_error']);
    }
    // A new secret for somebody's stronger token would be a way up.
    const strong = await acts['token.create'](OPERATOR, { ...given, scopes: ['account:owner'] });
    expect((await perform(lead, 'token.rotate', { id: strong.id })).status).toBe(403);
    expect((await perform(lead, 'token.revoke', { id: made.body.id })).status).toBe(200);
    expect((await gateway.call(made.body.token, '/v1/default/device?limit=1')).status).toBe(401);
  });

  test('a token with gateway:admin makes none that may more than itself', async () => {
    const robot = await token(['gateway:admin', 'fleet:read'], { effects: 'change' });
    const given = { team: 'alpha', app: 'robot' };
    expect((await perform(robot, 'token.create', { ...given, scopes: ['fleet:read'] })).status).toBe(201);
    for (const tooMuch of [
      { scopes: ['fleet:admin'] },
      { scopes: ['fleet:read'], effects: 'destructive' },
      { scopes: ['account:owner', 'gateway:admin'] },
    ]) {
      expect((await perform(robot, 'token.create', { ...given, ...tooMuch })).status).toBe(403);
    }
  });
});

describe('A change of rights', () => {
  test('is in force for live sessions with the next request', async () => {
    const operator = await page({ role: 'operator' });
    const lead = await page({ role: 'lead', team: 'alpha' });
    expect((await perform(lead, 'app.list', {})).status).toBe(200);
    const people = (await perform(operator, 'person.list', {})).body.data as {
      id: string;
      name: string;
      lastSignInAt: string;
    }[];
    const [latest] = people
      .filter(({ name }) => name === 'lead')
      .toSorted((a, b) => (a.lastSignInAt < b.lastSignInAt ? 1 : -1));
    const grants = [{ role: 'viewer', team: 'alpha' }];
    expect((await perform(operator, 'person.set', { id: latest?.id, grants })).status).toBe(200);
    expect((await perform(lead, 'app.list', {})).status).toBe(403);
    expect((await perform(operator, 'person.disable', { id: latest?.id })).status).toBe(200);
    expect((await perform(lead, 'app.list', {})).status).toBe(401);
  });

  test('by an operator ends a session, and with it what its page may do', async () => {
    const operator = await page({ role: 'operator' });
    const lead = await page({ role: 'lead', team: 'alpha' });
    const sessions = (await perform(operator, 'session.list', {})).body.data as { id: string; person: string }[];
    expect(JSON.stringify(sessions)).not.toContain(lead['cookie']?.slice(-30));
    for (const { id, person } of sessions) {
      if (person === 'lead') expect((await perform(operator, 'session.end', { id })).status).toBe(200);
    }
    expect((await perform(lead, 'app.list', {})).status).toBe(401);
  });
});
