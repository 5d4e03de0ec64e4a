import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredEvent } from '../domain/event.ts';
import type { EventPage } from '../manage/audit-acts.ts';
import { AwayError } from './cli-error.ts';
import { EVENT_COLUMNS, EVENT_WIDTHS } from './event-lines.ts';
import { safeJson } from './safe-text.ts';
import { padded, tableLines } from './table.ts';
import type { VerbContext } from './verb.ts';

const LOOK_EVERY_MS = 1_000;
const EVENTS_A_LOOK = 1_000;
/** A gateway that is away is asked after this part of a look's time, then after twice that, at last as often as one that is there. */
const RETRY_PART_MIN = 0.1;

/**
 * Prints the newest events and then each that comes, oldest first, until it is interrupted. With --json a line each. When the
 * gateway goes away meanwhile it is waited for: the page key says what was seen, so that nothing is lost or comes twice.
 */
export async function followRecord(
  context: VerbContext,
  filter: Readonly<Record<string, unknown>>,
  limit: string,
): Promise<void> {
  const { print, lookEveryMs = LOOK_EVERY_MS } = context;
  const interrupted = context.untilInterrupted();
  if (!print.json)
    await print.lines([
      padded(
        EVENT_COLUMNS.map(([title]) => title),
        EVENT_WIDTHS,
      ),
    ]);
  let page = await look(context, { ...filter, limit, follow: true }, interrupted);
  let before: string | undefined;
  while (page !== undefined) {
    await print.lines(page.data.toReversed().map((event) => (print.json ? safeJson(event) : eventRow(event))));
    before = page.prevPage ?? before;
    if (!(await waited(lookEveryMs, interrupted))) return;
    page = await look(context, { ...filter, limit: EVENTS_A_LOOK, before, follow: true }, interrupted);
  }
}

/** A page, as soon as the gateway gives it; undefined when it was interrupted before. */
async function look(
  { acts, print, lookEveryMs = LOOK_EVERY_MS }: VerbContext,
  input: Readonly<Record<string, unknown>>,
  interrupted: AbortSignal,
): Promise<EventPage | undefined> {
  for (let failures = 0; ; failures += 1) {
    try {
      const page = await unlessInterrupted(acts.perform('audit.query', input), interrupted);
      if (page !== undefined && failures > 0) await print.aside('The gateway answers again.');
      return page;
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      const { type, message } = error;
      if (failures === 0) await print.problem({ type, message: `the gateway is away, and waited for: ${message}` });
    }
    const retryMs = lookEveryMs * Math.min(1, RETRY_PART_MIN * 2 ** failures);
    if (!(await waited(retryMs, interrupted))) return undefined;
  }
}

function eventRow(event: StoredEvent): string {
  const [, row = ''] = tableLines(
    EVENT_COLUMNS.map(([title, cell], at) => [title.padEnd(EVENT_WIDTHS[at] ?? 0), cell] as const),
    [event],
  );
  return row;
}

/** Undefined when it was interrupted first: an answer may take minutes, and Ctrl-C shall not. */
async function unlessInterrupted<T>(promise: Promise<T>, interrupted: AbortSignal): Promise<T | undefined> {
  const ended = Promise.withResolvers<undefined>();
  const end = (): void => ended.resolve(undefined);
  if (interrupted.aborted) end();
  interrupted.addEventListener('abort', end);
  try {
    return await Promise.race([ended.promise, promise]);
  } finally {
    interrupted.removeEventListener('abort', end);
  }
}

/** False when it was interrupted meanwhile. */
async function waited(delayMs: number, interrupted: AbortSignal): Promise<boolean> {
  try {
    await sleep(delayMs, undefined, { signal: interrupted });
    return true;
  } catch {
    return false;
  }
}
