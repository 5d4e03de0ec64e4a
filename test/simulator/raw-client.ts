import { connect, type Socket } from 'node:net';

/** What came back on one connection. */
export interface Heard {
  /** latin1: one character a byte. */
  readonly text: string;
  /** How the other side ended: a FIN, a RST, or not before we had heard enough. */
  readonly end: 'end' | 'reset' | 'open';
}

/**
 * Writes bytes as they stand, each piece in a write of its own, and listens until the other side ends or `enough` says so.
 * The connection is gone afterwards.
 */
export function talk(
  port: number,
  pieces: string | readonly string[],
  enough?: (text: string) => boolean,
): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    const settle = (end: Heard['end']) => {
      resolve({ text, end });
      socket.destroy();
    };
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (enough?.(text)) settle('open');
    });
    socket.on('end', () => settle('end'));
    socket.on('error', () => settle('reset'));
    socket.on('connect', () => void writeApart(socket, [pieces].flat()));
  });
}

/** Gives each piece time to leave on its own. */
async function writeApart(socket: Socket, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    await new Promise((resolve) => socket.write(piece, 'latin1', resolve));
    await new Promise(setImmediate);
  }
}

/** A GET of the device list by the default owner, or of another path. */
export function get(path = '/v1/default/device?limit=1', extra = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: m\r\nAuthorization: basic demo-owner-key\r\n${extra}\r\n`;
}

/** The number of final answers in what was heard; bodies never contain a status line here. */
export function answers(text: string): number {
  return text.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
}
