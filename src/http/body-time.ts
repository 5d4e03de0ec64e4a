import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** One body at a time comes on a connection. */
const timers = new WeakMap<Socket, NodeJS.Timeout>();

/** Calls back when a body has not ended in time, whether it is read or not. A request without one costs nothing. */
export function boundBodyTime(req: IncomingMessage, bodyMs: number, onLate: () => void): void {
  if (!hasBody(req)) return;
  const { socket } = req;
  // An answer that came first ends what Node tells of the request, and not its body.
  if (!timers.has(socket)) socket.once('close', () => clearTimeout(timers.get(socket)));
  clearTimeout(timers.get(socket));
  const timer = setTimeout(() => req.complete || onLate(), bodyMs);
  timers.set(socket, timer);
  req.once('close', () => clearTimeout(timer));
}

/** Whoever reads this body has other bounds on its time. */
export function freeBodyTime(req: IncomingMessage): void {
  clearTimeout(timers.get(req.socket));
}

/** Whether some of its content has not come yet: answered now, what follows must not be taken for a request (RFC 9112 section 9.3). */
export function isBodyDue(req: IncomingMessage): boolean {
  return !req.complete && hasBody(req);
}

/** Whether a request comes with content, as its framing says (RFC 9112 section 6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
