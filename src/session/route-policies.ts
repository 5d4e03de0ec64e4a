/**
 * Who may come to a route. `anonymous`: anybody; what changes something passes the cross-site checks all the same. `session`:
 * somebody signed in, through those checks. `session-or-token`: a program too. `back-channel`: an identity provider, by a
 * signed token of its own that the handler verifies; no browser is involved.
 */
export type Policy = 'anonymous' | 'session' | 'session-or-token' | 'back-channel';

export interface RoutePolicy {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `:name` stands for exactly one segment. */
  readonly path: string;
  readonly policy: Policy;
}

/** Every route outside `/v1` and the management API. What is not here does not exist, whatever is mounted. */
export const ROUTE_POLICIES: readonly RoutePolicy[] = [
  { method: 'GET', path: '/', policy: 'anonymous' },
  { method: 'GET', path: '/auth/account', policy: 'anonymous' },
  { method: 'GET', path: '/auth/account.js', policy: 'anonymous' },
  { method: 'GET', path: '/auth/page.css', policy: 'anonymous' },
  { method: 'GET', path: '/auth/link', policy: 'anonymous' },
  { method: 'GET', path: '/auth/link.js', policy: 'anonymous' },
  { method: 'POST', path: '/auth/link', policy: 'anonymous' },
  { method: 'GET', path: '/auth/login', policy: 'anonymous' },
  { method: 'GET', path: '/auth/callback', policy: 'anonymous' },
  { method: 'POST', path: '/auth/backchannel-logout', policy: 'back-channel' },
  { method: 'POST', path: '/auth/logout', policy: 'anonymous' },
  { method: 'GET', path: '/auth/session', policy: 'session' },
  { method: 'GET', path: '/auth/sessions', policy: 'session' },
  { method: 'DELETE', path: '/auth/sessions', policy: 'session' },
  { method: 'DELETE', path: '/auth/sessions/:id', policy: 'session' },
  { method: 'POST', path: '/auth/ticket', policy: 'session' },
  { method: 'GET', path: '/auth/whoami', policy: 'session-or-token' },
];

/** The routes at a path, read as the router reads it: every byte and the case count. */
export function routesAt(path: string): readonly RoutePolicy[] {
  const segments = path.split('/');
  return ROUTE_POLICIES.filter((route) => {
    const expected = route.path.split('/');
    return expected.length === segments.length && expected.every((part, index) => fits(part, segments[index]));
  });
}

function fits(part: string, segment: string | undefined): boolean {
  return part.startsWith(':') ? segment !== '' : part === segment;
}
