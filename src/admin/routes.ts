import type { ActName } from '../manage/acts.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `:name` stands for one segment, which is the input's field of that name. */
  readonly path: string;
}

/** The management API, whole: each act, and where it is reached. Server and command line both read this. */
export const ROUTES: Readonly<Record<ActName, Route>> = {
  'team.add': { method: 'POST', path: '/admin/v1/teams' },
  'team.list': { method: 'GET', path: '/admin/v1/teams' },
  'team.set': { method: 'PATCH', path: '/admin/v1/teams/:team' },
  'team.remove': { method: 'DELETE', path: '/admin/v1/teams/:team' },
  'key.add': { method: 'POST', path: '/admin/v1/keys' },
  'key.list': { method: 'GET', path: '/admin/v1/keys' },
  'key.set': { method: 'PATCH', path: '/admin/v1/keys/:team/:name' },
  'key.test': { method: 'POST', path: '/admin/v1/keys/:team/:name/test' },
  'key.rotate': { method: 'POST', path: '/admin/v1/keys/:team/:name/rotate' },
  'key.forget': { method: 'POST', path: '/admin/v1/keys/:team/:name/forget' },
  'key.remove': { method: 'DELETE', path: '/admin/v1/keys/:team/:name' },
  'budget.list': { method: 'GET', path: '/admin/v1/budgets' },
  'budget.set': { method: 'PATCH', path: '/admin/v1/budgets/:name' },
  'limit.show': { method: 'GET', path: '/admin/v1/limits' },
  'limit.forget': { method: 'POST', path: '/admin/v1/limits/:budget/forget' },
  'app.add': { method: 'POST', path: '/admin/v1/apps' },
  'app.list': { method: 'GET', path: '/admin/v1/apps' },
  'app.set': { method: 'PATCH', path: '/admin/v1/apps/:team/:name' },
  'app.remove': { method: 'DELETE', path: '/admin/v1/apps/:team/:name' },
  'token.create': { method: 'POST', path: '/admin/v1/tokens' },
  'token.list': { method: 'GET', path: '/admin/v1/tokens' },
  'token.rotate': { method: 'POST', path: '/admin/v1/tokens/:id/rotate' },
  'token.revoke': { method: 'POST', path: '/admin/v1/tokens/:id/revoke' },
  'token.revoke_leaked': { method: 'POST', path: '/admin/v1/leaked-tokens/revoke' },
  'person.list': { method: 'GET', path: '/admin/v1/people' },
  'person.set': { method: 'PATCH', path: '/admin/v1/people/:id' },
  'person.disable': { method: 'POST', path: '/admin/v1/people/:id/disable' },
  'person.enable': { method: 'POST', path: '/admin/v1/people/:id/enable' },
  'person.remove': { method: 'DELETE', path: '/admin/v1/people/:id' },
  'person.erase': { method: 'POST', path: '/admin/v1/people/:id/erase' },
  'session.list': { method: 'GET', path: '/admin/v1/sessions' },
  'session.end': { method: 'DELETE', path: '/admin/v1/sessions/:id' },
  'stream.list': { method: 'GET', path: '/admin/v1/streams' },
  'stream.end': { method: 'DELETE', path: '/admin/v1/streams/:id' },
  'link.create': { method: 'POST', path: '/admin/v1/links' },
  apply: { method: 'POST', path: '/admin/v1/apply' },
  'audit.query': { method: 'GET', path: '/admin/v1/audit' },
  'audit.export': { method: 'GET', path: '/admin/v1/audit/export' },
  'audit.sinks': { method: 'GET', path: '/admin/v1/audit/sinks' },
  'audit.keys': { method: 'GET', path: '/admin/v1/audit/keys' },
  'audit.key.rotate': { method: 'POST', path: '/admin/v1/audit/keys/rotate' },
  'usage.query': { method: 'GET', path: '/admin/v1/usage' },
  'audit.prune.preview': { method: 'GET', path: '/admin/v1/audit/prune' },
  'audit.prune': { method: 'POST', path: '/admin/v1/audit/prune' },
  'audit.show': { method: 'GET', path: '/admin/v1/audit/:requestId' },
};

/** Header in which the command line says whose account it runs under. Trusted as far as the socket's mode 0600 is. */
export const ACCOUNT_HEADER = 'Gateway-Account';

export interface AdminRequest {
  readonly method: Route['method'];
  /** Path and query. */
  readonly target: string;
  /** JSON; undefined for methods that carry none. */
  readonly body: string | undefined;
}

/** The request that asks for an act: fields of the path into the path, the rest into the query or the body. */
export function requestFor(act: ActName, input: Readonly<Record<string, unknown>>): AdminRequest {
  const { method, path } = ROUTES[act];
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const target = path.replaceAll(/:(\w+)/g, (_, field: string) => {
    const value = String(rest.get(field) ?? '');
    rest.delete(field);
    // An empty segment would make another path: the act shall say that the field is missing.
    return value === '' ? '-' : encodeURIComponent(value);
  });
  if (method === 'POST' || method === 'PATCH') {
    return { method, target, body: JSON.stringify(Object.fromEntries(rest)) };
  }
  const query = new URLSearchParams([...rest].map(([field, value]) => [field, String(value)])).toString();
  return { method, target: query === '' ? target : `${target}?${query}`, body: undefined };
}
