import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { type OpenedRecord, openRecord, type RecordOptions } from '../../../src/audit/open-record.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import type { PostgresSettings } from '../../../src/store/postgres/postgres-settings.ts';
import { settingsOf } from '../../store/postgres-pairs.ts';

/** What one database is emptied by: it takes a hundred times as long to make one. Partitions stay. */
const EMPTY = `DO $$ BEGIN
  IF to_regclass('record_chain') IS NOT NULL THEN
    TRUNCATE record_chain, record_batch, record_event, record_target, record_checkpoint, record_caller, record_owner,
      record_operation, record_class RESTART IDENTITY;
  END IF;
END $$`;

/** A database for records, and records in it, as many gateways as a test wants. */
export class RecordDatabase implements AsyncDisposable {
  readonly url: string;
  readonly settings: PostgresSettings;
  readonly #opened = new Set<OpenedRecord>();

  constructor(url: string) {
    this.url = url;
    this.settings = settingsOf(url);
  }

  async open(more: Partial<RecordOptions> = {}): Promise<OpenedRecord> {
    const record = await openRecord({
      directory: '/nowhere',
      database: this.settings,
      gatewayId: 'gw-1',
      clock: systemClock,
      intentMsMax: 10_000,
      lagEventsMax: 10_000,
      lagBytesMax: 10_000_000,
      ...more,
    });
    this.#opened.add(record);
    return record;
  }

  /** Closes what tests left open, and takes out all that is in it. */
  async empty(): Promise<void> {
    await this.closeAll();
    await this.ask(EMPTY);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#opened].map((record) => record.close()));
    this.#opened.clear();
  }

  /** As an operator or a thief would. */
  async ask(text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /** Reads the chains as a stranger would who knows only the format: from the stored bytes, with code of its own. */
  async chains(): Promise<StoredChain[]> {
    const chains: StoredChain[] = [];
    for (const { id, gateway_id, run, seq, link } of await this.ask('SELECT * FROM record_chain ORDER BY id')) {
      const chain = `${String(gateway_id)}/${String(run)}`;
      const faults: string[] = [];
      let head = { seq: 0, link: createHash('sha256').update(chain).digest('hex') };
      const rows = await this.ask(
        'SELECT (id & 1099511627775) AS seq, digest, line FROM record_event WHERE (id >> 40) = $1 ORDER BY id',
        [id],
      );
      const events = rows.map((row) => ({ ...row, seq: Number(row['seq']), line: String(row['line']) }));
      for (const batch of await this.ask('SELECT * FROM record_batch WHERE chain = $1 ORDER BY first_seq', [id])) {
        const [first, last] = [Number(batch['first_seq']), Number(batch['last_seq'])];
        if (first !== head.seq + 1) faults.push(`batch ${first} does not follow ${head.seq}`);
        const own = events.filter((event) => event.seq >= first && event.seq <= last);
        if (own.length !== last - first + 1) faults.push(`batch ${first} has ${own.length} events`);
        const sha = createHash('sha256').update(Buffer.from(head.link, 'hex'));
        for (const { line } of own) sha.update(createHash('sha256').update(line).digest());
        head = { seq: last, link: sha.digest('hex') };
        if (head.link !== (batch['link'] as Buffer).toString('hex')) faults.push(`link of batch ${first} differs`);
      }
      if (events.length !== head.seq || head.seq !== Number(seq))
        faults.push(`it ends at ${head.seq}, not ${String(seq)}`);
      if (head.seq > 0 && head.link !== (link as Buffer).toString('hex')) faults.push('the head differs');
      chains.push({ chain, faults, head, events: events.map(({ line }) => JSON.parse(line)) });
    }
    return chains;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeAll();
  }
}

export interface StoredChain {
  readonly chain: string;
  readonly events: readonly Record<string, unknown>[];
  /** What does not fit, in words; empty when the chain is whole. */
  readonly faults: readonly string[];
  readonly head: { readonly seq: number; readonly link: string };
}
