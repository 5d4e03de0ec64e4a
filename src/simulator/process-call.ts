import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BodyRead } from './body.ts';
import { IDEMPOTENCY_HEADER } from './idempotency.ts';
import type { ApiKey } from './keys.ts';
import { rateHeaders } from './limit/rate-headers.ts';
import { type Answer, errorAnswer, MasonError } from './mason/answer.ts';
import type { Match } from './mason/match-route.ts';
import type { Run } from './run.ts';
import type { Target } from './target.ts';

/** A request whose head has arrived, the way to Mason already behind it. */
export interface Arrived {
  readonly request: IncomingMessage;
  readonly target: Target;
  readonly match: Match | { readonly allow: string } | undefined;
  readonly body: Promise<BodyRead>;
  /** It asks to become a WebSocket. */
  readonly upgrade?: true;
}

export interface Outcome {
  readonly key: ApiKey | undefined;
  /** It had a valid key and the limit let it in. */
  readonly accepted: boolean;
  /** Absent when the sender went away before its body was whole: nothing happened then. */
  readonly answer: Answer | undefined;
}

const TOO_MANY = errorAnswer(429, 'rate_limit_error', 'Too many requests, we recommend an exponential backoff');
const BAD_HOST = errorAnswer(400, 'invalid_request_error', 'Exactly one Host header is required');
const BAD_PATH = errorAnswer(400, 'invalid_request_error', 'The path is not properly encoded');
const TOO_LARGE = errorAnswer(413, 'invalid_request_error', 'The body is too large');

/** What Mason does with a call: who is it, is it within the limit, what does it want, may it, then the work. */
export async function processCall(run: Run, arrived: Arrived): Promise<Outcome> {
  const { request } = arrived;
  if (!hasOneHost(request)) return { key: undefined, accepted: false, answer: BAD_HOST };
  const key = run.keyring.identify(request.headers.authorization);
  if ('status' in key) return { key: undefined, accepted: false, answer: key };

  const verdict = run.count(key, performance.now());
  const { limit } = run.options;
  const told = verdict && limit ? rateHeaders(verdict, limit, run.options, Date.now()) : [];
  if (verdict?.accepted === false) return { key, accepted: false, answer: withHeaders(TOO_MANY, told) };

  const latency = run.delay(run.options.latency);
  if (latency > 0) await sleep(latency);
  const answer = await work(run, arrived, key);
  return { key, accepted: true, answer: answer && withHeaders(answer, told) };
}

async function work(run: Run, arrived: Arrived, key: ApiKey): Promise<Answer | undefined> {
  const { target, match, request } = arrived;
  if (target.malformed) return BAD_PATH;
  if (match === undefined) return errorAnswer(404, 'not_found_error', `${target.path} does not exist`);
  if ('allow' in match) {
    const message = `${request.method} is not allowed here, only ${match.allow}`;
    return errorAnswer(405, 'invalid_request_error', message, ['Allow', match.allow]);
  }
  if (!key.allowed.has(match.scope)) {
    return errorAnswer(403, 'permission_error', `This action requires the scope ${match.scope}`);
  }
  const body = await arrived.body;
  if (body.tooLarge) return TOO_LARGE;
  if (!body.complete) return undefined;

  const handle = () => {
    const { account } = run;
    try {
      return match.route.handler({
        account,
        params: match.params,
        query: target.query,
        headers: request.headers,
        body,
        upgrade: arrived.upgrade === true,
      });
    } catch (error) {
      if (error instanceof MasonError) return error.answer;
      throw error;
    }
  };
  const idempotencyKey = request.headers[IDEMPOTENCY_HEADER];
  if (typeof idempotencyKey !== 'string' || match.route.method === 'GET') return handle();
  // The account's, not the key's: rotating a key must not make a repeated call new.
  return run.idempotency.once(
    `${key.account} ${idempotencyKey}`,
    `${request.method} ${request.url} ${body.sha256}`,
    handle,
  );
}

/** RFC 9112 section 3.2: a request without Host, or with two, must be refused. Node would take the first of two. */
function hasOneHost(request: IncomingMessage): boolean {
  const { rawHeaders } = request;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts === 1 || (hosts === 0 && request.httpVersion === '1.0');
}

function withHeaders(answer: Answer, headers: readonly string[]): Answer {
  return headers.length === 0 ? answer : { ...answer, headers: [...answer.headers, ...headers] };
}
