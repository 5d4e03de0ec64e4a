import type { KeptBatch } from '../domain/archive.ts';
import type { UsageStore } from '../domain/usage.ts';
import { eventFields } from './event-columns.ts';
import { UsageTally } from './usage-tally.ts';

/** So many sums are stored at once: a store on this machine is written by the thread that serves calls. */
const SUMS_MAX = 500;

/** Counts a chain from what is on record, behind what is counted. It is shown the chain's batches in order. */
export class UsageRecount {
  readonly #store: UsageStore;
  readonly #chain: string;
  readonly #tally = new UsageTally();
  #counted: number;
  #seen: number;

  private constructor(store: UsageStore, chain: string, counted: number) {
    this.#store = store;
    this.#chain = chain;
    this.#counted = counted;
    this.#seen = counted;
  }

  /** @throws GatewayError `store_unavailable` */
  static async begin(store: UsageStore, chain: string): Promise<UsageRecount> {
    return new UsageRecount(store, chain, await store.countedTo(chain));
  }

  /** @throws GatewayError `store_unavailable`; Error when somebody else counted on */
  async see({ n, events }: Pick<KeptBatch, 'n' | 'events'>): Promise<void> {
    if (n <= this.#seen) return;
    for (const { line } of events) if (line !== undefined) this.#tally.add(eventFields(line));
    this.#seen = n;
    if (this.#tally.size >= SUMS_MAX) await this.end();
  }

  /**
   * All that was shown is counted; throws as above.
   *
   * @returns the last batch that is counted
   */
  async end(): Promise<number> {
    if (this.#seen === this.#counted) return this.#counted;
    const position = { chain: this.#chain, batch: this.#seen };
    const reached = await this.#store.add(this.#tally.take() ?? [], position, this.#counted);
    if (reached !== this.#seen) throw new Error(`usage of ${this.#chain} is counted by another gateway too`);
    this.#counted = reached;
    return reached;
  }
}
