import { type Logger, pino } from 'pino';
import { createLog } from './call-log.ts';

/** For a reader that does not read. What comes beyond is dropped and counted: a log that is stuck must not fill the memory. */
const HELD_BYTES_MAX = 16_777_216;
const WRITE_BYTES_MIN = 4_096;
const HELD_MS_MAX = 200;
const FLUSH_MS_MAX = 1_000;

/** A log on a file descriptor. */
export interface OpenLog {
  readonly log: Logger;
  /** Hands on the last lines; at most 1 s for a reader that has gone. */
  flushed(): Promise<void>;
}

/**
 * Opens the log on a descriptor, written to without waiting. How many lines were dropped is its next line, once it is read again.
 *
 * @param heldBytesMax what is held at most for a reader that does not read
 */
export function openLog(level: string, fd: number, heldBytesMax = HELD_BYTES_MAX): OpenLog {
  const destination = pino.destination({
    dest: fd,
    sync: false,
    minLength: WRITE_BYTES_MIN,
    maxLength: heldBytesMax,
    periodicFlush: HELD_MS_MAX,
  });
  // Whoever read the log has gone: there is nobody to tell, and calls go on.
  destination.on('error', () => undefined);
  const log = createLog(level, destination);
  let lines = 0;
  destination.on('drop', (text) => {
    lines += String(text).split('\n').length - 1;
  });
  destination.on('drain', () => {
    if (lines === 0) return;
    log.warn({ lines }, 'the log was not read in time: lines were dropped');
    lines = 0;
  });
  const flushed = (): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, FLUSH_MS_MAX);
      // Never `flushSync`, which would wait for a reader that has gone for ever.
      destination.flush(() => resolve());
    });
  return { log, flushed };
}
