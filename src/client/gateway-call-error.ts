/** Categories of errors: those of the gateway's and Mason's bodies, and three for calls that never heard an answer. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'rate_limit_error'
  | 'api_error'
  /** Not reached, broken off, or stopped by the browser (a page whose origin the gateway does not list looks like this). */
  | 'network_error'
  /** `deadlineMs` was over. */
  | 'timeout_error'
  /** The `signal` of the call was aborted; `cause` is its reason. */
  | 'aborted'
  // Mason documents one category only: others may come.
  | (string & {});

/** Who said so: the gateway itself, Mason, or nobody (what is between here and the gateway, or this client). */
export type ErrorSource = 'gateway' | 'mason' | 'network';

export interface CallErrorFacts {
  readonly type: ErrorType;
  readonly source: ErrorSource;
  readonly message: string;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The one error that a call ends with. (A value that no call could carry is a `TypeError`: nothing was sent.)
 *
 * With `source: 'network'` a call that changes something may have been done or not: look before you repeat it.
 */
export class GatewayCallError extends Error {
  override readonly name = 'GatewayCallError';
  readonly type: ErrorType;
  readonly source: ErrorSource;
  /** Of the answer; undefined when none came. */
  readonly status: number | undefined;
  /** Of the call, as it stands on record: name it when you ask for help. */
  readonly requestId: string | undefined;
  /** Milliseconds after which the same call would go; with every 429 and 503 of the gateway's. */
  readonly retryAfterMs: number | undefined;

  constructor({ type, source, message, status, requestId, retryAfterMs, cause }: CallErrorFacts) {
    super(message, cause === undefined ? undefined : { cause });
    this.type = type;
    this.source = source;
    this.status = status;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }
}
