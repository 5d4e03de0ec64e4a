import type { Route } from './routes.ts';

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  readonly scope: string;
}

interface Segment {
  readonly name?: string;
  readonly values?: readonly string[];
}

/** Finds routes by method and path. */
export class RouteMatcher {
  readonly #routes: readonly { route: Route; segments: readonly Segment[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, segments: route.path.split('/').map(parseSegment) }));
  }

  /** @returns the match; for a known path with another method what `Allow` has to say; undefined for an unknown path. */
  match(method: string, segments: readonly string[]): Match | { readonly allow: string } | undefined {
    const allow = new Set<string>();
    for (const candidate of this.#routes) {
      const params = paramsOf(candidate.segments, segments);
      if (params === undefined) continue;
      const { route } = candidate;
      // RFC 9110 section 9.3.2: HEAD is GET without the content, which Node leaves out by itself.
      if (route.method === method || (route.method === 'GET' && method === 'HEAD')) {
        const scope = route.scope.replace(/\{(\w+)\}/, (_, name: string) => params[name] ?? '');
        return { route, params, scope };
      }
      allow.add(route.method);
      if (route.method === 'GET') allow.add('HEAD');
    }
    return allow.size === 0 ? undefined : { allow: [...allow].join(', ') };
  }
}

function parseSegment(text: string): Segment {
  const named = /^\{(\w+)(?::([\w|]+))?\}$/.exec(text);
  if (named?.[1] === undefined) return { values: [text] };
  return named[2] === undefined ? { name: named[1] } : { name: named[1], values: named[2].split('|') };
}

function paramsOf(pattern: readonly Segment[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, { name, values }] of pattern.entries()) {
    const segment = segments[at] ?? '';
    if (values !== undefined && !values.includes(segment)) return undefined;
    if (name === undefined) continue;
    if (segment === '') return undefined;
    params[name] = segment;
  }
  return params;
}
