import { type ExportAsked, type ExportPiece, exportRecord } from '../../src/audit/export/export-record.ts';
import type { RecordArchive } from '../../src/domain/archive.ts';
import { GatewayError } from '../../src/domain/errors.ts';
import type { AdminEvent, RecordEvent, StoredEvent } from '../../src/domain/event.ts';
import type { AuditRecord, RecordFilter } from '../../src/domain/record.ts';

/** A record that remembers, and can be told to fail. */
export class MemoryRecord implements Pick<AuditRecord, 'append' | 'intend' | 'query'> {
  readonly events: AdminEvent[] = [];
  /** What was asked of it, newest last. */
  readonly queries: { filter: RecordFilter; page: object }[] = [];
  readonly exports: ExportAsked[] = [];
  /** What is exported. */
  archive: RecordArchive | undefined;
  broken = false;
  /** Happens when an act is on record as intended, before it is carried out: not when it is done. */
  onIntend: (() => void | Promise<void>) | undefined;

  async intend(event: RecordEvent): Promise<void> {
    if (this.broken) throw new GatewayError('record_unavailable', 'the record cannot be written');
    this.#write(event);
    if (event.kind === 'admin' && event.result === 'intended') await this.onIntend?.();
  }

  append(event: RecordEvent): string {
    if (!this.broken) this.#write(event);
    return JSON.stringify(event);
  }

  async query(filter: RecordFilter, page: { limit: number; before?: string; after?: string }) {
    this.queries.push({ filter, page });
    const matching = this.events
      .map((event, index): StoredEvent => ({ chain: 'gw/1', seq: index + 1, digest: 'd', event: { ...event } }))
      .filter(({ event }) => filter.requestId === undefined || event['requestId'] === filter.requestId)
      .filter(({ event }) => filter.teams === undefined || filter.teams.includes(String(event['teamId'])))
      .filter(({ event }) => filter.team === undefined || event['team'] === filter.team)
      .filter(({ seq }) => page.before === undefined || seq >= Number(page.before))
      .filter(({ seq }) => page.after === undefined || seq < Number(page.after))
      .toReversed();
    const events = matching.slice(0, page.limit);
    const oldest = events.at(-1);
    return {
      events,
      ...(matching.length > events.length && oldest !== undefined ? { nextPage: String(oldest.seq) } : {}),
      prevPage: String(this.events.length + 1),
    };
  }

  /** Of the record that the test put there; else a line. */
  async *exported(asked: ExportAsked): AsyncIterable<ExportPiece> {
    this.exports.push(asked);
    if (this.archive !== undefined) {
      yield* exportRecord(this.archive, asked);
      return;
    }
    yield { kind: 'text', text: '{"exported":1}\n', events: 1 };
    yield { kind: 'end', events: 1, manifest: undefined };
  }

  acts(): string[] {
    return this.events.map((event) => `${event.act} ${event.result}${event.errorCode ? ` ${event.errorCode}` : ''}`);
  }

  /** Only what an administrator could have typed gets in here: the tests give no other events. */
  #write(event: RecordEvent): void {
    if (event.kind === 'admin') this.events.push(event);
  }
}
