import type { SignedCheckpoint } from '../../domain/checkpoint.ts';
import { batchEvents } from '../batch-events.ts';
import { type ChainHead, chainBegin, chainName, type Head } from '../chain.ts';
import { startLine } from '../gateway-events.ts';
import { UsageTally } from '../usage-tally.ts';
import type { BatchesWriter, WriterState } from '../writer-protocol.ts';
import { beginChain, closeChain, findPreviousHead, readBack, type WrittenChain } from './chain-row.ts';
import { makePartition, weekOf } from './partitions.ts';
import { RecordNames } from './record-names.ts';
import { inThread, type ThreadSettings } from './thread-settings.ts';
import { writeBatch } from './write-batch.ts';
import { openWritingConnection, type WritingConnection } from './writing-connection.ts';

export interface PostgresRunOptions {
  readonly settings: ThreadSettings;
  readonly gatewayId: string;
  /** Milliseconds for connecting, and for a statement. */
  readonly askMsMax: number;
  /** Where a writer of the same run stood that died. */
  readonly resume: PostgresRunState | undefined;
}

export interface PostgresRunState extends WriterState {
  /** Number of the chain in this database. */
  readonly chainId: number;
}

/** So long before a week begins its partition is made: no commit has to wait for it then. */
const AHEAD_MS = 3_600_000;

/**
 * Writes the chain of one run into PostgreSQL. Whatever fails, the connection is given up; the next write connects again and
 * takes what the database says for true: a batch that turns out to be there is not written twice. Only where the database
 * does not know what was answered to be there, or had the chain closed, the run goes on under another name, in a chain
 * that names the head of this one.
 */
export class PostgresRunWriter implements BatchesWriter<PostgresRunState> {
  readonly tally = new UsageTally();
  readonly #options: PostgresRunOptions;
  #connection: WritingConnection | undefined;
  #chain: WrittenChain | undefined;
  #head: Head = { seq: 0, batch: -1, link: new Uint8Array() };
  /** Where this run's chain before this one ended, as this run knows it: what was lost or altered since shows by it. */
  #before: ChainHead | undefined;
  #names = new RecordNames();
  readonly #weeks = new Set<number>();

  constructor(options: PostgresRunOptions) {
    this.#options = options;
    const { resume, gatewayId } = options;
    if (resume === undefined) return;
    this.#chain = { id: resume.chainId, run: resume.run, name: chainName(gatewayId, resume.run) };
    this.#head = resume.head;
  }

  /** See `BatchesWriter.write`. */
  async write(batch: number, text: string): Promise<PostgresRunState> {
    try {
      const { chain, connection } = await this.#ready();
      if (batch > Math.max(this.#head.batch, this.#before?.batch ?? 0))
        await this.#commit(connection, chain, batch, text);
      return { run: chain.run, head: this.#head, chainId: chain.id };
    } catch (error) {
      this.#letGo();
      throw error;
    }
  }

  /** See `BatchesWriter.keep`. */
  async keep(seq: number, { text, keyId, signature }: SignedCheckpoint): Promise<void> {
    const connection = this.#connection;
    const chain = this.#chain;
    if (connection === undefined || chain === undefined) return;
    try {
      await connection.ask((client) =>
        client.query(
          `INSERT INTO record_checkpoint (chain, seq, text, key_id, signature) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT DO NOTHING`,
          [chain.id, seq, text, keyId, signature],
        ),
      );
    } catch (error) {
      this.#letGo();
      throw error;
    }
  }

  /** See `BatchesWriter.rest`. */
  async rest(): Promise<void> {
    const connection = this.#connection;
    const week = weekOf(Date.now() + AHEAD_MS);
    if (connection === undefined || this.#weeks.has(week)) return;
    try {
      await this.#makePartition(connection, week);
    } catch {
      // The next write connects again, and makes what is missing.
      this.#letGo();
    }
  }

  /** See `BatchesWriter.close`. */
  async close(): Promise<void> {
    const connection = this.#connection;
    const chain = this.#chain;
    // A chain that cannot be closed now is closed by another run, later.
    if (connection !== undefined && chain !== undefined) {
      await connection.ask((client) => closeChain(client, chain)).catch(() => undefined);
    }
    this.#letGo();
  }

  async #ready(): Promise<{ connection: WritingConnection; chain: WrittenChain }> {
    if (this.#connection?.isBroken === true) this.#letGo();
    if (this.#connection !== undefined && this.#chain !== undefined) {
      return { connection: this.#connection, chain: this.#chain };
    }
    const { settings, askMsMax } = this.#options;
    const connection = await openWritingConnection(inThread(settings), askMsMax);
    this.#connection = connection;
    const chain = (await this.#goOn(connection)) ?? (await this.#begin(connection));
    if (this.#head.seq === 0) await this.#start(connection, chain);
    return { connection, chain };
  }

  /** Undefined when there is no chain to go on with. */
  async #goOn(connection: WritingConnection): Promise<WrittenChain | undefined> {
    const chain = this.#chain;
    if (chain === undefined) return undefined;
    const found = await connection.ask((client) => readBack(client, chain, this.#head));
    if (found === undefined) return undefined;
    if (found.head.batch > this.#head.batch) this.tally.unsure();
    this.#head = found.head;
    return found.isOpen ? chain : undefined;
  }

  async #begin(connection: WritingConnection): Promise<WrittenChain> {
    const chain = await connection.ask((client) => beginChain(client, this.#options.gatewayId));
    if (this.#chain !== undefined && this.#head.seq > 0) this.#before = { chain: this.#chain.name, ...this.#head };
    this.#chain = chain;
    this.#head = chainBegin(chain.name);
    // Its names may be of another database by now.
    this.#names = new RecordNames();
    return chain;
  }

  async #start(connection: WritingConnection, chain: WrittenChain): Promise<void> {
    const { gatewayId } = this.#options;
    const previous = this.#before ?? (await connection.ask((client) => findPreviousHead(client, gatewayId, chain.run)));
    await this.#commit(connection, chain, 0, startLine(chain.name, Date.now(), previous));
  }

  async #commit(connection: WritingConnection, chain: WrittenChain, n: number, text: string): Promise<void> {
    const events = batchEvents(text, this.tally);
    if (events.length === 0) return;
    for (const week of new Set(events.map(({ columns }) => weekOf(columns.at)))) {
      if (!this.#weeks.has(week)) await this.#makePartition(connection, week);
    }
    const head = await connection.ask(async (client) => {
      await this.#names.learn(client, events);
      return writeBatch(client, chain.id, n, events, this.#head, this.#names);
    });
    if (head === undefined)
      throw new Error('the chain does not stand where it stood: somebody else wrote or closed it');
    this.#head = head;
  }

  async #makePartition(connection: WritingConnection, week: number): Promise<void> {
    await connection.ask((client) => makePartition(client, week));
    this.#weeks.add(week);
  }

  #letGo(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
    // A partition may be gone, which is one way to fail.
    this.#weeks.clear();
  }
}
