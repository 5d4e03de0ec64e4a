import { write } from 'node:fs';
import { promisify } from 'node:util';
import type { Sink } from './sink.ts';

const STDOUT = 1;
/** Written at once, and so not torn by lines of the log that go the same way (POSIX, PIPE_BUF). */
const ATOMIC_BYTES_MAX = 4_096;
/** Of a pipe whose reader is slow. */
const FULL_RETRY_MS = 50;

type Write = (descriptor: number, bytes: Buffer, offset: number, length: number) => Promise<{ bytesWritten: number }>;

/** Standard output, beside the log: each line begins with `{"sink":"<id>",`, which no line of the log does. */
export class StdoutSink implements Sink {
  readonly kind = 'stdout';
  readonly #mark: string;
  readonly #write: Write;
  #isClosed = false;

  /** @param id lower-case letters, digits and "-" */
  constructor(id: string, options: { readonly write?: Write } = {}) {
    this.#mark = `{"sink":"${id}",`;
    // Not by the stream: that waits for the reader of a pipe in this thread, with all calls.
    this.#write = options.write ?? promisify(write);
  }

  async deliver(text: string): Promise<void> {
    let piece = '';
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const marked = `${this.#mark}${line.slice(1)}\n`;
      if (piece.length + marked.length > ATOMIC_BYTES_MAX) {
        await this.#all(piece);
        piece = '';
      }
      piece += marked;
    }
    await this.#all(piece);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async #all(text: string): Promise<void> {
    const bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < bytes.length; ) {
      if (this.#isClosed) throw new Error('the gateway is shutting down');
      try {
        at += (await this.#write(STDOUT, bytes, at, bytes.length - at)).bytesWritten;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await new Promise((resolve) => setTimeout(resolve, FULL_RETRY_MS));
      }
    }
  }
}
