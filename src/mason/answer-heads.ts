import type { Socket } from 'node:net';

/** RFC 9112 section 4, without 101, which nobody here asks for. Interim answers are the only ones that begin with 1. */
const STATUS_LINE = /^HTTP\/1\.[01] (?:1(?!01)|[2-5])\d\d(?: |\r)/;
const STATUS_LINE_BYTES = 'HTTP/1.1 200 '.length;
const STATUS_AT = 'HTTP/1.1 '.length;
const ONE = 0x31;
const HEAD_END = Buffer.from('\r\n\r\n');
const INTERIM_BYTES_MAX = 8_192;

/** Why connections ended that had been used before, with a request written and nothing of an answer read. */
const underRequest = new WeakSet<object>();

/** Whether a connection that had idled ended, for this reason, when the next request was written already. */
export function endedUnderRequest(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && underRequest.has(reason);
}

/**
 * Looks at the heads of answers before undici's parser does, for what it cannot live with: status codes below 100, on
 * which it asserts, and "100 Continue", which RFC 9110 section 15.2 wants skipped though nobody asked and undici takes for
 * an error. All interim answers end here: a caller of ours cannot have asked for any of Mason's.
 *
 * Changes how the socket reads and writes: with at most one request at a time on it, the first bytes read after bytes
 * were written are the head of an answer.
 *
 * @param answers `one`: none but the first is looked at; the request may still be written while it is answered
 */
export function watchAnswerHeads(socket: Socket, answers: 'one' | 'many'): void {
  let atHead = answers === 'one';
  let pending: Buffer | undefined;
  let wasAnswered = false;
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;

  if (answers === 'many') {
    // Whoever closes a connection that idles may do so just when it is used again: that is no failure of the other side's.
    socket.prependListener('error', (error) => {
      if (wasAnswered && atHead && pending === undefined) underRequest.add(error);
    });
    const write = socket.write.bind(socket) as (chunk: unknown, encoding?: unknown, callback?: unknown) => boolean;
    socket.write = ((chunk: unknown, encoding?: unknown, callback?: unknown): boolean => {
      atHead = true;
      return write(chunk, encoding, callback);
    }) as typeof socket.write;
  }

  socket.read = (size?: number): Buffer | null => {
    const chunk = read(size);
    if (!atHead || chunk === null) return chunk;
    let head = pending === undefined ? chunk : Buffer.concat([pending, chunk]);
    pending = undefined;
    while (head.length >= STATUS_LINE_BYTES) {
      if (!STATUS_LINE.test(head.toString('latin1', 0, STATUS_LINE_BYTES))) {
        socket.destroy(new Error('bad response: no status line of HTTP/1, or one nobody asked for'));
        return null;
      }
      if (head[STATUS_AT] !== ONE) {
        atHead = false;
        wasAnswered = true;
        return head;
      }
      const end = head.indexOf(HEAD_END);
      if (end === -1) {
        if (head.length > INTERIM_BYTES_MAX) socket.destroy(new Error('bad response: an endless interim answer'));
        break;
      }
      head = head.subarray(end + HEAD_END.length);
    }
    if (head.length > 0) pending = head;
    return null;
  };
}
