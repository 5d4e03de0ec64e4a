import type { Socket } from 'node:net';

const STATUS_LINE = /^HTTP\/1\.[01] [1-5]\d\d(?: |\r)/;
const CONTINUE = Buffer.from('HTTP/1.1 100');
const HEAD_END = Buffer.from('\r\n\r\n');
const INTERIM_BYTES_MAX = 8_192;

/**
 * Looks at the first bytes of each answer before undici's parser does, for two things it cannot live with: status codes
 * below 100, on which it asserts, and an unasked "100 Continue", which RFC 9110 section 15.2 wants skipped and undici
 * takes for an error.
 *
 * Changes how the socket reads and writes: with at most one request at a time on it, the first bytes read after bytes
 * were written are the head of an answer.
 */
export function watchAnswerHeads(socket: Socket): void {
  let atHead = false;
  let pending: Buffer | undefined;
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;

  socket.write = ((...args: unknown[]): boolean => {
    atHead = true;
    return write(...args);
  }) as typeof socket.write;

  socket.read = (size?: number): Buffer | null => {
    const chunk = read(size);
    if (!atHead || chunk === null) return chunk;
    let head = pending === undefined ? chunk : Buffer.concat([pending, chunk]);
    pending = undefined;
    while (startsWith(head, CONTINUE)) {
      const end = head.indexOf(HEAD_END);
      if (end === -1) {
        if (head.length > INTERIM_BYTES_MAX) socket.destroy(new Error('bad response: an endless interim answer'));
        pending = head;
        return null;
      }
      head = head.subarray(end + HEAD_END.length);
    }
    if (head.length === 0) return null;
    if (head.length < 13) {
      pending = head;
      return null;
    }
    atHead = false;
    if (!STATUS_LINE.test(head.toString('latin1', 0, 13))) {
      socket.destroy(new Error('bad response: no status line of HTTP/1'));
      return null;
    }
    return head;
  };
}

function startsWith(bytes: Buffer, what: Buffer): boolean {
  return bytes.length >= what.length && bytes.compare(what, 0, what.length, 0, what.length) === 0;
}
