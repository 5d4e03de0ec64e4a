/** A block is cut in two beyond this; short enough that moving one is a few cache lines. */
const BLOCK_LENGTH_MAX = 128;

/**
 * A list kept in order, for a total order: first, insert and remove in about the logarithm of its length, and the rank of
 * an item by summing lengths of blocks. A heap could not tell ranks, which predicted waits are made of.
 */
export class SortedBlocks<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #blocks: T[][] = [];
  #size = 0;

  /** @param compare a total order: 0 only for the same item; what it looks at stays while the item is in the list. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#blocks[0]?.[0];
  }

  get last(): T | undefined {
    return this.#blocks.at(-1)?.at(-1);
  }

  insert(item: T): void {
    this.#size++;
    const at = Math.min(this.#blockFor(item), this.#blocks.length - 1);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push([item]);
      return;
    }
    block.splice(this.#indexIn(block, item), 0, item);
    if (block.length > BLOCK_LENGTH_MAX) this.#blocks.splice(at + 1, 0, block.splice(BLOCK_LENGTH_MAX / 2));
  }

  /** False when it is not there. */
  remove(item: T): boolean {
    const at = this.#blockFor(item);
    const block = this.#blocks[at];
    if (block === undefined) return false;
    const index = this.#indexIn(block, item);
    if (block[index] !== item) return false;
    if (index === 0) block.shift();
    else block.splice(index, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
    this.#size--;
    return true;
  }

  /** How many items come before it, whether it is in the list or not. */
  rank(item: T): number {
    const at = this.#blockFor(item);
    let before = 0;
    for (let i = 0; i < at; i++) before += (this.#blocks[i] as T[]).length;
    const block = this.#blocks[at];
    return block === undefined ? before : before + this.#indexIn(block, item);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const block of this.#blocks) yield* block;
  }

  /** From the last to the first. */
  *backwards(): Generator<T> {
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const block = this.#blocks[i] as T[];
      for (let j = block.length - 1; j >= 0; j--) yield block[j] as T;
    }
  }

  /** Index of the first block whose last item is not before the item; the number of blocks when there is none. */
  #blockFor(item: T): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.#blocks[middle] as T[];
      if (this.#compare(block[block.length - 1] as T, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #indexIn(block: T[], item: T): number {
    let low = 0;
    let high = block.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(block[middle] as T, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
