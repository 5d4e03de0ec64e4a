import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { Clock } from '../../domain/clock.ts';
import type { Sink } from './sink.ts';

export interface FileSinkOptions {
  readonly path: string;
  /** A file that would grow beyond it becomes `<path>.1`; one batch may be more. */
  readonly rotateBytes: number;
  /** So does one that was begun so many milliseconds ago. */
  readonly rotateMs: number;
  /** How many of `<path>.1`, `<path>.2` … are kept. */
  readonly keep: number;
  readonly clock: Pick<Clock, 'epochMs'>;
}

interface OpenFile {
  readonly handle: FileHandle;
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  bytes: number;
}

/** For the gateway, and those of its group: whoever ships logs. */
const FILE_MODE = 0o640;
const TAIL_BYTES = 65_536;

/** A file that grows, line by line, and gives way to the next one. Nobody else writes it. */
export class FileSink implements Sink {
  readonly kind = 'file';
  readonly #options: FileSinkOptions;
  #file: OpenFile | undefined;

  constructor(options: FileSinkOptions) {
    this.#options = options;
  }

  async deliver(text: string): Promise<void> {
    try {
      const file = await this.#opened(text.length);
      await file.handle.appendFile(text, 'latin1');
      file.bytes += text.length;
      await file.handle.datasync();
    } catch (error) {
      // What was half written is cut off when it is opened again.
      await this.close().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }

  async #opened(bytesMore: number): Promise<OpenFile> {
    const { rotateBytes, rotateMs, clock } = this.#options;
    if (this.#file !== undefined && !(await this.#isInPlace(this.#file.handle))) await this.close();
    this.#file ??= await this.#open();
    const { bytes, begunAt } = this.#file;
    if (bytes > 0 && (bytes + bytesMore > rotateBytes || clock.epochMs() - begunAt >= rotateMs)) {
      await this.close();
      await this.#rotate();
      this.#file = await this.#open();
    }
    return this.#file;
  }

  /** Whoever moves it away, as logrotate does, finds it there whole; the next lines go into a new one. */
  async #isInPlace(handle: FileHandle): Promise<boolean> {
    const [here, there] = await Promise.all([handle.stat(), stat(this.#options.path).catch(() => undefined)]);
    return there !== undefined && here.ino === there.ino && here.dev === there.dev;
  }

  async #open(): Promise<OpenFile> {
    const { path, clock } = this.#options;
    // A link there could lead anywhere.
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
    const handle = await open(path, flags, FILE_MODE);
    try {
      const { size, birthtimeMs } = await handle.stat();
      const bytes = await withoutTornLine(handle, size);
      return { handle, bytes, begunAt: birthtimeMs > 0 ? birthtimeMs : clock.epochMs() };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#options;
    const name = (n: number): string => (n === 0 ? path : `${path}.${n}`);
    await rm(name(keep), { force: true });
    for (let n = keep - 1; n >= 0; n -= 1) {
      await rename(name(n), name(n + 1)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  }
}

/** Cuts off what a crash left of a line: it was not delivered, and comes again. */
async function withoutTornLine(handle: FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0; ) {
    const begin = Math.max(0, end - TAIL_BYTES);
    const { buffer } = await handle.read(Buffer.alloc(end - begin), 0, end - begin, begin);
    const last = buffer.lastIndexOf(0x0a);
    if (last !== -1 || begin === 0) {
      const whole = last === -1 ? 0 : begin + last + 1;
      if (whole < size) await handle.truncate(whole);
      return whole;
    }
    end = begin;
  }
  return 0;
}
