/** No timer of Node's is set for longer. */
export const DELAY_MS_MAX = 2 ** 31 - 1;

/** Time as the gateway sees it; replaced by virtual time in tests of what waits. */
export interface Clock {
  /** Monotonic milliseconds, with fractions. For waits, spacings and durations. */
  now(): number;
  /** Milliseconds since 1970. For what is written down; may jump. */
  epochMs(): number;
  /** Calls back once, after at least `delayMs` (0 to {@link DELAY_MS_MAX}); the answer cancels it. Never keeps the process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, callback) {
    // Node cuts fractions off, and would call back too early.
    const timer = setTimeout(callback, Math.ceil(delayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
