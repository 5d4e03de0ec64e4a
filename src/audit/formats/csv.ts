import { csvCell } from './csv-cell.ts';
import type { ExportedEvent } from './exported-event.ts';
import { asBytes, type ToldEvent, toldEvent } from './told-event.ts';

/** Reads one column of an event. */
type Cell = (told: ToldEvent, event: ExportedEvent) => string | number | undefined;

/** Columns as they are named in the record, one by one. */
const COLUMNS: readonly (readonly [name: string, cell: Cell])[] = [
  ['chain', (_, { chain }) => chain],
  ['seq', (_, { seq }) => seq],
  ['time', ({ at }) => new Date(at).toISOString()],
  ...fields('kind', 'requestId', 'act', 'operation', 'effect', 'result', 'status', 'errorSource', 'errorCode'),
  ...fields('teamId', 'team'),
  ...['kind', 'appId', 'app', 'tokenId', 'personId', 'sessionId', 'account', 'address'].map(
    (name) => [`actor.${name}`, ({ actor }: ToldEvent) => plain(actor[name])] as const,
  ),
  ...fields('method', 'path'),
  ['targets', (_, { targets }) => (targets.length === 0 ? undefined : JSON.stringify(targets))],
  ...fields('keyFingerprint', 'callerRequestId', 'joined', 'attempts', 'queueMs', 'masonMs', 'gatewayMs'),
  ...fields('bytesIn', 'bytesOut', 'openMs', 'closedBy', 'closeCode', 'closeReason', 'closes', 'details'),
  ['digest', ({ digest }) => digest],
];

/** The header row. */
export const CSV_HEAD = row(COLUMNS.map(([name]) => name));

/** An event as a row. */
export function csvEvent(event: ExportedEvent): string {
  const told = toldEvent(event);
  return asBytes(row(COLUMNS.map(([, cell]) => csvCell(cell(told, event)))));
}

function row(cells: readonly string[]): string {
  return `${cells.join(',')}\r\n`;
}

function fields(...names: readonly string[]): (readonly [string, Cell])[] {
  return names.map((name) => [name, ({ fields: all }) => plain(all[name])]);
}

/** What is no text and no number, such as attempts, as JSON. */
function plain(value: unknown): string | number | undefined {
  if (typeof value === 'string' || typeof value === 'number' || value === undefined) return value;
  return JSON.stringify(value);
}
