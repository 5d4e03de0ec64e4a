import { Agent, request } from 'undici';
import { GatewayError } from '../../domain/errors.ts';
import { reasonOf } from './reason-of.ts';

/** For a whole answer, from the connection to its last byte. */
const ANSWER_MS_MAX = 5_000;
/** Metadata, keys and tokens of real identity providers stay below a tenth of it. */
const ANSWER_BYTES_MAX = 262_144;
const AGAIN_MS = 5_000;

/** What openid-client and jose ask of a fetch. */
export interface FetchOptions {
  readonly method?: string | undefined;
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
}

/** Asks an identity provider. */
export type ProviderFetch = (url: string, options: FetchOptions) => Promise<Response>;

/** Connections to identity providers, apart from those to Mason. */
export function providerAgent(): Agent {
  return new Agent({
    connect: { timeout: ANSWER_MS_MAX, minVersion: 'TLSv1.2', rejectUnauthorized: true },
    maxResponseSize: ANSWER_BYTES_MAX,
    keepAliveTimeout: 10_000,
  });
}

/**
 * A fetch for identity providers: https, or http on this machine itself; no redirects followed; at most
 * 256 KiB and 5 s for an answer. Whatever coding an answer has stays on it, so that nothing grows while it is read.
 *
 * It throws GatewayError `sign_in_unavailable` when there is no answer, or one of 429 or 5xx, and another error for an answer
 * over the bound.
 */
export function boundedFetch(agent: Agent, answerMsMax = ANSWER_MS_MAX): ProviderFetch {
  return async (url, { method = 'GET', headers, body }) => {
    checkAddress(new URL(url));
    const sent = body instanceof URLSearchParams ? body.toString() : body;
    if (sent !== undefined && sent !== null && typeof sent !== 'string') {
      throw new TypeError(`expected a form or a text to send to ${url}`);
    }
    try {
      const answer = await request(url, {
        dispatcher: agent,
        method,
        headers: { ...Object.fromEntries(new Headers(headers)), 'accept-encoding': 'identity' },
        body: sent ?? null,
        signal: AbortSignal.timeout(answerMsMax),
      });
      const text = await answer.body.text();
      if (answer.statusCode === 429 || answer.statusCode >= 500) {
        throw new Error(`the identity provider answered ${answer.statusCode}`);
      }
      const type = answer.headers['content-type'];
      return new Response(text === '' ? null : text, {
        status: answer.statusCode,
        headers: typeof type === 'string' ? { 'content-type': type } : {},
      });
    } catch (cause) {
      if (isTooLarge(cause)) throw cause;
      throw signInUnavailable(cause);
    }
  };
}

/** Says that nobody can sign in for now. Why stays inside, and of why only what {@link reasonOf} keeps. */
export function signInUnavailable(error: unknown): GatewayError {
  return new GatewayError(
    'sign_in_unavailable',
    'the identity provider does not answer as it should: nobody can sign in with it for now, try again in a moment',
    { retryAfterMs: AGAIN_MS, cause: new Error(reasonOf(error)) },
  );
}

/** Plain http is for a provider on this machine: nobody stands between. */
function checkAddress({ protocol, hostname }: URL): void {
  if (protocol === 'https:') return;
  if (protocol === 'http:' && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return;
  throw signInUnavailable(new Error(`identity providers are asked by https only, not at ${protocol}//${hostname}`));
}

function isTooLarge(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';
}
