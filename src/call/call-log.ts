import { type DestinationStream, type Logger, pino, symbols } from 'pino';
import { LineBuffer } from '../audit/line-buffer.ts';
import type { Clock } from '../domain/clock.ts';
import type { CallObserver } from './finish.ts';

/** The gateway's log: JSON lines, nothing but what is handed over field by field. */
export function createLog(level: string, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

const FLUSH_BYTES = 32_768;
const FLUSH_MS_MAX = 200;

/** The log of calls. */
export interface CallLog {
  readonly observe: CallObserver;
  /** Hands on what is held. */
  flush(): void;
}

/**
 * One line a call: the line that stands on record, with a level and a time before it. It is bounded, escaped and masked
 * already, and making it once more would cost as much as a turn in the line does. Lines are held for at most 200 ms: pino's
 * destination measures all it holds anew with each line that it is given.
 */
export function logCalls(log: Logger, clock: Clock): CallLog {
  const stream = (log as unknown as Record<symbol, DestinationStream>)[symbols.streamSym] as DestinationStream;
  const isWanted = log.isLevelEnabled('info');
  const lines = new LineBuffer();
  const flush = (): void => {
    if (lines.length === 0) return;
    stream.write(lines.copy().toString('latin1'));
    lines.clear();
  };
  const observe: CallObserver = ({ outcome, line, thrown }) => {
    if (isWanted && line !== undefined) {
      if (lines.length === 0) clock.after(FLUSH_MS_MAX, flush);
      lines.push(`{"level":"info","time":"${isoTime(outcome.at)}","msg":"call",${line.slice(1)}\n`);
      if (lines.length >= FLUSH_BYTES) flush();
    }
    if (outcome.errorCode === 'internal') {
      log.error({ requestId: outcome.requestId, err: thrown }, 'a bug: please report it');
    } else if (outcome.status >= 500 && outcome.errorSource === 'gateway' && Error.isError(thrown)) {
      // Of our own words only: Mason's could hold a key.
      log.warn({ requestId: outcome.requestId, error: outcome.errorCode, cause: causeOf(thrown) }, 'call failed');
    }
  };
  return { observe, flush };
}

let second = -1;
let secondText = '';

/** As `Date.toISOString`, at a tenth of its cost for instants of one second. */
function isoTime(epochMs: number): string {
  const now = Math.floor(epochMs / 1_000);
  if (now !== second) {
    second = now;
    secondText = new Date(now * 1_000).toISOString().slice(0, -4);
  }
  return `${secondText}${String(epochMs % 1_000).padStart(3, '0')}Z`;
}

function causeOf(error: Error): string {
  const inner = Error.isError(error.cause) ? error.cause : error;
  const code = (inner.cause as NodeJS.ErrnoException | undefined)?.code;
  return code === undefined ? inner.message : `${inner.message} (${code})`;
}
