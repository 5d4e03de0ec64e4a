import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The answer to a request that asks for another protocol, which Node announces apart and makes no answer for: with one, it is
 * refused as every other request is. An answer given closes the connection; whoever goes on without HTTP takes the socket
 * away first, with {@link takeSocket}.
 *
 * @param more what came behind the head
 */
export function answerUpgrade(req: IncomingMessage, socket: Socket, more: Buffer): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  // Node has let go of it: nobody else listens.
  socket.on('error', () => socket.destroy());
  socket.setTimeout(0);
  if (more.length > 0) socket.unshift(more);
  res.assignSocket(socket);
  res.once('finish', () => {
    res.detachSocket(socket);
    // Read, or the end of the other side would never be seen.
    socket.resume();
    socket.destroySoon();
  });
  upgrades.add(res);
  return res;
}

const upgrades = new WeakSet<ServerResponse>();

/** Whether this answers a request whose connection may become something else. */
export function isUpgrade(res: ServerResponse): boolean {
  return upgrades.has(res);
}

/** The connection of such a request, for another protocol; the answer has no part in it from here on. */
export function takeSocket(res: ServerResponse): Socket {
  const { socket } = res.req;
  res.detachSocket(socket);
  return socket;
}
