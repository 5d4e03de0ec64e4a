import type { Writable } from 'node:stream';

/** A terminal is told each second, anything else, as a log, now and then. */
const TERMINAL_MS = 1_000;
const OTHER_MS = 15_000;

/** Says on standard error how far something has come. */
export class Progress {
  readonly #stderr: Writable & { readonly isTTY?: boolean };
  readonly #pauseMs: number;
  #toldAt = performance.now();
  #isOpen = false;

  constructor(stderr: Writable & { readonly isTTY?: boolean }) {
    this.#stderr = stderr;
    this.#pauseMs = stderr.isTTY === true ? TERMINAL_MS : OTHER_MS;
  }

  /** Tells it, unless something was told just before. */
  tell(line: () => string): void {
    const now = performance.now();
    if (now - this.#toldAt < this.#pauseMs) return;
    this.#toldAt = now;
    this.#isOpen = this.#stderr.isTTY === true;
    this.#stderr.write(this.#isOpen ? `\r\u001b[K${line()}` : `${line()}\n`);
  }

  /** Leaves the line to others. */
  end(): void {
    if (this.#isOpen) this.#stderr.write('\r\u001b[K');
    this.#isOpen = false;
  }
}
