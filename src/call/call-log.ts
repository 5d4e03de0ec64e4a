import { type DestinationStream, type Logger, pino } from 'pino';
import { maskTokens } from '../audit/canonical-json.ts';
import type { OutcomeEvent } from '../domain/event.ts';
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

/** One line a call. Fields from an allow-list; JSON keeps each in one line whatever came from outside. */
export function logCalls(log: Logger): CallObserver {
  return (outcome: OutcomeEvent, thrown: unknown) => {
    log.info(
      {
        requestId: outcome.requestId,
        team: outcome.team,
        app: outcome.actor.app,
        method: outcome.method,
        // A client that puts its token where it does not belong shall not find it in a log.
        path: maskTokens(outcome.path),
        operation: outcome.operation,
        status: outcome.status,
        result: outcome.result,
        source: outcome.errorSource,
        error: outcome.errorCode,
        queueMs: rounded(outcome.queueMs),
        masonMs: rounded(outcome.masonMs),
        gatewayMs: rounded(outcome.gatewayMs),
        bytesOut: outcome.bytesOut,
      },
      'call',
    );
    if (outcome.errorCode === 'internal')
      log.error({ requestId: outcome.requestId, err: thrown }, 'a bug: please report it');
    else if (outcome.status >= 500 && outcome.errorSource === 'gateway' && Error.isError(thrown)) {
      // Of our own words only: Mason's could hold a key.
      log.warn({ requestId: outcome.requestId, error: outcome.errorCode, cause: causeOf(thrown) }, 'call failed');
    }
  };
}

function causeOf(error: Error): string {
  const inner = Error.isError(error.cause) ? error.cause : error;
  const code = (inner.cause as NodeJS.ErrnoException | undefined)?.code;
  return code === undefined ? inner.message : `${inner.message} (${code})`;
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
