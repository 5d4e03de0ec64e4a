import type { ExportedEvent } from './exported-event.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What an event says, for those who tell it in words of their own. */
export interface ToldEvent {
  /** Its fields; of an event whose bytes were let go, those that are left beside it. */
  readonly fields: Fields;
  readonly actor: Fields;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly digest: string;
}

export function toldEvent({ line, columns, digest }: ExportedEvent): ToldEvent {
  const fields: Fields = line === undefined ? { ...columns } : JSON.parse(line);
  return {
    fields,
    actor: Object(fields['actor']),
    at: typeof fields['at'] === 'number' ? fields['at'] : 0,
    digest: Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('hex'),
  };
}

/** Text as an export carries it: each character a byte of its UTF-8. */
export function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
