import type { EventColumns } from '../domain/archive.ts';
import { lineDigest } from './chain.ts';
import { columnsOf, eventFields } from './event-columns.ts';
import type { UsageTally } from './usage-tally.ts';

/** An event of a batch, on its way into a store. */
export interface BatchEvent {
  readonly line: string;
  readonly digest: Uint8Array;
  readonly columns: EventColumns;
  /** Kind, name, kind, name …, in the order of the list that the line holds a digest of. */
  readonly targets: readonly string[];
}

/**
 * The events of a batch.
 *
 * @param text lines as `eventLine` makes them
 * @param tally counts them
 */
export function batchEvents(text: string, tally: UsageTally): BatchEvent[] {
  const events: BatchEvent[] = [];
  for (let begin = 0, end = text.indexOf('\n'); end !== -1; begin = end + 1, end = text.indexOf('\n', begin)) {
    const line = text.slice(begin, end);
    const last = events.at(-1);
    if (!line.startsWith('[')) {
      const fields = eventFields(line);
      tally.add(fields);
      events.push({ line, digest: lineDigest(line), columns: columnsOf(fields), targets: [] });
    } else if (last !== undefined) {
      events[events.length - 1] = { ...last, targets: JSON.parse(line) };
    }
  }
  return events;
}
