/** Every way in which this gateway refuses or fails a call. Closed: a switch over it narrows, a table over it is exhaustive. */
export type ErrorCode =
  | 'invalid_path'
  | 'invalid_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'csrf_refused'
  | 'too_many_tries'
  | 'unknown_operation'
  | 'not_found'
  | 'request_timeout'
  | 'method_not_allowed'
  | 'conflict'
  | 'payload_too_large'
  | 'uri_too_long'
  | 'unsupported_media_type'
  | 'expectation_failed'
  | 'confirmation_required'
  | 'headers_too_large'
  | 'not_implemented'
  | 'no_key'
  | 'queue_full'
  | 'deadline_unreachable'
  | 'caller_gone'
  | 'mason_refused_rate'
  | 'mason_rejected_key'
  | 'mason_unreachable'
  | 'mason_bad_answer'
  | 'mason_timeout'
  | 'record_unavailable'
  | 'store_unavailable'
  | 'sign_in_unavailable'
  | 'shutting_down'
  | 'internal';

export interface ErrorDetails {
  /** Milliseconds until the same call could succeed; becomes `Retry-After`, rounded up to whole seconds. */
  readonly retryAfterMs?: number;
  /** The methods that the path does have, for 405 (RFC 9110 section 15.5.6). */
  readonly allow?: readonly string[];
  /** What went wrong underneath. Logged, never shown to a caller. */
  readonly cause?: unknown;
}

/**
 * A refusal or failure that was meant: its message is written for the caller and says what was expected, what came and
 * where. Anything else that is thrown is a bug and reaches callers as `internal`.
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly allow: readonly string[] | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryAfterMs = details.retryAfterMs;
    this.allow = details.allow;
  }
}
