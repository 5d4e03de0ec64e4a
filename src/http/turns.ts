import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Nobody sends so many at once; Node would read and hold any number of them. */
const PIPELINED_MAX = 100;

/**
 * Requests come to their turn one by one on each connection. Node hands them out as they arrive; but only what changes
 * nothing may be worked on side by side (RFC 9112 section 9.3.2), an answer that closes the connection ends what waits
 * behind it (section 9.6), and of answers that nobody reads at most one is held.
 */
export class Turns {
  readonly #connections = new WeakMap<Socket, { unanswered: number; last: ServerResponse | undefined }>();

  /** Serves a request when all before it are answered, unless the connection has ended by then. */
  serve(req: IncomingMessage, res: ServerResponse, act: (req: IncomingMessage, res: ServerResponse) => void): void {
    const { socket } = req;
    const connection = this.#connections.getOrInsertComputed(socket, () => ({ unanswered: 0, last: undefined }));
    if (connection.unanswered >= PIPELINED_MAX) {
      socket.destroy();
      return;
    }
    const before = connection.last;
    connection.last = res;
    connection.unanswered++;
    // Not `once`, which is another closure and a removal: it is emitted once.
    res.on('close', () => {
      connection.unanswered--;
      if (connection.last === res) connection.last = undefined;
    });
    if (before !== undefined) before.once('close', () => socket.writable && act(req, res));
    else if (socket.writable) act(req, res);
  }

  /** Acts when all requests so far are answered, unless the connection has ended by then. */
  afterLast(socket: Socket, act: () => void): void {
    const last = this.last(socket);
    if (last !== undefined) last.once('close', () => socket.writable && act());
    else if (socket.writable) act();
  }

  /** The answer to the newest request that is not answered to its end. */
  last(socket: Socket): ServerResponse | undefined {
    return this.#connections.get(socket)?.last;
  }
}
