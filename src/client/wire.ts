import { answerFacts } from './answer-facts.ts';
import { GatewayCallError } from './gateway-call-error.ts';
import type { CallOptions, Confirmed } from './options.ts';
import { Paged } from './paged.ts';
import { readAnswer } from './read-answer.ts';
import type { Settings } from './settings.ts';
import { fillPath, type Query, queryText } from './target.ts';

/** What a call carries. */
export interface Content {
  /** For the `{parameters}` of the path. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly query?: Query | undefined;
  /** Sent as JSON; a Blob and bytes as they are. */
  readonly body?: unknown;
}

type SentBody = NonNullable<RequestInit['body']>;
type AnyOptions = CallOptions & Partial<Confirmed<string>>;

/** Of a call's time, what is left for Mason once its turn has come. */
const MASON_SHARE = 1 / 4;
const MASON_MS_MAX = 5_000;

/** Sends calls, each once: the gateway retries what may be sent again, and knows better when. */
export class Wire {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Address of a path of the gateway's. */
  url(target: string): string {
    return this.#settings.base + target;
  }

  /**
   * Makes one call.
   *
   * @param path with `{parameters}`: `/v1/default/device/{id}`
   * @throws GatewayCallError
   * @throws TypeError for what no call could carry
   */
  async ask<Answer>(method: string, path: string, content: Content = {}, options: AnyOptions = {}): Promise<Answer> {
    const { fetch, onAnswer } = this.#settings;
    const filled = fillPath(path, content.parameters ?? {});
    const deadlineMs = options.deadlineMs ?? this.#settings.deadlineMs;
    if (!(deadlineMs >= 1)) throw new TypeError(`deadlineMs: expected at least 1, got ${deadlineMs}`);
    const { headers: credential, credentials } = await this.#settings.credential();
    const timeout = AbortSignal.timeout(Math.ceil(deadlineMs));
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    const failed = (cause: unknown): GatewayCallError => whyFailed(cause, deadlineMs, options.signal, timeout);

    const { body, headers } = bodyOf(content.body);
    const said = path.startsWith('/v1/') ? this.#preferences(options, deadlineMs) : {};
    const init: RequestInit = {
      method,
      // Built here, so that a value that no header can carry is not taken for a failure on the way.
      headers: new Headers({ ...headers, ...said, ...credential }),
      credentials,
      signal,
      // The gateway redirects no call. Who does is somebody else, and should not get the token.
      redirect: 'error',
      ...(body === undefined ? {} : { body }),
    };

    const response = await fetch(this.url(filled + queryText(content.query ?? {})), init).catch((cause: unknown) => {
      throw failed(cause);
    });
    onAnswer?.(answerFacts(method, filled, response));
    const text = await response.text().catch((cause: unknown) => {
      throw failed(cause);
    });
    return readAnswer(response, text) as Answer;
  }

  /** A list, page by page; nothing is sent until somebody asks for its first one. */
  pages<Item>(path: string, query: Query, options: CallOptions = {}): Paged<Item> {
    return new Paged(
      (pageQuery, pageOptions) => this.ask('GET', path, { query: pageQuery }, pageOptions),
      query,
      options,
    );
  }

  /** What the gateway lets a caller say of a call to Mason. */
  #preferences(options: AnyOptions, deadlineMs: number): Record<string, string> {
    const { urgency = this.#settings.urgency, team = this.#settings.team, idempotencyKey, confirm } = options;
    const lineMs = deadlineMs - Math.min(MASON_MS_MAX, deadlineMs * MASON_SHARE);
    return {
      Prefer: `wait=${Math.floor(lineMs / 1_000)}`,
      ...(urgency === undefined ? {} : { Priority: `u=${urgency}` }),
      ...(team === undefined ? {} : { 'Gateway-Team': team }),
      ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
      ...(confirm === undefined ? {} : { 'Gateway-Confirm': confirm }),
    };
  }
}

function bodyOf(body: unknown): { body?: SentBody; headers: Readonly<Record<string, string>> } {
  if (body === undefined) return { headers: {} };
  if (body instanceof Blob || body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    const type = body instanceof Blob && body.type !== '' ? body.type : 'application/octet-stream';
    return { body: body as SentBody, headers: { 'Content-Type': type } };
  }
  return { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
}

function whyFailed(
  cause: unknown,
  deadlineMs: number,
  signal: AbortSignal | undefined,
  timeout: AbortSignal,
): GatewayCallError {
  const source = 'network';
  if (signal?.aborted) {
    return new GatewayCallError({ type: 'aborted', source, message: 'the call was aborted', cause: signal.reason });
  }
  if (timeout.aborted) {
    const message = `no answer within ${Math.ceil(deadlineMs)} ms`;
    return new GatewayCallError({ type: 'timeout_error', source, message, cause });
  }
  const message = `the gateway was not reached, or the connection broke off: ${reasonOf(cause)}`;
  return new GatewayCallError({ type: 'network_error', source, message, cause });
}

/** Node says only "fetch failed" itself, and what failed in its cause. Read by field: errors of other realms are no `Error`. */
function reasonOf(thrown: unknown): string {
  const { message, cause } = Object(thrown) as { message?: unknown; cause?: unknown };
  return String((Object(cause) as { message?: unknown }).message || message || thrown);
}
