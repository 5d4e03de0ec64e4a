import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredEvent } from '../domain/event.ts';
import { EVENT_COLUMNS, EVENT_WIDTHS } from './event-lines.ts';
import { safeJson } from './safe-text.ts';
import { padded, tableLines } from './table.ts';
import type { VerbContext } from './verb.ts';

const LOOK_EVERY_MS = 1_000;
const EVENTS_A_LOOK = 1_000;

/** Prints the newest events and then each that comes, oldest first, until it is interrupted. With --json a line each. */
export async function followRecord(
  { acts, print, untilInterrupted }: VerbContext,
  filter: Readonly<Record<string, unknown>>,
  limit: string,
): Promise<void> {
  const interrupted = untilInterrupted();
  const printEvents = async (newestFirst: readonly StoredEvent[]): Promise<void> => {
    await print.lines(newestFirst.toReversed().map((event) => (print.json ? safeJson(event) : eventRow(event))));
  };
  if (!print.json)
    await print.lines([
      padded(
        EVENT_COLUMNS.map(([title]) => title),
        EVENT_WIDTHS,
      ),
    ]);
  const first = await acts.perform('audit.query', { ...filter, limit, follow: true });
  await printEvents(first.data);
  let before = first.prevPage;
  while (await waited(interrupted)) {
    const page = await acts.perform('audit.query', { ...filter, limit: EVENTS_A_LOOK, before, follow: true });
    await printEvents(page.data);
    before = page.prevPage ?? before;
  }
}

function eventRow(event: StoredEvent): string {
  const [, row = ''] = tableLines(
    EVENT_COLUMNS.map(([title, cell], at) => [title.padEnd(EVENT_WIDTHS[at] ?? 0), cell] as const),
    [event],
  );
  return row;
}

/** False when it was interrupted meanwhile. */
async function waited(interrupted: AbortSignal): Promise<boolean> {
  try {
    await sleep(LOOK_EVERY_MS, undefined, { signal: interrupted });
    return true;
  } catch {
    return false;
  }
}
