import { CSV_HEAD, csvEvent } from '../formats/csv.ts';
import type { ExportedEvent } from '../formats/exported-event.ts';
import { ocsfEvent } from '../formats/ocsf.ts';
import { ndjsonEvent } from './ndjson.ts';

/** How events are told to others. */
export interface ExportFormat {
  /** Media type. */
  readonly contentType: string;
  /** One event: one line or more, each with its line feed; ASCII, or text of which each character is a byte. */
  readonly event: (event: ExportedEvent) => string;
  /** What stands before the first event, with its line feed; none where not given. */
  readonly head?: string;
  /**
   * Whether it can be verified: then keys, chains, batches, checkpoints and a signed manifest stand around the events, as lines
   * of JSON.
   */
  readonly isProven: boolean;
}

/** By the name that is asked for. */
export const EXPORT_FORMATS = {
  ndjson: { contentType: 'application/x-ndjson', event: ndjsonEvent, isProven: true },
  csv: { contentType: 'text/csv; charset=utf-8; header=present', event: csvEvent, head: CSV_HEAD, isProven: false },
  ocsf: { contentType: 'application/x-ndjson', event: ocsfEvent, isProven: false },
} as const satisfies Readonly<Record<string, ExportFormat>>;

export type ExportFormatName = keyof typeof EXPORT_FORMATS;
