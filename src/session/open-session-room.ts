import type { BlockList } from 'node:net';
import type { Express, Request } from 'express';
import type { Clock } from '../domain/clock.ts';
import type { People, Person, SignInLinks } from '../domain/person.ts';
import type { AuditRecord } from '../domain/record.ts';
import type { Frontend, SessionStore } from '../domain/session.ts';
import type { BadTries } from '../http/bad-tries.ts';
import { createAuthApp } from './auth-routes.ts';
import { BrowserSessions } from './browser-sessions.ts';
import { type Cors, createCors } from './cors.ts';
import { pageRoutes } from './page-routes.ts';
import { guard } from './policy-guard.ts';
import type { SessionSeal } from './session-content.ts';
import { SessionCookie } from './session-cookie.ts';
import { sessionRoutes } from './session-routes.ts';
import type { TeamLookUp } from './session-view.ts';
import type { SignInHost, SignInProvider } from './sign-in.ts';
import { SignInDesk } from './sign-in-desk.ts';
import { signInLinkRoutes } from './sign-in-link.ts';

export interface SessionRoomOptions extends TeamLookUp {
  readonly clock: Clock;
  readonly sessions: SessionStore;
  readonly links: Pick<SignInLinks, 'take'>;
  readonly people: Pick<People, 'signIn'>;
  readonly seal: SessionSeal;
  readonly record: Pick<AuditRecord, 'append'>;
  readonly tries: BadTries;
  /** From `openSessionSecrets`. */
  readonly secrets: readonly string[];
  /** Origin that browsers see; undefined: http on loopback, and sign-ins from this machine only. */
  readonly publicUrl: string | undefined;
  readonly sameSite: 'strict' | 'lax';
  readonly trustedProxies: BlockList | undefined;
  readonly frontends: readonly Frontend[];
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly perPersonMax: number;
  /** Looks a person up; remembered elsewhere, since every call asks. */
  person(id: string): Promise<Person | undefined>;
  /** Digests of the sessions that have calls under way. */
  inUse(): Iterable<string>;
  /** Who asks `GET /auth/whoami` by a gateway token, as JSON. */
  whoAmI(req: Request): Promise<unknown>;
  newId(kind: 'ses' | 'per'): string;
  /** Another way to sign in beside links; undefined: none. */
  readonly signIn: ((host: SignInHost) => SignInProvider) | undefined;
  onBug(error: unknown, requestId: string): void;
}

export interface SessionRoom extends AsyncDisposable {
  /** Browser callers, for the walk and the management API. Also ends sessions for operators: `browsers.end`. */
  readonly browsers: BrowserSessions;
  readonly cookieName: string;
  /** First of all for each request on the public door. */
  readonly cors: Cors;
  /** Serves `/` and everything below `/auth/`. */
  readonly app: Express;
}

/** Opens the room of browser callers. */
export function openSessionRoom(options: SessionRoomOptions): SessionRoom {
  const { clock, sessions, secrets, sameSite, publicUrl, frontends, newId } = options;
  const cookie = new SessionCookie({ secure: publicUrl?.startsWith('https:') === true, sameSite, secrets });
  const browsers = new BrowserSessions({
    ...options,
    store: sessions,
    cookie,
    rules: { ownOrigin: publicUrl, frontends },
    newId: () => newId('ses'),
  });
  const desk = new SignInDesk({ ...options, browsers, cookie });
  const provider = options.signIn?.(desk);
  const endSessionUrl: SignInProvider['endSessionUrl'] | undefined =
    provider && ((issuer) => provider.endSessionUrl(issuer));
  const app = createAuthApp({
    ...options,
    guard: guard({ browsers, cookie, now: () => clock.epochMs() }),
    routes: [
      pageRoutes({ canLogIn: provider !== undefined }),
      sessionRoutes({ ...options, browsers, desk, cookie, endSessionUrl }),
      signInLinkRoutes({ ...options, desk, newPersonId: () => newId('per') }),
      ...(provider === undefined ? [] : [provider.routes()]),
    ],
  });
  return {
    browsers,
    cookieName: cookie.name,
    cors: createCors(frontends),
    app,
    [Symbol.asyncDispose]: () => browsers[Symbol.asyncDispose](),
  };
}
