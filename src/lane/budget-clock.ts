/** By how much two good clocks may come apart, as a part of the time that passed. */
const DRIFT_PART = 1e-4;

/**
 * The time of a shared budget beside the monotonic clock of this gateway. Each answer says that the budget's time lay
 * somewhere between asking and answering; all answers together say it better than any one.
 */
export class BudgetClock {
  /** Bounds of: this gateway's instant less the budget's. */
  #low = Number.NEGATIVE_INFINITY;
  #high = Number.POSITIVE_INFINITY;
  #syncedAt = 0;

  get isSynced(): boolean {
    return this.#high !== Number.POSITIVE_INFINITY;
  }

  /** Takes note of an answer; what contradicts everything before means that a clock was stepped. */
  sync(sentAt: number, budgetAt: number, receivedAt: number): void {
    const drift = (receivedAt - this.#syncedAt) * DRIFT_PART;
    const [low, high] = [sentAt - budgetAt, receivedAt - budgetAt];
    this.#low = Math.max(this.#low - drift, low);
    this.#high = Math.min(this.#high + drift, high);
    if (this.#low > this.#high) [this.#low, this.#high] = [low, high];
    this.#syncedAt = receivedAt;
  }

  /** The budget's time began anew. */
  reset(): void {
    this.#low = Number.NEGATIVE_INFINITY;
    this.#high = Number.POSITIVE_INFINITY;
  }

  toGateway(budgetAt: number): number {
    return budgetAt + (this.#low + this.#high) / 2;
  }

  toBudget(at: number): number {
    return at - (this.#low + this.#high) / 2;
  }
}
