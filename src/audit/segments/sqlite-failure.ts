import { errorField } from '../failure-text.ts';

/** SQLite's primary result codes for what passes without a new file: BUSY, LOCKED, FULL, CANTOPEN. */
const PASSING = new Set([5, 6, 13, 14]);

/** Whether a failure is of the surroundings (a lock, a full disk, a missing directory) rather than of the file itself. */
export function isPassing(error: unknown): boolean {
  const code = errorField(error, 'errcode');
  // Extended codes hold the primary one in their low byte. Without one it is the file system's error, or our own.
  return typeof code === 'number' ? PASSING.has(code % 256) : true;
}
