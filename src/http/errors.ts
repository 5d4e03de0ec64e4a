import { type ErrorCode, GatewayError } from '../domain/errors.ts';

/** The `type` values of an error body: `authentication_error` is Mason's documented one, the others are of its family. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'rate_limit_error'
  | 'api_error';

/** The contract on the wire: each of our errors, its status and its type. Exhaustive by its type. */
const ANSWERS: Readonly<Record<ErrorCode, readonly [status: number, type: ErrorType]>> = {
  invalid_path: [400, 'invalid_request_error'],
  invalid_request: [400, 'invalid_request_error'],
  unauthenticated: [401, 'authentication_error'],
  forbidden: [403, 'permission_error'],
  // A page of another site, or one that did not say that it is a page of ours.
  csrf_refused: [403, 'permission_error'],
  too_many_tries: [429, 'rate_limit_error'],
  no_key: [403, 'permission_error'],
  unknown_operation: [404, 'not_found_error'],
  not_found: [404, 'not_found_error'],
  method_not_allowed: [405, 'invalid_request_error'],
  request_timeout: [408, 'invalid_request_error'],
  conflict: [409, 'conflict_error'],
  payload_too_large: [413, 'invalid_request_error'],
  uri_too_long: [414, 'invalid_request_error'],
  unsupported_media_type: [415, 'invalid_request_error'],
  expectation_failed: [417, 'invalid_request_error'],
  confirmation_required: [428, 'invalid_request_error'],
  queue_full: [429, 'rate_limit_error'],
  deadline_unreachable: [429, 'rate_limit_error'],
  headers_too_large: [431, 'invalid_request_error'],
  // nginx's number for "the client closed the request": nobody receives it, it stands on record.
  caller_gone: [499, 'invalid_request_error'],
  internal: [500, 'api_error'],
  not_implemented: [501, 'invalid_request_error'],
  // Of what was streamed and cannot be sent again from here; all else waits for another turn.
  mason_refused_rate: [429, 'rate_limit_error'],
  mason_rejected_key: [502, 'api_error'],
  mason_unreachable: [502, 'api_error'],
  mason_bad_answer: [502, 'api_error'],
  record_unavailable: [503, 'api_error'],
  store_unavailable: [503, 'api_error'],
  // The identity provider does not answer: nobody can sign in, everybody who is signed in goes on.
  sign_in_unavailable: [503, 'api_error'],
  shutting_down: [503, 'api_error'],
  mason_timeout: [504, 'api_error'],
};

/** `Retry-After` of a 503 or 429 whose cause names no time. */
const RETRY_AFTER_DEFAULT_MS = 1_000;

export interface ErrorAnswer {
  readonly status: number;
  readonly type: ErrorType;
  readonly message: string;
  /** Headers that the status asks for: `Allow`, `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The code on record. */
  readonly code: ErrorCode;
}

/** How an error reaches a caller. What is not a {@link GatewayError} is a bug: its text stays inside. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (!(error instanceof GatewayError)) {
    return { status: 500, type: 'api_error', message: 'internal error of the gateway', headers: {}, code: 'internal' };
  }
  const [status, type] = ANSWERS[error.code];
  const headers: Record<string, string> = {};
  if (error.allow !== undefined) headers['Allow'] = error.allow.join(', ');
  if (status === 429 || status === 503)
    headers['Retry-After'] = retryAfter(error.retryAfterMs ?? RETRY_AFTER_DEFAULT_MS);
  return { status, type, message: error.message, headers, code: error.code };
}

/** Whole seconds, rounded up (RFC 9110 section 10.2.3), at least 1. */
export function retryAfter(milliseconds: number): string {
  return String(Math.max(1, Math.ceil(milliseconds / 1_000)));
}

/** The body of every error: exactly these two fields. */
export function errorBody(answer: { type: string; message: string }): string {
  return JSON.stringify({ type: answer.type, message: answer.message });
}
