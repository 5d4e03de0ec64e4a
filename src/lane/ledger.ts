import type { Pace } from './pace.ts';

/** The numbers that decide about the next slot; together with the window's count all the state there is. */
export interface Ledger {
  /** Instant of the next slot of the even pace. */
  nextFreeAt: number;
  /** Account of the burst (generic cell rate algorithm): theoretical instant of the next call. */
  burstDueAt: number;
  /** Two horizons after the last call that came before its even slot; until then the burst's pace binds. */
  evenFromAt: number;
}

/** Instant of the next slot by the pace alone. */
export function paceAt(ledger: Ledger, pace: Pace): number {
  if (pace.burstCalls === 1) return ledger.nextFreeAt;
  const burstAt = ledger.burstDueAt - (pace.burstCalls - 1) * pace.burstSpacingMs;
  return Math.min(burstAt, Math.max(ledger.nextFreeAt, ledger.evenFromAt));
}

/** Whether only even slots follow, one spacing apart, as long as each is taken: the burst is used up and old, or none. */
export function isEven(ledger: Ledger, pace: Pace): boolean {
  if (pace.burstCalls === 1) return true;
  const burstAt = ledger.burstDueAt - (pace.burstCalls - 1) * pace.burstSpacingMs;
  return ledger.nextFreeAt >= ledger.evenFromAt && burstAt >= ledger.nextFreeAt;
}

/**
 * Takes up to `most` slots in one step where the burst's own pace binds from now on, each as soon as it comes.
 *
 * @returns how many; 0: the next one must be looked at by itself
 */
export function spendRun(ledger: Ledger, pace: Pace, most: number, notBefore: number): number {
  const { burstCalls, burstSpacingMs, spacingMs } = pace;
  const at = ledger.burstDueAt - (burstCalls - 1) * burstSpacingMs;
  if (burstCalls === 1 || at < notBefore || at < ledger.nextFreeAt || at >= ledger.evenFromAt) return 0;
  const calls = Math.min(most, Math.ceil((ledger.evenFromAt - at) / burstSpacingMs));
  ledger.burstDueAt += calls * burstSpacingMs;
  ledger.nextFreeAt = at + (calls - 1) * burstSpacingMs + spacingMs;
  return calls;
}

/** Takes the slot at `at`, which fell due at `dueAt`. */
export function spend(ledger: Ledger, pace: Pace, at: number, dueAt: number): void {
  if (pace.burstCalls > 1) {
    if (dueAt < ledger.nextFreeAt) ledger.evenFromAt = at + 2 * pace.horizonMs;
    ledger.burstDueAt = Math.min(Math.max(ledger.burstDueAt, at) + pace.burstSpacingMs, at + pace.burstDebtMsMax);
  }
  ledger.nextFreeAt = dueAt + pace.spacingMs;
}

/** Nothing comes before `until`; what the idleness would have saved up for a burst is gone. */
export function pauseLedger(ledger: Ledger, pace: Pace, until: number): void {
  ledger.nextFreeAt = Math.max(ledger.nextFreeAt, until);
  ledger.burstDueAt = Math.max(ledger.burstDueAt, until + (pace.burstCalls - 1) * pace.burstSpacingMs);
}

/** The next slot comes no later than by this pace. */
export function retuneLedger(ledger: Ledger, pace: Pace, now: number, pausedUntil: number): void {
  ledger.nextFreeAt = Math.min(ledger.nextFreeAt, Math.max(now, pausedUntil) + pace.spacingMs);
  ledger.burstDueAt = Math.min(ledger.burstDueAt, now + pace.burstDebtMsMax);
  ledger.evenFromAt = Math.min(ledger.evenFromAt, now + 2 * pace.horizonMs);
}
