import type { BudgetAnswer, BudgetAsk, BudgetNews } from './budget-act.ts';
import type { FleetLearning } from './learning/fleet-learning.ts';

/** Where a shared budget is kept. */
export interface BudgetStore {
  /** Rejects, in bounded time, when the store is away; then nobody knows whether it was done. */
  ask(ask: BudgetAsk): Promise<BudgetAnswer>;
  /** Calls back with what all gateways must hear at once, until the answer is called. News may be lost. */
  listen(listener: (news: BudgetNews) => void): () => void;
}

/** How this gateway is known to the others. */
export interface SharedBy {
  readonly store: BudgetStore;
  readonly gatewayId: string;
  /** By how many the limit is divided while nobody could say yet: the store has been away since this process began. */
  readonly gatewaysExpected: number;
  /** What gateways tell each other of a limit that is learnt. */
  readonly learning?: FleetLearning | undefined;
}
