import { GatewayError } from '../domain/errors.ts';

/** Seconds as people read them: one decimal below a hundred, none above. */
function seconds(ms: number): string {
  const value = Math.max(0, ms) / 1_000;
  return `${value < 100 ? Number(value.toFixed(1)) : Math.ceil(value)} s`;
}

/** The call would have to wait longer than it may. `retryAfterMs` is the wait: by then those before it have gone. */
export function deadlineUnreachable(appId: string, waitMs: number, leftMs: number): GatewayError {
  const may = leftMs > 0 ? `the call may wait ${seconds(leftMs)}` : 'the time that the call may wait is over';
  return new GatewayError(
    'deadline_unreachable',
    `The line for this rate budget is ${seconds(waitMs)} long for app ${appId}; ${may}. Come back after Retry-After, or allow a longer wait (Prefer: wait=<seconds>).`,
    { retryAfterMs: Math.max(0, waitMs) },
  );
}

/** The line holds as much as it may. */
export function queueFull(what: string, waitMs: number): GatewayError {
  return new GatewayError(
    'queue_full',
    `The line for this rate budget is full: ${what}. Come back after Retry-After.`,
    {
      retryAfterMs: Math.max(0, waitMs),
    },
  );
}

export function callerGone(reason: unknown): GatewayError {
  return new GatewayError('caller_gone', 'The caller left while the call waited for its turn; nothing was sent.', {
    cause: reason,
  });
}

export function laneClosed(): GatewayError {
  return new GatewayError('shutting_down', 'The line closed while the call waited for its turn; nothing was sent.');
}

/** How much the line holds, beside what it may. */
export function heldIn(
  line: { readonly waiting: number; readonly waitingBytes: number },
  bounds: { readonly waitingCallsMax: number; readonly waitingBytesMax: number },
): string {
  return `it holds ${line.waiting} calls (at most ${bounds.waitingCallsMax}) with ${line.waitingBytes} bytes (at most ${bounds.waitingBytesMax})`;
}
