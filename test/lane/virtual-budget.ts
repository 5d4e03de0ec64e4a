import type { Clock } from '../../src/domain/clock.ts';
import type { BudgetAnswer, BudgetAsk, BudgetNews } from '../../src/lane/budget-act.ts';
import type { BudgetStore } from '../../src/lane/budget-store.ts';
import { budgetStep } from '../../src/lane/shared-slots.ts';
import type { SharedState } from '../../src/lane/shared-state.ts';

/** What comes of an ask: an answer, an error at once, nothing for ever. */
export type Reach = 'answers' | 'refuses' | 'hangs';

/** How one gateway reaches the budget. */
export interface Link {
  oneWayMs: number;
  reach: Reach;
}

/** A shared budget without Redis: the same arithmetic, on a clock of the test's, behind wires of any length. */
export class VirtualBudget {
  readonly #clock: Clock;
  readonly #listeners = new Set<(news: BudgetNews) => void>();
  state: SharedState | undefined;
  /** By how much the budget's own clock is ahead. */
  skewMs = 1_790_000_000_000;
  asks = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As after FLUSHALL. */
  flush(): void {
    this.state = undefined;
  }

  storeFor(link: Link): BudgetStore {
    return {
      ask: (ask) => this.#ask(link, structuredClone(ask)),
      listen: (listener) => {
        const hear = (news: BudgetNews) => {
          if (link.reach === 'answers') this.#clock.after(link.oneWayMs, () => listener(news));
        };
        this.#listeners.add(hear);
        return () => this.#listeners.delete(hear);
      },
    };
  }

  #ask(link: Link, ask: BudgetAsk): Promise<BudgetAnswer> {
    this.asks++;
    if (link.reach === 'refuses') return Promise.reject(new Error('no connection'));
    // Whoever closes a lane waits for this, and does not let time pass.
    if (ask.stays === 'leave') {
      return link.reach === 'answers'
        ? Promise.resolve(this.#step(ask))
        : Promise.reject(new Error('no answer in time'));
    }
    if (link.reach === 'hangs') return new Promise(() => {});
    return new Promise((resolve) => {
      this.#clock.after(link.oneWayMs, () => {
        const answer = this.#step(ask);
        this.#clock.after(link.oneWayMs, () => resolve(structuredClone(answer)));
      });
    });
  }

  #step(ask: BudgetAsk): BudgetAnswer {
    const { state, answer, news } = budgetStep(this.state, this.#clock.now() + this.skewMs, ask);
    this.state = state;
    if (news !== undefined) for (const listener of this.#listeners) listener(news);
    return answer;
  }
}
