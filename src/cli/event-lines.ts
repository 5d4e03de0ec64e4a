import type { StoredEvent } from '../domain/event.ts';
import { localTime } from './local-time.ts';
import { safeText } from './safe-text.ts';
import type { Column } from './table.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An event as a row. */
export const EVENT_COLUMNS: readonly Column<StoredEvent>[] = [
  ['TIME', ({ event }) => (typeof event['at'] === 'number' ? localTime(event['at']) : null)],
  ['KIND', ({ event }) => text(event['kind'])],
  ['TEAM', ({ event }) => text(event['team'])],
  ['WHO', ({ event }) => whoOf(event['actor'])],
  ['WHAT', ({ event }) => text(event['act'] ?? event['operation']) ?? requestLine(event)],
  ['STATUS', ({ event }) => text(event['status'] ?? event['errorCode'])],
  ['RESULT', ({ event }) => text(event['result'])],
  ['LINE', ({ event }) => duration(event['queueMs'])],
  ['MASON', ({ event }) => duration(event['masonMs'])],
  ['REQUEST ID', ({ event }) => text(event['requestId'])],
];

/** Widths for events that come one by one, when those to come are not known. */
export const EVENT_WIDTHS: readonly number[] = [25, 8, 12, 16, 20, 6, 9, 7, 7, 36];

/** An event whole: a line a field. */
export function eventLines(stored: StoredEvent): string[] {
  const { kind, actor, ...facts } = stored.event;
  const fields = [
    ...Object.entries(Object(actor) as Fields).map(([field, value]) => [`actor.${field}`, value] as const),
    ...Object.entries(facts),
    ['sha256', stored.digest] as const,
  ].filter(([, value]) => value !== undefined && value !== null);
  const width = Math.max(...fields.map(([field]) => field.length));
  return [
    `${safeText(text(kind) ?? 'event')}  ${safeText(stored.chain)} #${stored.seq}`,
    ...fields.map(([field, value]) => `  ${safeText(field).padEnd(width)}  ${shown(field, value)}`),
  ];
}

function shown(field: string, value: unknown): string {
  if (field === 'at' && typeof value === 'number') return localTime(value);
  return safeText(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

function whoOf(actor: unknown): string | null {
  const { app, person, account, kind, address } = Object(actor) as Fields;
  const name = text(app ?? person ?? account ?? kind);
  return name === null || address === undefined ? name : `${name}@${text(address)}`;
}

function requestLine(event: Fields): string | null {
  if (event['method'] === undefined) return null;
  return `${text(event['method'])} ${text(event['path'])}`;
}

function duration(value: unknown): string | null {
  return typeof value === 'number' ? `${Math.round(value)}ms` : null;
}

function text(value: unknown): string | null {
  return value === undefined || value === null ? null : String(value);
}
