import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';

/** A Mason that accepts every WebSocket and does with it what the test says. */
export interface XrayMason extends AsyncDisposable {
  readonly url: string;
  /** The next session that is opened, with the request that asked for it. */
  session(): Promise<{ readonly socket: WebSocket; readonly request: IncomingMessage }>;
}

export async function startXrayMason(options: Omit<ServerOptions, 'server' | 'noServer'> = {}): Promise<XrayMason> {
  const http = createServer();
  const server = new WebSocketServer({ ...options, server: http });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async session() {
      const [socket, request] = await once(server, 'connection');
      return { socket, request };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate();
      http.closeAllConnections();
      const closed = once(http, 'close');
      http.close();
      await closed;
    },
  };
}
