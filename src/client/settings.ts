import type { AnswerFacts } from './answer-facts.ts';
import type { ClientOptions, Urgency } from './options.ts';

const DEADLINE_MS_DEFAULT = 30_000;
const REQUESTED_BY_DEFAULT = 'mason-gateway-client';

/** The options of a client, checked and complete. */
export interface Settings {
  /** Address of the gateway, with what comes before `/v1`, without a slash at its end. */
  readonly base: string;
  readonly fetch: typeof fetch;
  readonly deadlineMs: number;
  readonly urgency: Urgency | undefined;
  readonly team: string | undefined;
  readonly onAnswer: ((facts: AnswerFacts) => void) | undefined;
  /** Who calls: by a token, or by the browser's cookie. Never both, which the gateway refuses. */
  credential(): Promise<{ headers: Readonly<Record<string, string>>; credentials: 'include' | 'omit' }>;
}

/** @throws TypeError */
export function readSettings(options: ClientOptions): Settings {
  const { token, requestedBy = REQUESTED_BY_DEFAULT, fetch: given } = options;
  return {
    base: readBase(options.baseUrl),
    // Called as a function of its own: browsers refuse a `fetch` that is a property of something else.
    fetch: given ?? ((...call) => globalThis.fetch(...call)),
    deadlineMs: options.deadlineMs ?? DEADLINE_MS_DEFAULT,
    urgency: options.urgency,
    team: options.team,
    onAnswer: options.onAnswer,
    async credential() {
      if (token === undefined) return { headers: { 'X-Requested-By': requestedBy }, credentials: 'include' };
      const now = typeof token === 'function' ? await token() : token;
      return { headers: { Authorization: `Bearer ${checkToken(now)}` }, credentials: 'omit' };
    },
  };
}

function readBase(baseUrl: string): string {
  const expected = 'baseUrl: expected where the gateway is, such as "https://gateway.example.com"';
  // Pages may name a path of their own origin.
  const page = (globalThis as { location?: { href: string } }).location?.href;
  if (!URL.canParse(baseUrl, page)) throw new TypeError(expected);
  const url = new URL(baseUrl, page);
  if (!/^https?:$/.test(url.protocol)) throw new TypeError(`${expected}, got ${url.protocol}`);
  if (url.username !== '' || url.password !== '') throw new TypeError(`${expected}, got one with a user in it`);
  if (url.search !== '' || url.hash !== '') throw new TypeError(`${expected}, got one with a query or fragment`);
  const path = url.pathname.replace(/\/+$/, '');
  if (path.endsWith('/v1')) throw new TypeError(`${expected}, without "/v1": the client puts it there itself`);
  return url.origin + path;
}

/** The platform's own complaint about a bad header would have the token in it. */
function checkToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new TypeError('token: expected visible ASCII characters, got none or others (a line end from a file, perhaps)');
}
