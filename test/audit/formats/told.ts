import { lineDigest } from '../../../src/audit/chain.ts';
import { columnsOf } from '../../../src/audit/event-columns.ts';
import { eventLine } from '../../../src/audit/event-line.ts';
import type { ExportedEvent } from '../../../src/audit/formats/exported-event.ts';
import type { RecordEvent } from '../../../src/domain/event.ts';

/** An event as an export hands it to its format. */
export function exported(event: RecordEvent, seq = 1): ExportedEvent {
  const [line = '', targets = '[]'] = eventLine(event).trimEnd().split('\n');
  return {
    line,
    digest: lineDigest(line),
    columns: columnsOf(JSON.parse(line)),
    targets: JSON.parse(targets),
    seq,
    chain: 'gw-1/01M85JHMSAP5HVK3TEAEKJ76Y4',
    batch: 1,
  };
}

/** Text as whoever reads the file sees it. */
export function asText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
