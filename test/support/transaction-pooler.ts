import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Lengths of PostgreSQL's messages: a type and, with itself, the length; the first message of a client has no type. */
const TYPE_BYTES = 1;
const LENGTH_BYTES = 4;
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
const TERMINATE = 'X'.charCodeAt(0);
/** In a `ReadyForQuery`: no transaction is open. */
const IDLE = 'I'.charCodeAt(0);
const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY = Buffer.from([READY_FOR_QUERY, 0, 0, 0, 5, IDLE]);

/**
 * Stands before a PostgreSQL as PgBouncer does with `pool_mode = transaction` and a pool of one: welcomes clients by itself, and
 * lends the server's one connection to who asks, until no transaction is open.
 */
export class TransactionPooler implements AsyncDisposable {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #lent: Socket;
  readonly #waiting: { client: Socket; bytes: Buffer }[] = [];
  #borrower: Socket | undefined;
  #unread = Buffer.alloc(0);

  private constructor(lent: Socket) {
    this.#lent = lent;
    lent.on('data', (bytes: Buffer) => this.#answer(bytes));
    lent.on('error', () => {});
    this.#server = createServer((client) => {
      this.#clients.add(client);
      client.on('error', () => {});
      client.once('data', () => {
        client.write(Buffer.concat([AUTHENTICATION_OK, READY]));
        client.on('data', (bytes: Buffer) => {
          if (bytes[0] !== TERMINATE) this.#ask(client, bytes);
        });
      });
    });
  }

  static async before(serverPort: number, user: string, database: string): Promise<TransactionPooler> {
    const lent = connect(serverPort, '127.0.0.1');
    const words = Buffer.from(`\0\x03\0\0user\0${user}\0database\0${database}\0\0`, 'latin1');
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeInt32BE(words.length + LENGTH_BYTES);
    lent.write(Buffer.concat([length, words]));
    for await (const bytes of lent.iterator({ destroyOnReturn: false })) {
      if ((bytes as Buffer).at(-READY.length) === READY_FOR_QUERY) break;
    }
    const pooler = new TransactionPooler(lent);
    pooler.#server.listen(0, '127.0.0.1');
    await once(pooler.#server, 'listening');
    return pooler;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...this.#clients, this.#lent]) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #ask(client: Socket, bytes: Buffer): void {
    if (this.#borrower !== undefined && this.#borrower !== client) {
      this.#waiting.push({ client, bytes });
      return;
    }
    this.#borrower = client;
    this.#lent.write(bytes);
  }

  #answer(bytes: Buffer): void {
    this.#borrower?.write(bytes);
    this.#unread = Buffer.concat([this.#unread, bytes]);
    while (this.#unread.length > TYPE_BYTES + LENGTH_BYTES) {
      const end = TYPE_BYTES + this.#unread.readInt32BE(TYPE_BYTES);
      if (this.#unread.length < end) return;
      if (this.#unread[0] === READY_FOR_QUERY && this.#unread[end - 1] === IDLE) this.#borrower = undefined;
      this.#unread = this.#unread.subarray(end);
    }
    const next = this.#borrower === undefined ? this.#waiting.shift() : undefined;
    if (next !== undefined) this.#ask(next.client, next.bytes);
  }
}
