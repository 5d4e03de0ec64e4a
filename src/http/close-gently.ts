import type { Socket } from 'node:net';

/** How long the other side has for seeing our end and ending too. */
const LINGER_MS = 1_000;

/**
 * Makes a connection close as RFC 9112 section 9.6 wants it: our side ends, and what the other side still sends is read and
 * forgotten for a moment. Closed at once, with bytes unread, the kernel sends a RST, which makes the other side forget the
 * answer: a caller whose upload is too large would never learn it.
 */
export function closeGently(socket: Socket): void {
  socket.destroySoon = (): void => {
    if (socket.destroyed) return;
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  };
}
