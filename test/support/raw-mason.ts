import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A Mason made of bytes: for what no HTTP server can be brought to do. */
export interface RawMason extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Connections so far, and bytes heard, latin1. */
  readonly connections: number;
  readonly heard: string;
  close(): Promise<void>;
}

/** @param answer hears each request's head; `number` counts requests on this connection from 1 */
export async function startRawMason(
  answer: (socket: Socket, head: string, number: number) => void,
  server: Server = createServer(),
): Promise<RawMason> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let heard = '';
  const serve = (socket: Socket): void => {
    connections += 1;
    sockets.add(socket);
    let partial = '';
    let number = 0;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString('latin1');
      partial += bytes.toString('latin1');
      for (let end = partial.indexOf('\r\n\r\n'); end !== -1; end = partial.indexOf('\r\n\r\n')) {
        const head = partial.slice(0, end + 4);
        partial = partial.slice(end + 4);
        number += 1;
        answer(socket, head, number);
      }
    });
  };
  server.on('connection', serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    get heard() {
      return heard;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
