/** A request target taken apart. */
export interface Target {
  /** As it came, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The decoded segments below `/v1`, the first one empty as in a route's path; undefined outside it or when malformed. */
  readonly segments: readonly string[] | undefined;
  /** A `%` that encodes nothing. */
  readonly malformed: boolean;
}

const BASE = '/v1/';
const NO_QUERY = new URLSearchParams();

/** Takes a target apart without tidying it up: `/v1/./default` is not `/v1/default`. */
export function parseTarget(target: string): Target {
  // RFC 9112 section 3.2.2: a server must accept the absolute form too.
  const origin = target.replace(/^https?:\/\/[^/?#]*/i, '');
  const question = origin.indexOf('?');
  const path = question < 0 ? origin : origin.slice(0, question);
  const query = question < 0 ? NO_QUERY : new URLSearchParams(origin.slice(question + 1));
  if (!path.startsWith(BASE)) return { path, query, segments: undefined, malformed: false };
  try {
    const segments = path
      .slice(BASE.length - 1)
      .split('/')
      .map(decodeURIComponent);
    return { path, query, segments, malformed: false };
  } catch {
    return { path, query, segments: undefined, malformed: true };
  }
}
