import type { ApiKey } from '../keys.ts';
import { BusiestWindow } from './busiest-window.ts';

/** Instants are milliseconds of the simulator's monotonic clock, as in the request log; null when there was none. */
export interface Counts {
  /** Calls the limit accepted; without a limit, all with a valid key. */
  readonly accepted: number;
  /** Calls the limit refused. A 429 that a fault made is under `byStatus` only. */
  readonly rateLimited: number;
  /** Answers by their status; calls that were left without one are in none. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** The most accepted calls in any sliding window of `windowMs`. */
  readonly mostInWindow: number;
  readonly firstAcceptedAt: number | null;
  readonly lastAcceptedAt: number | null;
}

export interface KeyCounts extends Counts {
  readonly label: string;
  readonly key: string;
}

export interface StatsReport extends Counts {
  readonly windowMs: number;
  /** Whole request heads that came, `/_sim` not included. */
  readonly requestsReached: number;
  /** Connections on which something came that was no HTTP. */
  readonly malformed: number;
  /** Requests whose sender went away in the middle of the head or the body. */
  readonly incomplete: number;
  readonly faultsPlayed: number;
  readonly inFlight: number;
  readonly mostInFlight: number;
  /** Connections of others than `/_sim` callers. */
  readonly connections: { readonly opened: number; readonly open: number };
  readonly keys: readonly KeyCounts[];
}

class Tally {
  accepted: BusiestWindow;
  rateLimited = 0;
  byStatus: Record<string, number> = {};
  firstAcceptedAt: number | null = null;
  lastAcceptedAt: number | null = null;

  constructor(windowMs: number) {
    this.accepted = new BusiestWindow(windowMs);
  }

  accept(now: number): void {
    this.accepted.add(now);
    this.firstAcceptedAt ??= now;
    this.lastAcceptedAt = now;
  }

  answer(status: number): void {
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
  }

  report(windowMs: number): Counts {
    return {
      accepted: this.accepted.count,
      rateLimited: this.rateLimited,
      byStatus: this.byStatus,
      mostInWindow: this.accepted.mostIn(windowMs),
      firstAcceptedAt: this.firstAcceptedAt,
      lastAcceptedAt: this.lastAcceptedAt,
    };
  }
}

/** Counts what happened since the start or the last reset. */
export class Stats {
  requestsReached = 0;
  malformed = 0;
  incomplete = 0;
  faultsPlayed = 0;
  inFlight = 0;
  mostInFlight = 0;
  readonly #windowMs: number;
  readonly #total: Tally;
  readonly #keys = new Map<ApiKey, Tally>();

  constructor(windowMs: number, keys: Iterable<ApiKey>) {
    this.#windowMs = windowMs;
    this.#total = new Tally(windowMs);
    for (const key of keys) this.#keys.set(key, new Tally(windowMs));
  }

  reached(): void {
    this.requestsReached += 1;
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
  }

  counted(key: ApiKey, accepted: boolean, now: number): void {
    const tally = this.#keys.get(key);
    if (accepted) {
      this.#total.accept(now);
      tally?.accept(now);
    } else {
      this.#total.rateLimited += 1;
      if (tally !== undefined) tally.rateLimited += 1;
    }
  }

  /** @param status null for a call that got no answer. */
  left(key: ApiKey | undefined, status: number | null): void {
    this.inFlight -= 1;
    if (status === null) return;
    this.#total.answer(status);
    if (key !== undefined) this.#keys.get(key)?.answer(status);
  }

  report(connections: StatsReport['connections'], windowMs: number = this.#windowMs): StatsReport {
    return {
      windowMs,
      requestsReached: this.requestsReached,
      malformed: this.malformed,
      incomplete: this.incomplete,
      faultsPlayed: this.faultsPlayed,
      inFlight: this.inFlight,
      mostInFlight: this.mostInFlight,
      connections,
      ...this.#total.report(windowMs),
      keys: [...this.#keys].map(([{ label, key }, tally]) => ({ label, key, ...tally.report(windowMs) })),
    };
  }
}
