import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isControl } from './control.ts';
import { HeadTap } from './record/head-tap.ts';
import { isExample } from './serve-example.ts';
import { isXray } from './xray/is-xray.ts';

/** Larger than what gateways let through, so that it is the gateway's bound that a test meets. */
const HEAD_BYTES_MAX = 128 * 1024;

export interface Connection {
  readonly id: number;
  readonly tap: HeadTap;
  requests: number;
  /** Used for `/_sim` or the example frontend: in no count. */
  aside: boolean;
  /** Among those opened since the last reset. */
  counted: boolean;
}

export interface FrontHandlers {
  /** @param head the bytes it came in, latin1. */
  request(request: IncomingMessage, response: ServerResponse, connection: Connection, head: string): void;
  /**
   * A request to become a WebSocket, where there are some. What is answered in HTTP closes the connection.
   * @param head the bytes it came in, latin1; what came behind it is in `more`.
   */
  upgrade(request: IncomingMessage, response: ServerResponse, connection: Connection, head: string, more: Buffer): void;
  /** CONNECT, which Node announces apart. The socket is closed after it. */
  connect(request: IncomingMessage, connection: Connection, head: string): void;
  malformed(connection: Connection, head: string, status: number): void;
  /** The sender went away in the middle of a head, or never came to its end. */
  incomplete(): void;
}

/** Node's codes for which HTTP has a better word than 400. */
const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT';
const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  [TOO_SLOW]: '408 Request Timeout',
};
const BAD_REQUEST = '{"type":"invalid_request_error","message":"The request is not valid HTTP"}';
const NOT_ALLOWED = '{"type":"invalid_request_error","message":"CONNECT is not allowed"}';

/** The HTTP server, with an ear on each connection's bytes. */
export class Front {
  readonly server: Server;
  readonly #handlers: FrontHandlers;
  readonly #open = new Map<Socket, Connection>();
  #opened = 0;
  #lastId = 0;

  constructor(keepAliveMs: number, handlers: FrontHandlers) {
    this.#handlers = handlers;
    this.server = createServer({
      keepAliveTimeout: keepAliveMs,
      // Node waits a second longer than it says; here the time is the time.
      keepAliveTimeoutBuffer: 0,
      maxHeaderSize: HEAD_BYTES_MAX,
      // An upload may take longer than the five minutes Node would give it.
      requestTimeout: 0,
      // Node would answer a missing Host itself, and nobody would see that the request was here.
      requireHostHeader: false,
      // Everywhere else `Upgrade` is ignored (RFC 9110 section 7.8).
      shouldUpgradeCallback: (request) => isXray(request.url ?? ''),
    });
    this.server.on('connection', (socket: Socket) => this.#attach(socket));
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      const connection = this.#of(request.socket);
      connection.requests += 1;
      if (connection.requests === 1 && isAside(request.url ?? '')) {
        connection.aside = true;
        if (connection.counted) this.#opened -= 1;
      }
      handlers.request(request, response, connection, connection.tap.next());
    };
    this.server.on('request', onRequest);
    // An unknown expectation may be ignored (RFC 9110 section 10.1.1); Node's own 417 would go unseen.
    this.server.on('checkExpectation', onRequest);
    this.server.on('connect', (request: IncomingMessage, socket: Socket) => {
      const connection = this.#of(socket);
      connection.requests += 1;
      handlers.connect(request, connection, connection.tap.next());
      refuse(socket, '405 Method Not Allowed', NOT_ALLOWED);
    });
    this.server.on('upgrade', (request: IncomingMessage, socket: Socket, more: Buffer) => {
      const connection = this.#of(socket);
      connection.requests += 1;
      const head = connection.tap.next();
      handlers.upgrade(request, answerOn(request, socket), connection, head, more);
    });
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => this.#failed(error, socket));
  }

  /** Without those of `/_sim` and the example frontend. */
  get connections(): { opened: number; open: number } {
    let open = 0;
    for (const connection of this.#open.values()) if (!connection.aside) open += 1;
    return { opened: this.#opened, open };
  }

  /** Counts anew: connections that are open stay and are no longer among the opened. */
  resetCounts(): void {
    this.#opened = 0;
    for (const connection of this.#open.values()) connection.counted = false;
  }

  /** Ends everything at once, whatever is under way. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.#open.keys()) socket.destroy();
    await closed;
  }

  #attach(socket: Socket): void {
    this.#opened += 1;
    this.#lastId += 1;
    const connection = { id: this.#lastId, tap: new HeadTap(), requests: 0, aside: false, counted: true };
    this.#open.set(socket, connection);
    // A listener for `data` also makes Node's parser read from this event instead of the handle itself, where nobody could listen;
    // in front of the parser's own listener it sees each piece of bytes before the parser does.
    socket.prependListener('data', (bytes: Buffer) => connection.tap.push(bytes));
    socket.once('close', () => this.#open.delete(socket));
  }

  #of(socket: Socket): Connection {
    const connection = this.#open.get(socket);
    if (connection === undefined) throw new Error('a request came on a connection that was never opened');
    return connection;
  }

  #failed(error: NodeJS.ErrnoException, socket: Socket): void {
    // Refused before: the parser says so again of each piece that still comes.
    if (socket.writableEnded) return;
    const connection = this.#open.get(socket);
    const code = error.code ?? '';
    const status = REFUSALS[code] ?? '400 Bad Request';
    if (connection !== undefined && (code === 'HPE_INVALID_EOF_STATE' || code === TOO_SLOW)) {
      if (connection.tap.rest() !== '') this.#handlers.incomplete();
    } else if (connection !== undefined && code.startsWith('HPE_')) {
      this.#handlers.malformed(connection, connection.tap.rest(), Number.parseInt(status, 10));
    }
    if (socket.writable) refuse(socket, status, BAD_REQUEST);
    else socket.destroy();
  }
}

/** Node makes no answer for an upgrade: one that ends its connection. */
function answerOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => {
    response.detachSocket(socket);
    socket.end(() => socket.destroy());
  });
  socket.on('error', () => socket.destroy());
  // Nobody reads it while there is no WebSocket, and its end would never be seen.
  socket.on('end', () => {
    if (response.socket !== null) socket.destroy();
  });
  socket.resume();
  return response;
}

function isAside(target: string): boolean {
  return isControl(target) || isExample(target);
}

function refuse(socket: Socket, status: string, body: string): void {
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`;
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}
