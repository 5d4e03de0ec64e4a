import type { RequestHandler, Response } from 'express';
import { GatewayError } from '../domain/errors.ts';
import type { BrowserCaller } from '../domain/session.ts';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import { type Policy, routesAt } from './route-policies.ts';
import type { SessionCookie } from './session-cookie.ts';

export interface GuardOptions {
  readonly browsers: BrowserSessions;
  readonly cookie: SessionCookie;
  now(): number;
}

/**
 * Stands before every route and enforces its policy: no handler is reached around it, and a route without a policy is not
 * there. API paths answer 401 in JSON, whatever is accepted; nobody is redirected.
 */
export function guard({ browsers, cookie, now }: GuardOptions): RequestHandler {
  return async function enforcePolicy(req, res, next) {
    const routes = routesAt(req.path);
    if (routes.length === 0) throw new GatewayError('not_found', `there is nothing at ${req.path.slice(0, 256)}`);
    const allow = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    if (req.method === 'OPTIONS') {
      res.writeHead(204, { ...SECURITY_HEADERS, Allow: ['OPTIONS', ...allow].join(', ') });
      res.end();
      return;
    }
    const asked = req.method === 'HEAD' ? 'GET' : req.method;
    const route = routes.find(({ method }) => method === asked);
    if (route === undefined) {
      throw new GatewayError('method_not_allowed', `${req.path}: expected ${allow.join(' or ')}, got ${req.method}`, {
        allow,
      });
    }
    if (needsSession(route.policy, req.headers.authorization !== undefined, browsers.isBrowser(req))) {
      const mark = req.originalUrl.indexOf('?');
      const query = mark === -1 ? '' : req.originalUrl.slice(mark);
      const caller = await browsers.identify(req, { path: req.path, query });
      res.locals['caller'] = caller;
      // A page that only looks how long it has keeps nothing alive.
      if (route.path !== '/auth/session' || req.query['slide'] !== 'false')
        browsers.noteUse(caller.session.digest, now());
      const id = browsers.idToReissue(req);
      if (id !== undefined) {
        // Express signs with it.
        Object.assign(req, { secret: cookie.secret });
        res.cookie(cookie.name, id, { ...cookie.attributes, signed: true });
      }
    } else if (route.policy === 'anonymous' && route.method !== 'GET') {
      browsers.passGate(req);
    }
    next();
  };
}

function needsSession(policy: Policy, hasToken: boolean, hasCookie: boolean): boolean {
  if (policy !== 'session' && policy !== 'session-or-token') return false;
  if (hasToken && hasCookie) {
    throw new GatewayError('invalid_request', 'expected a gateway token or a session cookie, got both');
  }
  return policy === 'session' || !hasToken;
}

/** Who came through the guard to a route of policy `session`. */
export function callerOf(res: Response): BrowserCaller {
  const caller = res.locals['caller'] as BrowserCaller | undefined;
  if (caller === undefined) throw new Error('a route without the policy "session" asks for the caller');
  return caller;
}
