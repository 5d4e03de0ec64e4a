import { type Histogram, USAGE_SPANS, type UsageDelta, type UsageKey } from '../domain/usage.ts';
import type { EventFields } from './event-columns.ts';
import { bucketOf } from './usage-times.ts';

/**
 * Adds up the ends of calls as they are written, or as they are read again: both go by the bytes on record, so that usage is
 * what the record says. A call counts in the minute in which it ended.
 */
export class UsageTally {
  readonly #sums = new Map<string, MutableSums>();
  #isSure = true;

  /** How many sums there are. */
  get size(): number {
    return this.#sums.size;
  }

  add(event: EventFields): void {
    const outcome = outcomeOf(event);
    if (outcome === undefined) return;
    const minute = event.at - (event.at % USAGE_SPANS.minute);
    const { teamId = '', operation = '', actor } = event;
    const callerId = actor?.appId ?? actor?.personId ?? '';
    const sums = this.#sums.getOrInsertComputed(
      `${minute} ${outcome} ${teamId} ${callerId} ${operation}`,
      () => new MutableSums({ teamId, callerId, operation, outcome }, minute),
    );
    sums.add(event);
  }

  /** Something is written that was not added, or may be: what {@link take} would give is not all. */
  unsure(): void {
    this.#isSure = false;
  }

  /** Forgets what was added: it was not written. */
  drop(): void {
    this.#sums.clear();
  }

  /** What was added since the last time; undefined when only the record itself knows all. */
  take(): readonly UsageDelta[] | undefined {
    const deltas = this.#isSure ? [...this.#sums.values()].map((sums) => sums.delta()) : undefined;
    this.#sums.clear();
    this.#isSure = true;
    return deltas;
  }
}

function outcomeOf({ kind, result, status = 0 }: EventFields): UsageKey['outcome'] | undefined {
  if (kind === 'refused') return 'refused';
  if (kind !== 'outcome') return undefined;
  switch (result) {
    case 'answered':
      return status < 400 ? 'ok' : 'error';
    case 'failed':
    case 'unknown':
    case 'aborted':
      return result;
    default:
      return 'refused';
  }
}

class MutableSums {
  readonly #key: UsageKey;
  readonly #minute: number;
  #calls = 0;
  #attempts = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #queueMs = new Map<number, number>();
  readonly #masonMs = new Map<number, number>();
  readonly #gatewayMs = new Map<number, number>();

  constructor(key: UsageKey, minute: number) {
    this.#key = key;
    this.#minute = minute;
  }

  add({ attempts, bytesIn = 0, bytesOut = 0, queueMs, masonMs, gatewayMs }: EventFields): void {
    this.#calls += 1;
    this.#attempts += attempts?.length ?? 0;
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
    count(this.#queueMs, queueMs);
    count(this.#masonMs, masonMs);
    count(this.#gatewayMs, gatewayMs);
  }

  delta(): UsageDelta {
    return {
      ...this.#key,
      minute: this.#minute,
      calls: this.#calls,
      attempts: this.#attempts,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      queueMs: histogram(this.#queueMs),
      masonMs: histogram(this.#masonMs),
      gatewayMs: histogram(this.#gatewayMs),
    };
  }
}

/** Of a call of which nobody knows how long it took there is no time. */
function count(buckets: Map<number, number>, ms: number | undefined): void {
  if (ms === undefined) return;
  const bucket = bucketOf(ms);
  buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
}

function histogram(buckets: ReadonlyMap<number, number>): Histogram {
  return [...buckets].sort(([a], [b]) => a - b);
}
