/** SQLite's primary result codes for what passes without a new file: BUSY, LOCKED, FULL, CANTOPEN. */
const PASSING = new Set([5, 6, 13, 14]);

/** Whether a failure is of the surroundings (a lock, a full disk, a missing directory) rather than of the file itself. */
export function isPassing(error: unknown): boolean {
  const code = errorField(error, 'errcode');
  // Extended codes hold the primary one in their low byte. Without one it is the file system's error, or our own.
  return typeof code === 'number' ? PASSING.has(code % 256) : true;
}

/** A failure in words for an operator: never more than one line. */
export function failureText(error: unknown): string {
  const message = errorField(error, 'message');
  return (typeof message === 'string' ? message : String(error)).replace(/\s+/g, ' ').slice(0, 500);
}

/** Not by instanceof: errors of SQLite's come from another realm in jest. */
function errorField(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
