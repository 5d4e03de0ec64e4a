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
  readonly #unanswered = new WeakMap<Socket, Set<ServerResponse>>();

  /** Serves a request when all before it are answered, unless the connection has ended by then. */
  serve({ socket }: IncomingMessage, res: ServerResponse, act: () => void): void {
    const unanswered = this.#unanswered.getOrInsertComputed(socket, () => new Set());
    if (unanswered.size >= PIPELINED_MAX) {
      socket.destroy();
      return;
    }
    this.afterLast(socket, act);
    unanswered.add(res);
    res.once('close', () => unanswered.delete(res));
  }

  /** Acts when all requests so far are answered, unless the connection has ended by then. */
  afterLast(socket: Socket, act: () => void): void {
    const begin = (): void => {
      if (socket.writable) act();
    };
    const last = this.last(socket);
    if (last === undefined) begin();
    else last.once('close', begin);
  }

  /** The answer to the newest request that is not answered to its end. */
  last(socket: Socket): ServerResponse | undefined {
    return [...(this.#unanswered.get(socket) ?? [])].at(-1);
  }
}
