const BYTES_MIN = 8_192;

/**
 * Lines of ASCII, put behind each other as bytes. A string that grows line by line is a tree of its pieces, flattened all at
 * once in the end: that costs more than copying each piece when it comes, and keeps the pieces alive until then.
 */
export class LineBuffer {
  #bytes = Buffer.allocUnsafeSlow(BYTES_MIN);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(line: string): void {
    const end = this.#length + line.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.write(line, this.#length, 'latin1');
    this.#length = end;
  }

  /** All bytes so far, as a copy with memory of its own. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(copy, 0, 0, this.#length);
    return copy;
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#length = 0;
  }
}
