import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between one client and a server of this machine: a network that can be slow, or be cut for that client alone. */
export class TcpProxy implements AsyncDisposable {
  /** Milliseconds by which everything that the server says comes later. */
  delayMs = 0;
  /** Loses what the server says, as when a host loses its power: nothing of it comes later. */
  isDeaf = false;
  #serverPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(serverPort: number) {
    this.#serverPort = serverPort;
    this.#server = createServer((client) => {
      if (this.#isCut) return void client.destroy();
      const server = connect(this.#serverPort, '127.0.0.1');
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
      client.on('data', (bytes) => server.write(bytes));
      server.on('data', (bytes) => {
        if (this.isDeaf) return;
        if (this.delayMs === 0) client.write(bytes);
        else setTimeout(() => client.write(bytes), this.delayMs);
      });
    });
  }

  static async before(serverPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(serverPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection, and each new one. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** From now on, the name means another server. */
  failOver(serverPort: number): void {
    this.#serverPort = serverPort;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
