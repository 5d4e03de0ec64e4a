const REASON_CHARACTERS_MAX = 256;
const CAUSES_MAX = 8;

/** An error and what caused it, outermost first. */
export function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let next = error; next !== undefined && next !== null && causes.length < CAUSES_MAX; ) {
    causes.push(next);
    next = (next as { cause?: unknown }).cause;
  }
  return causes;
}

/**
 * What went wrong underneath, for the record and the log, at most 256 characters. The errors of openid-client and jose carry
 * whole answers with their tokens as causes, and a parser's message quotes what it could not read: neither is kept.
 */
export function reasonOf(error: unknown): string {
  const errors = causesOf(error).filter((cause) => Error.isError(cause) && cause.name !== 'SyntaxError');
  const { message, code, name } = (errors.at(-1) ?? new Error('unreadable')) as Error & { code?: unknown };
  // Several addresses that all refused make an error without a message.
  return (message || (typeof code === 'string' ? code : name)).slice(0, REASON_CHARACTERS_MAX);
}
