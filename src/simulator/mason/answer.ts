/** One complete answer, before faults get at it. Headers are name and value in turn, as Node's writeHead takes them. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string | Buffer;
  /** In place of the body, for what is too large to be one: a stretch of the pattern (`pattern.ts`), without its `end`. */
  readonly stretch?: { readonly start: number; readonly end: number };
}

/** The categories: only `authentication_error` is documented, the others are assumed (the family that text comes from). */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'rate_limit_error'
  | 'api_error';

const JSON_TYPE = ['Content-Type', 'application/json; charset=utf-8'] as const;

export function jsonAnswer(value: unknown): Answer {
  return textAnswer(JSON.stringify(value));
}

/** @param json is a JSON text already: long lists are joined from texts that were made once. */
export function textAnswer(json: string): Answer {
  return { status: 200, headers: JSON_TYPE, body: json };
}

export function errorAnswer(status: number, type: ErrorType, message: string, headers: readonly string[] = []): Answer {
  return { status, headers: [...JSON_TYPE, ...headers], body: JSON.stringify({ type, message }) };
}

/** Thrown by a handler; becomes the documented error. */
export class MasonError extends Error {
  readonly answer: Answer;

  constructor(status: number, type: ErrorType, message: string) {
    super(message);
    this.answer = errorAnswer(status, type, message);
  }
}

export function invalid(message: string): MasonError {
  return new MasonError(400, 'invalid_request_error', message);
}

export function notFound(message: string): MasonError {
  return new MasonError(404, 'not_found_error', message);
}

export function conflict(message: string): MasonError {
  return new MasonError(409, 'conflict_error', message);
}
