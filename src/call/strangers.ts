import { randomUUIDv7 } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import type { AuditRecord } from '../domain/record.ts';
import { CountsByAddress } from '../http/counts-by-address.ts';

/** Refusals of nobody we know that stand on record one by one: of one address, and of all, in a minute. */
const PER_ADDRESS_MAX = 100;
const PER_MINUTE_MAX = 3_000;
const MINUTE_MS = 60_000;

/**
 * Keeps strangers from filling the disk: whoever sends thousands of requests without a credential that we know is on record
 * with the first of them; of the rest the number is, each minute.
 */
export class Strangers implements Disposable {
  readonly #clock: Clock;
  readonly #record: Pick<AuditRecord, 'append'>;
  readonly #counts: CountsByAddress;
  #recorded = 0;
  #left = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, record: Pick<AuditRecord, 'append'>) {
    this.#clock = clock;
    this.#record = record;
    this.#counts = new CountsByAddress(clock);
  }

  /** Whether a refusal of nobody we know is to stand on record by itself. */
  admit(address: string): boolean {
    this.#cancel ??= this.#clock.after(MINUTE_MS, () => this.#turnOver());
    const isSpoken = this.#counts.add(address).count <= PER_ADDRESS_MAX && this.#recorded < PER_MINUTE_MAX;
    if (isSpoken) this.#recorded += 1;
    else this.#left += 1;
    return isSpoken;
  }

  #turnOver(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#left > 0) {
      this.#record.append({
        kind: 'admin',
        requestId: randomUUIDv7(),
        at: this.#clock.epochMs(),
        actor: { kind: 'gateway' },
        act: 'strangers.refused',
        details: { refusals: this.#left },
        result: 'done',
      });
    }
    this.#recorded = 0;
    this.#left = 0;
  }

  [Symbol.dispose](): void {
    this.#turnOver();
  }
}
