import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Express, Request, Response } from 'express';
import { createAdminApi, serveAlone } from '../../src/admin/admin-api.ts';
import { type AdministratorRooms, administratorOf } from '../../src/admin/administrator-of.ts';
import { operatorOnSocket } from '../../src/admin/asker.ts';
import { Strangers } from '../../src/call/strangers.ts';
import { Verdicts } from '../../src/call/verdicts.ts';
import type { Clock } from '../../src/domain/clock.ts';
import type { Role } from '../../src/domain/role.ts';
import { BadTries } from '../../src/http/bad-tries.ts';
import { closeServer } from '../../src/http/listen.ts';
import { peerAddress } from '../../src/http/peer-address.ts';
import { createPublicServer } from '../../src/http/public-server.ts';
import type { ActName, Acts } from '../../src/manage/acts.ts';
import { BrowserSessions } from '../../src/session/browser-sessions.ts';
import { SessionCookie } from '../../src/session/session-cookie.ts';
import { type Management, OPERATOR, openManagement } from '../manage/management.ts';

export const OWN_ORIGIN = 'https://gateway.example.com';
export const FRONTEND_ORIGIN = 'https://app.example.com';
const SECRET = 'a secret for the cookies of the tests';

/** Somebody at a door: what their requests carry. */
export type Caller = Readonly<Record<string, string>>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  readonly body: any;
}

/** A role, in which team (undefined: all), with which scopes (default: all). */
export type RoleAt = readonly [Role, string?, (readonly string[])?];

/** The management API as it stands behind the public listener, on a real store, with real sessions and tokens. */
export interface PublicDoor extends AsyncDisposable {
  readonly management: Management;
  readonly api: Express;
  /** The same acts as the Unix socket serves them. */
  readonly socketApi: ReturnType<typeof serveAlone>;
  readonly rooms: AdministratorRooms;
  readonly url: string;
  readonly port: number;
  readonly bugs: unknown[];
  /** Notices at once what changed in the store. */
  refresh(): Promise<void>;
  /** A page of the gateway's own origin, of somebody with these roles: `['lead', 'acme']`; without a team: for all. */
  page(...roles: RoleAt[]): Promise<Caller>;
  /** A token of the app `robot` of a team. */
  token(team: string, scopes: readonly string[], more?: Record<string, unknown>): Promise<Caller>;
  ask(who: Caller, method: string, target: string, body?: unknown): Promise<Answer>;
}

/** Teams `acme` and `beta`, each with a key, an app `robot` and a token. */
export async function openPublicDoor(badTriesMax = 1_000): Promise<PublicDoor> {
  const management = await openManagement();
  const { store, vault, record } = management;
  // Nothing happens by itself: the tests say when.
  const clock: Clock = { now: management.clock.now, epochMs: management.clock.epochMs, after: () => () => {} };
  const openKey = async (): Promise<undefined> => undefined;
  const verdicts = new Verdicts({ ...store, openKey }, clock, { staleMs: 60_000 });
  const cookie = new SessionCookie({ secure: true, sameSite: 'strict', secrets: [SECRET] });
  let ids = 0;
  const browsers = new BrowserSessions({
    clock,
    store: store.sessions,
    seal: vault,
    cookie,
    rules: { ownOrigin: OWN_ORIGIN, frontends: [{ origin: FRONTEND_ORIGIN, teams: ['acme'] }] },
    idleMs: 1_800_000,
    absoluteMs: 28_800_000,
    person: async (id) => verdicts.person(id),
    inUse: () => [],
    newId: () => `ses_${++ids}`,
  });
  const addressOf: AdministratorRooms['addressOf'] = (req) => peerAddress(req, undefined);
  const rooms: AdministratorRooms = {
    verdicts,
    browsers,
    record,
    clock,
    addressOf,
    tries: new BadTries(clock, badTriesMax),
    strangers: new Strangers(clock, record),
  };
  const acts = refreshing(management.acts, verdicts);
  const bugs: unknown[] = [];
  const onBug = (error: unknown): unknown => bugs.push(error);
  const api = createAdminApi(acts, { identify: administratorOf(rooms), onBug, cookieName: cookie.name });
  const bounds = {
    headersBytesMax: 16_384,
    headersMs: 5_000,
    requestMs: 5_000,
    keepAliveMs: 1_000,
    answerIdleMs: 5_000,
  };
  const server = createPublicServer({ ...bounds, connectionsMax: 100 }, (req, res, target) => {
    req.url = target.path + target.query;
    api(req as Request, res as Response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  for (const team of ['acme', 'beta']) {
    await acts['team.add'](OPERATOR, { slug: team });
    await acts['app.add'](OPERATOR, { team, name: 'robot' });
    const key = { team, name: 'main', key: `key-of-${team}-0123456789`, scopes: ['account:owner'], limit: '50/1s' };
    await acts['key.add'](OPERATOR, key);
  }
  record.events.length = 0;

  return {
    management,
    api,
    socketApi: serveAlone(createAdminApi(acts, { identify: operatorOnSocket, onBug, cookieName: cookie.name })),
    rooms,
    url: `http://127.0.0.1:${port}`,
    port,
    bugs,
    refresh: () => verdicts.refresh(),
    async page(...roles) {
      const teams = await store.teams.list();
      const grants = roles.map(([role, slug, scopes = ['account:owner']]) => ({
        role,
        teamId: teams.find((team) => team.slug === slug)?.id,
        scopes,
      }));
      const name = roles.map(([role]) => role).join(' and ') || 'nobody';
      const given = { issuer: 'https://idp.example.com', name, grants, at: clock.epochMs() };
      const person = await store.people.signIn({ ...given, id: `per_${++ids}`, subject: `s${ids}` });
      await verdicts.refresh();
      const cookieId = randomBytes(32).toString('base64url');
      await browsers.start(cookieId, { person, issuer: given.issuer, address: '192.0.2.1', userAgent: 'jest' });
      const signature = createHmac('sha256', SECRET).update(cookieId).digest('base64').replace(/=+$/, '');
      return {
        cookie: `${cookie.name}=${encodeURIComponent(`s:${cookieId}.${signature}`)}`,
        'x-requested-by': 'page',
        'sec-fetch-site': 'same-origin',
      };
    },
    async token(team, scopes, more = {}) {
      const made = await acts['token.create'](OPERATOR, { team, app: 'robot', scopes, ...more });
      return { authorization: `Bearer ${made.token}` };
    },
    async ask(who, method, target, body) {
      const answer = await fetch(`http://127.0.0.1:${port}${target}`, {
        method,
        redirect: 'manual',
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...who },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
      return {
        status: answer.status,
        headers: answer.headers,
        body: isJson && text !== '' ? JSON.parse(text) : text || undefined,
      };
    },
    async [Symbol.asyncDispose]() {
      await closeServer(server);
      await browsers[Symbol.asyncDispose]();
      await verdicts[Symbol.asyncDispose]();
      await management.close();
    },
  };
}

/** As the gateway has it: what is done here is in force here before it is answered. */
function refreshing(acts: Acts, verdicts: Verdicts): Acts {
  const wrapped = (Object.keys(acts) as ActName[]).map((name) => {
    const act = acts[name];
    const run = async (...given: Parameters<typeof act>): Promise<unknown> => {
      try {
        return await act(...given);
      } finally {
        await verdicts.refresh();
      }
    };
    return [name, Object.assign(run, { need: act.need, input: act.input })];
  });
  return Object.fromEntries(wrapped);
}
