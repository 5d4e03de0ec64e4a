import type { RecordArchive } from '../domain/archive.ts';
import type { UsageDelta, UsageStore } from '../domain/usage.ts';
import { addSums } from '../domain/usage-sums.ts';
import { UsageRecount } from './usage-recount.ts';

/** Sums that may wait for the store, at some kilobytes each; beyond it nothing is kept, and the record is read again later. */
const WAITING_SUMS_MAX = 5_000;

/** Sums on their way into the store. While nobody knows whether they arrived, the same ones are sent again. */
interface Sending {
  readonly chain: string;
  readonly deltas: readonly UsageDelta[];
  readonly batch: number;
}

/**
 * Takes usage, as batches become durable, into the store, with the position in the chain up to which it is counted: all in one
 * transaction, so that a death or a store that is away makes nothing count twice, and nothing lost. Whatever is not known for
 * sure is counted anew from the record, which is the truth.
 */
export class UsageCounter {
  readonly #store: UsageStore;
  #chain: string | undefined;
  /** Up to where the store has it. */
  #counted = -1;
  /** Up to where it was heard. */
  #heard = -1;
  readonly #waiting = new Map<string, UsageDelta>();
  #sending: Sending | undefined;
  /** Whether only the record knows what is missing in the store. */
  #isBehind = false;
  #underWay: Promise<boolean> = Promise.resolve(true);

  constructor(store: UsageStore) {
    this.#store = store;
  }

  /**
   * Hears what calls ended in a batch that is durable.
   *
   * @param usage undefined where only the record knows
   */
  hear(chain: string, batch: number, usage: readonly UsageDelta[] | undefined): void {
    if (chain !== this.#chain) this.#begin(chain);
    this.#heard = batch;
    if (usage === undefined) this.#fallBehind();
    if (usage === undefined || this.#isBehind) return;
    for (const delta of usage) {
      const key = keyOf(delta);
      const before = this.#waiting.get(key);
      this.#waiting.set(key, before === undefined ? delta : { ...delta, ...addSums(before, delta) });
    }
    if (this.#waiting.size > WAITING_SUMS_MAX) this.#fallBehind();
  }

  /**
   * Brings what was heard into the store, one after the other.
   *
   * @param archive where it is counted anew when it must be; closed: it is left to a later run
   * @returns whether the store has all that was heard when this began
   * @throws GatewayError `store_unavailable`: it is kept
   */
  flush(archive: Pick<RecordArchive, 'batches'>): Promise<boolean> {
    this.#underWay = this.#underWay.catch(() => false).then(() => this.#flush(archive));
    return this.#underWay;
  }

  /** What it held of the chain before is left to those who close that chain. */
  #begin(chain: string): void {
    this.#chain = chain;
    this.#counted = -1;
    this.#isBehind = false;
    this.#waiting.clear();
    this.#sending = undefined;
  }

  #fallBehind(): void {
    this.#isBehind = true;
    this.#waiting.clear();
    this.#sending = undefined;
  }

  async #flush(archive: Pick<RecordArchive, 'batches'>): Promise<boolean> {
    if (this.#isBehind) await this.#recount(archive);
    // What may have arrived already, then what waited behind it.
    for (let turn = 0; turn < 2 && !this.#isBehind; turn += 1) await this.#send();
    return !this.#isBehind;
  }

  async #send(): Promise<void> {
    if (this.#sending === undefined) {
      if (this.#chain === undefined || this.#waiting.size === 0) return;
      this.#sending = { chain: this.#chain, deltas: [...this.#waiting.values()], batch: this.#heard };
      this.#waiting.clear();
    }
    const sending = this.#sending;
    const reached = await this.#store.add(sending.deltas, sending, this.#counted);
    if (this.#sending !== sending) return;
    this.#counted = reached;
    this.#sending = undefined;
    if (reached !== sending.batch) this.#fallBehind();
  }

  async #recount(archive: Pick<RecordArchive, 'batches'>): Promise<void> {
    const chain = this.#chain;
    const until = this.#heard;
    if (chain === undefined) return;
    // What is heard from now on waits, as ever.
    this.#isBehind = false;
    try {
      const recount = await UsageRecount.begin(this.#store, chain);
      for await (const batch of archive.batches(chain, 0)) {
        if (batch.n > until) break;
        await recount.see(batch);
      }
      const counted = await recount.end();
      if (this.#chain === chain) this.#counted = counted;
    } catch (error) {
      if (this.#chain === chain) this.#fallBehind();
      throw error;
    }
  }
}

function keyOf({ minute, outcome, teamId, callerId, operation }: UsageDelta): string {
  return `${minute} ${outcome} ${teamId} ${callerId} ${operation}`;
}
