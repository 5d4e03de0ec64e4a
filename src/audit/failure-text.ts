const CHARS_MAX = 500;

/** A failure in words for an operator: never more than one line. */
export function failureText(error: unknown): string {
  const message = errorField(error, 'message');
  return (typeof message === 'string' ? message : String(error)).replace(/\s+/g, ' ').slice(0, CHARS_MAX);
}

/** Not by instanceof: errors of SQLite's come from another realm in jest. */
export function errorField(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
