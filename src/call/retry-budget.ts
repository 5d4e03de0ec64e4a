const EARNED_PER_CALL = 0.2;
const SAVED_MAX = 100;

/**
 * Retries may be a fifth of all calls, with a little saved up for a quiet gateway: when Mason fails for everybody,
 * retrying for everybody would only make it worse.
 */
export class RetryBudget {
  #saved = 10;

  /** Each call earns a part of a retry. */
  earn(): void {
    this.#saved = Math.min(SAVED_MAX, this.#saved + EARNED_PER_CALL);
  }

  /** Whether a retry may be made; takes it. */
  spend(): boolean {
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}
