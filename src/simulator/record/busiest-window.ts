/** 8 MiB of instants: at 1,000 calls a second, the last quarter of an hour. */
const KEPT_MAX = 1 << 20;

/**
 * Remembers instants in order and tells the most of them in any half-open window [t, t + W). For the configured window the
 * answer is exact however many there were; for another it looks at the newest 1,048,576.
 */
export class BusiestWindow {
  readonly #windowMs: number;
  #instants = new Float64Array(256);
  #count = 0;
  /** The oldest instant that shares a window with the newest. */
  #tail = 0;
  #most = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  get count(): number {
    return this.#count;
  }

  /** @param now in milliseconds, never before the one given last. */
  add(now: number): void {
    if (this.#count === this.#instants.length && this.#count < KEPT_MAX) {
      const grown = new Float64Array(this.#count * 2);
      grown.set(this.#instants);
      this.#instants = grown;
    }
    this.#instants[this.#count % this.#instants.length] = now;
    this.#count += 1;
    while (now - this.#at(this.#tail) >= this.#windowMs) this.#tail += 1;
    this.#most = Math.max(this.#most, this.#count - this.#tail);
  }

  mostIn(windowMs: number = this.#windowMs): number {
    if (windowMs === this.#windowMs) return this.#most;
    let tail = Math.max(0, this.#count - this.#instants.length);
    let most = 0;
    for (let head = tail; head < this.#count; head += 1) {
      while (this.#at(head) - this.#at(tail) >= windowMs) tail += 1;
      most = Math.max(most, head - tail + 1);
    }
    return most;
  }

  #at(index: number): number {
    return this.#instants[index % this.#instants.length] ?? 0;
  }
}
