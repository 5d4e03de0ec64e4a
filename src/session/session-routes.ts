import { type Request, type Response, Router } from 'express';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Actor } from '../domain/event.ts';
import type { BrowserCaller } from '../domain/session.ts';
import { answerJson } from '../http/answer.ts';
import { readRequestTarget } from '../http/request-target.ts';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import type { BrowserSessions, ListedSession } from './browser-sessions.ts';
import { callerOf } from './policy-guard.ts';
import { readJson } from './read-json.ts';
import type { SessionCookie } from './session-cookie.ts';
import { sessionView, type TeamLookUp } from './session-view.ts';
import type { SignInProvider } from './sign-in.ts';
import type { SignInDesk } from './sign-in-desk.ts';
import { ticketIn } from './tickets.ts';

export interface SessionRoutesOptions extends TeamLookUp {
  readonly browsers: BrowserSessions;
  readonly desk: SignInDesk;
  readonly cookie: SessionCookie;
  readonly clock: Clock;
  /** Who asks by a gateway token, as JSON. @throws GatewayError `unauthenticated`, `forbidden`, `too_many_tries` */
  whoAmI(req: Request): Promise<unknown>;
  readonly endSessionUrl: SignInProvider['endSessionUrl'] | undefined;
}

/** Looking at one's sessions, ending them, and asking for tickets. */
export function sessionRoutes(options: SessionRoutesOptions): Router {
  const { browsers, desk, clock } = options;
  const router = Router({ caseSensitive: true, strict: true });

  router.get('/auth/session', async (_req, res) => {
    answerJson(res, 200, await viewOf(options, res));
  });

  router.get('/auth/whoami', async (req, res) => {
    const isToken = req.headers.authorization !== undefined;
    answerJson(res, 200, isToken ? await options.whoAmI(req) : await viewOf(options, res));
  });

  router.get('/auth/sessions', async (_req, res) => {
    const { session } = ownPageOf(res);
    const sessions = await browsers.listOf(session.person.id);
    answerJson(res, 200, { sessions: sessions.map((listed) => rowOf(listed, session.digest)) });
  });

  router.delete('/auth/sessions', async (req, res) => {
    const { session } = ownPageOf(res);
    const others = (await browsers.listOf(session.person.id)).filter(({ digest }) => digest !== session.digest);
    for (const listed of others)
      await desk.endListed(listed, actorOf(req, res, desk), 'ended from another session', res);
    answerJson(res, 200, { ended: others.length });
  });

  router.delete('/auth/sessions/:id', async (req, res) => {
    const { id } = req.params;
    const own = await browsers.listOf(ownPageOf(res).session.person.id);
    const listed = own.find(({ content }) => content.id === id);
    if (listed === undefined) throw new GatewayError('not_found', `you have no session ${String(id).slice(0, 64)}`);
    await desk.endListed(listed, actorOf(req, res, desk), 'ended from a session', res);
    answerNothing(res);
  });

  router.post('/auth/ticket', async (req, res) => {
    const { session, frontend } = callerOf(res);
    const { method, path } = await readJson(req, res);
    if (method !== 'GET')
      throw new GatewayError('invalid_request', 'method: expected "GET": tickets are for nothing else');
    const use = { sessionDigest: session.digest, method, target: ticketTarget(path) };
    const { target, endsAt } = await browsers.tickets.issue(use, frontend?.origin, ticketTeam(req));
    answerJson(res, 201, { path: target, endsAt: new Date(endsAt).toISOString() });
  });

  router.post('/auth/logout', async (req, res) => {
    const [listed, ...planted] = await browsers.presented(req);
    for (const each of listed === undefined ? [] : [listed, ...planted]) {
      const { personId, id: sessionId } = each.content;
      const by: Actor = { kind: 'person', personId, sessionId, address: desk.addressOf(req) };
      await desk.endListed(each, by, 'sign-out', res);
    }
    // "cookies" would clear those of every sibling subdomain too (W3C Clear Site Data section 3.1).
    res.setHeader('Clear-Site-Data', '"storage"');
    res.clearCookie(options.cookie.name, options.cookie.attributes);
    const endSessionUrl = listed && (await providerEnd(options, listed, clock));
    if (endSessionUrl === undefined) answerNothing(res);
    else answerJson(res, 200, { endSessionUrl });
  });

  return router;
}

const PROVIDER_MS_MAX = 2_000;
const TICKET_PATH_CHARACTERS_MAX = 2_048;

/** The sign-out here is done: a provider that is slow or away keeps nobody waiting. */
async function providerEnd(
  { endSessionUrl }: SessionRoutesOptions,
  { content: { issuer } }: ListedSession,
  clock: Clock,
): Promise<string | undefined> {
  if (endSessionUrl === undefined) return undefined;
  const { promise: tooLate, resolve } = Promise.withResolvers<undefined>();
  const cancel = clock.after(PROVIDER_MS_MAX, () => resolve(undefined));
  try {
    return await Promise.race([endSessionUrl(issuer), tooLate]);
  } catch {
    return undefined;
  } finally {
    cancel();
  }
}

async function viewOf(options: SessionRoutesOptions, res: Response): Promise<unknown> {
  const caller = callerOf(res);
  // Asked anew: that it was used just now counts.
  const session = await options.browsers.check(caller.session.digest);
  return sessionView({ ...caller, session }, options, options.clock.epochMs());
}

function actorOf(req: Request, res: Response, desk: SignInDesk): Actor {
  const { id: sessionId, person } = callerOf(res).session;
  return { kind: 'person', personId: person.id, sessionId, address: desk.addressOf(req) };
}

function rowOf({ digest, content, lastSeenAt }: ListedSession, currentDigest: string): Record<string, unknown> {
  const { id, issuer, createdAt, endsAt, address, userAgent } = content;
  return {
    id,
    current: digest === currentDigest,
    issuer,
    address,
    userAgent,
    createdAt: new Date(createdAt).toISOString(),
    lastSeenAt: new Date(lastSeenAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
  };
}

/**
 * Pages of other origins may call, and learn nothing of where else somebody is signed in.
 *
 * @throws GatewayError `forbidden`
 */
function ownPageOf(res: Response): BrowserCaller {
  const caller = callerOf(res);
  if (caller.frontend === undefined) return caller;
  throw new GatewayError(
    'forbidden',
    `pages of ${caller.frontend.origin} may call; sessions are for pages of the gateway`,
  );
}

/**
 * Whether they may act for it is decided when the ticket is used.
 *
 * @throws GatewayError `invalid_request`
 */
function ticketTeam({ headers }: Request): string | undefined {
  const team = headers['gateway-team'];
  if (team === undefined || /^[a-z0-9][a-z0-9-]{0,62}$/.test(String(team))) return team as string | undefined;
  throw new GatewayError(
    'invalid_request',
    `"Gateway-Team": expected the name of a team, got "${String(team).slice(0, 64)}"`,
  );
}

/** @throws GatewayError `invalid_request`, `invalid_path`, `uri_too_long` */
function ticketTarget(path: unknown): string {
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new GatewayError(
      'invalid_request',
      'path: expected a path with its query, such as "/v1/default/device?limit=3"',
    );
  }
  if (path.length > TICKET_PATH_CHARACTERS_MAX) {
    throw new GatewayError(
      'invalid_request',
      `path: expected at most ${TICKET_PATH_CHARACTERS_MAX} characters, got ${path.length}`,
    );
  }
  const { path: plain, query } = readRequestTarget(path, '');
  if (ticketIn(query) !== undefined) throw new GatewayError('invalid_request', 'path: expected one without a ticket');
  return plain + (query === '?' ? '' : query);
}

function answerNothing(res: Response): void {
  res.writeHead(204, SECURITY_HEADERS);
  res.end();
}
