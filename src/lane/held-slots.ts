/** A slot that this gateway may use: its instant here, and the budget's instant by which the budget knows it. */
interface HeldSlot {
  readonly at: number;
  readonly slot: number;
}

/** Slots handed out to this gateway and not used yet, the earliest first, and those to be given back. */
export class HeldSlots {
  readonly #slots: HeldSlot[] = [];
  #released: number[] = [];

  get length(): number {
    return this.#slots.length;
  }

  get last(): HeldSlot | undefined {
    return this.#slots.at(-1);
  }

  /** Whether some wait to be given back. */
  get hasReleased(): boolean {
    return this.#released.length > 0;
  }

  at(index: number): HeldSlot | undefined {
    return this.#slots[index];
  }

  hold(slot: HeldSlot): void {
    let i = this.#slots.length;
    while (i > 0 && (this.#slots[i - 1] as HeldSlot).at > slot.at) i--;
    this.#slots.splice(i, 0, slot);
  }

  takeFirst(): HeldSlot {
    const first = this.#slots.shift();
    if (first === undefined) throw new Error('a slot is taken that is not there');
    return first;
  }

  /** A slot that came before `at` was slept through; it is not caught up. */
  dropBefore(at: number): void {
    while (this.#slots.length > 0 && (this.#slots[0] as HeldSlot).at < at) this.#slots.shift();
  }

  /** Gives back what comes before `at`. */
  release(at = Number.POSITIVE_INFINITY): void {
    while (this.#slots.length > 0 && (this.#slots[0] as HeldSlot).at < at) this.giveBack(this.takeFirst().slot);
  }

  giveBack(slot: number): void {
    this.#released.push(slot);
  }

  /** The budget's instants to be given back, ascending; each is named once, since what comes of it may stay unknown. */
  takeReleased(): number[] {
    const released = this.#released;
    this.#released = [];
    return released.sort((a, b) => a - b);
  }

  /** The budget that handed them out is gone. */
  forget(): void {
    this.#slots.length = 0;
    this.#released = [];
  }
}
