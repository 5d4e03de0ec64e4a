import { hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Router } from 'express';
import { GatewayError } from '../../src/domain/errors.ts';
import type { RecordEvent } from '../../src/domain/event.ts';
import type { Person, RoleGrant } from '../../src/domain/person.ts';
import type { SessionStore } from '../../src/domain/session.ts';
import { answerError, answerJson } from '../../src/http/answer.ts';
import { BadTries } from '../../src/http/bad-tries.ts';
import { addressList } from '../../src/http/peer-address.ts';
import { createPublicServer, type Handler } from '../../src/http/public-server.ts';
import { openSessionRoom, type SessionRoom, type SessionRoomOptions } from '../../src/session/open-session-room.ts';
import { providerDigest, type SignInHost, type SignInProvider } from '../../src/session/sign-in.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { masterKeyFrom } from '../../src/vault/master-key.ts';
import { openVault } from '../../src/vault/open-vault.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export const SECRET = randomBytes(32).toString('base64url');
export const LINK_GRANTS: readonly RoleGrant[] = [{ role: 'lead', teamId: 'team_1', scopes: ['fleet:read'] }];

export interface Heard {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the answer says is what the tests are about
  readonly json: any;
  /** `name=value` of the session cookie that was set, if one was. */
  readonly cookie: string | undefined;
}

export interface Asked {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly cookie?: string | undefined;
  readonly body?: unknown;
}

/** Some store operations that fail or wait, while a test says so. */
export interface Trouble {
  /** What every operation waits for before it does anything. */
  before?: ((operation: string) => Promise<void>) | undefined;
}

export interface TestRoom extends SessionRoom {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly trouble: Trouble;
  readonly events: RecordEvent[];
  readonly bugs: unknown[];
  readonly directory: string;
  readonly people: Map<string, Person>;
  readonly inUse: Set<string>;
  /** What reached the fake Mason behind `/v1`. */
  readonly hits: { method: string; target: string; person: string; frontend: string | undefined }[];
  readonly port: number;
  ask(method: string, path: string, asked?: Asked): Promise<Heard>;
  /** The headers of a page of the gateway's own. */
  readonly page: Readonly<Record<string, string>>;
  newLink(name?: string): Promise<string>;
  /** Signs somebody new in; the cookie. */
  signIn(name?: string): Promise<string>;
}

const BOUNDS = {
  headersBytesMax: 65_536,
  headersMs: 10_000,
  requestMs: 10_000,
  keepAliveMs: 10_000,
  answerIdleMs: 10_000,
  connectionsMax: 1_000,
};

export type RoomChanges = Partial<Omit<SessionRoomOptions, 'trustedProxies'>> & {
  readonly trustedProxies?: readonly string[];
  readonly clock?: VirtualClock;
  /** Another gateway on the same store. */
  readonly beside?: TestRoom;
};

const masterKey = masterKeyFrom(randomBytes(32), 'of the test');

/** The session room behind a real server on a real store, with time that a test moves. */
export async function openTestRoom({ beside, trustedProxies, ...changes }: RoomChanges = {}): Promise<TestRoom> {
  const directory = beside?.directory ?? mkdtempSync(join(tmpdir(), 'sessions-'));
  const store = await openStore({ file: join(directory, 'gateway.db') });
  const clock = changes.clock ?? beside?.clock ?? new VirtualClock();
  const trouble: Trouble = {};
  const events: RecordEvent[] = [];
  const bugs: unknown[] = [];
  const people = beside?.people ?? new Map<string, Person>();
  const inUse = new Set<string>();
  const hits: TestRoom['hits'] = [];
  let ids = 0;
  const room = openSessionRoom({
    clock,
    sessions: troubled(store.sessions, trouble),
    links: store.links,
    people: {
      async signIn(given) {
        const person = await store.people.signIn(given);
        people.set(person.id, person);
        return person;
      },
    },
    seal: openVault({ masterKey }),
    record: {
      append(event) {
        events.push(event);
        return '';
      },
    },
    tries: new BadTries(clock, 50),
    secrets: [SECRET],
    publicUrl: undefined,
    sameSite: 'strict',
    frontends: [],
    idleMs: 1_800_000,
    absoluteMs: 28_800_000,
    perPersonMax: 20,
    person: async (id) => people.get(id),
    inUse: () => inUse,
    teamSlugs: async () =>
      new Map([
        ['team_1', 'acme'],
        ['team_2', 'globex'],
      ]),
    teamStatus: async () => ({ keys: [{ name: 'main', health: 'ok' }] }),
    whoAmI: async () => ({ kind: 'app', team: 'acme' }),
    newId: (kind) => `${kind}_${(beside?.port ?? 0) * 1_000 + ++ids}`,
    signIn: anybody(async (subject) => {
      const grants = LINK_GRANTS;
      const at = clock.epochMs();
      const given = { id: `per_${subject}`, issuer: 'https://login.test', subject, name: subject, grants, at };
      const person = await store.people.signIn(given);
      if (!people.has(person.id)) people.set(person.id, person);
      return people.get(person.id) ?? person;
    }),
    onBug: (error) => bugs.push(error),
    ...changes,
    trustedProxies: trustedProxies && addressList(trustedProxies),
  });
  const server = createPublicServer(BOUNDS, doors(room, hits));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const page = { 'X-Requested-By': 'test', 'Sec-Fetch-Site': 'same-origin' };
  const ask = (method: string, path: string, asked: Asked = {}): Promise<Heard> => send(port, method, path, asked);
  let links = 0;
  const newLink = async (name = 'Grace'): Promise<string> => {
    const secret = randomBytes(32).toString('base64url');
    const digest = hash('sha256', secret, 'base64url');
    const at = clock.epochMs();
    const link = {
      id: `lnk_${port}_${++links}`,
      digest,
      name,
      grants: LINK_GRANTS,
      createdAt: at,
      endsAt: at + 600_000,
    };
    await store.links.add(link);
    return secret;
  };
  return {
    ...room,
    clock,
    store,
    trouble,
    events,
    bugs,
    directory,
    people,
    inUse,
    hits,
    port,
    page,
    ask,
    newLink,
    async signIn(name) {
      const { cookie, text } = await ask('POST', '/auth/link', {
        headers: page,
        body: { secret: await newLink(name) },
      });
      if (cookie === undefined) throw new Error(`not signed in: ${text}`);
      return cookie;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await room[Symbol.asyncDispose]();
      await store.close();
      if (beside === undefined) rmSync(directory, { recursive: true });
    },
  };
}

/** An identity provider that believes everybody: `/auth/callback?as=grace`. */
function anybody(personOf: (subject: string) => Promise<Person>): (host: SignInHost) => SignInProvider {
  const issuer = 'https://login.test';
  return (host) => ({
    routes() {
      const router = Router({ caseSensitive: true, strict: true });
      router.get('/auth/callback', async (req, res) => {
        const person = await personOf(String(req.query['as']));
        const given = { issuer, providerSid: `sid-${person.subject}` };
        await host.startSession(req, res, { person, ...given });
        answerJson(res, 200, {});
      });
      router.post('/auth/backchannel-logout', async (req, res) => {
        const which = { providerDigest: providerDigest(issuer, `sid-${req.query['of']}`) };
        answerJson(res, 200, { ended: await host.endSessions(which, 'logout at the provider') });
      });
      // No policy names it: it must not be reached.
      router.get('/auth/debug', (_req, res) => answerJson(res, 200, { open: true }));
      return router;
    },
    endSessionUrl: async (of) => (of === issuer ? `${issuer}/end?client_id=gateway` : undefined),
  });
}

/** As the gateway has them: cross-origin headers first, people's routes, and calls by browser callers. */
function doors({ app, browsers, cors }: SessionRoom, hits: TestRoom['hits']): Handler {
  return async (req, res, target) => {
    if (cors(req, res)) return;
    if (!target.path.startsWith('/v1/')) {
      app(req, res);
      return;
    }
    try {
      if (!browsers.isBrowser(req)) throw new GatewayError('unauthenticated', 'no token, no cookie');
      const { session, frontend, query } = await browsers.identify(req, target);
      await browsers.check(session.digest);
      hits.push({
        method: req.method ?? '',
        target: target.path + query,
        person: session.person.name,
        frontend: frontend?.origin,
      });
      answerJson(res, 200, { ok: true });
    } catch (error) {
      answerError(res, error);
    }
  };
}

function troubled(store: SessionStore, trouble: Trouble): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...given: unknown[]) => {
        await trouble.before?.(String(name));
        return Reflect.apply(method, target, given);
      };
    },
  });
}

function send(port: number, method: string, path: string, { headers = {}, cookie, body }: Asked): Promise<Heard> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        port,
        method,
        path,
        agent: false,
        headers: {
          Host: `localhost:${port}`,
          ...(cookie === undefined ? {} : { Cookie: cookie }),
          ...(text === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
          ...headers,
        },
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () => {
          const heard = Buffer.concat(chunks).toString();
          const set = res.headers['set-cookie']?.find((line) => line.includes('mason-gateway=s'));
          const isJson = res.headers['content-type'] === 'application/json';
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            text: heard,
            json: isJson && heard !== '' ? JSON.parse(heard) : undefined,
            cookie: set?.split(';')[0],
          });
        });
        res.on('error', reject);
      },
    );
    asking.on('error', reject);
    asking.end(text);
  });
}
