import { safeJson, safeText } from './safe-text.ts';

/** A problem as it is told on standard error: a line of JSON for programs; for people one line, or, with settings, one a problem. */
export function problemLines({ type, message }: { type: string; message: string }, json: boolean): string {
  if (json) return `${safeJson({ type, message })}\n`;
  return message
    .split('\n')
    .map((line) => `gateway: ${safeText(line)}\n`)
    .join('');
}
