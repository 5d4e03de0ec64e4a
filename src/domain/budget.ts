/** How many calls Mason takes in a window: given, never guessed here. */
export interface RateLimit {
  /** Calls per window, 1 to 1,000,000. */
  readonly calls: number;
  /** Length of the window in milliseconds, 100 to 86,400,000. */
  readonly windowMs: number;
}

/**
 * A rate budget at Mason. Its own noun, because nobody publishes whether Mason limits by key, account or address: keys
 * with one fingerprint share a budget, and an operator may join others.
 */
export interface Budget {
  readonly id: string;
  /** Unique; `[a-z0-9-]`, 1 to 63 characters. */
  readonly name: string;
  /** Undefined: nobody said; the lane takes a cautious default and says so. */
  readonly limit: RateLimit | undefined;
  /** Calls that may leave at once after idleness; undefined: by the lane's rule. */
  readonly burst: number | undefined;
  /** Spread of the one-way delay to Mason, milliseconds, 0 to a tenth of the window; undefined: the lane measures it. */
  readonly spreadMs: number | undefined;
  readonly createdAt: number;
}

/** How a lane is to keep to a budget. */
export type BudgetTuning = Pick<Budget, 'limit' | 'burst' | 'spreadMs'>;

export interface Budgets {
  /** @throws GatewayError `conflict` when the name is taken. */
  add(budget: Budget): Promise<void>;
  list(): Promise<Budget[]>;
  findById(id: string): Promise<Budget | undefined>;
  findByName(name: string): Promise<Budget | undefined>;
  /** All of it at once; what is undefined is given back. False when the budget is absent. */
  tune(id: string, tuning: BudgetTuning): Promise<boolean>;
  /** Removes a budget that no key uses. False when it is in use or absent. */
  removeUnused(id: string): Promise<boolean>;
}

/** Whether two limits are the same, or neither is there. */
export function sameLimit(a: RateLimit | undefined, b: RateLimit | undefined): boolean {
  return a?.calls === b?.calls && a?.windowMs === b?.windowMs;
}

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads `100/1s`, `600/60s`, `1000/1h`, `5/s`. Undefined when it is no limit or out of the bounds of {@link RateLimit}. */
export function parseRateLimit(text: string): RateLimit | undefined {
  const match = /^(\d{1,7})\/(\d{0,8})(ms|s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  const calls = Number(match[1]);
  const windowMs = (match[2] === '' ? 1 : Number(match[2])) * UNITS_MS[match[3] as keyof typeof UNITS_MS];
  if (calls < 1 || calls > 1_000_000 || windowMs < 100 || windowMs > 86_400_000) return undefined;
  return { calls, windowMs };
}

/** The inverse of {@link parseRateLimit}: `100/1s`. */
export function formatRateLimit(limit: RateLimit): string {
  const unit = limit.windowMs % 1_000 === 0 ? 's' : 'ms';
  return `${limit.calls}/${limit.windowMs / UNITS_MS[unit]}${unit}`;
}
