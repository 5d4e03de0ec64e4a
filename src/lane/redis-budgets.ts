import type { RedisClient } from '../redis/redis-client.ts';
import { redisScript } from '../redis/redis-script.ts';
import type { BudgetAnswer, BudgetNews } from './budget-act.ts';
import type { BudgetStore } from './budget-store.ts';

const SLOTS = redisScript('budgetSlots-2');
const REMOVE = redisScript('removeBudget-2');

/** Shared budgets in Redis: a key a budget, and one channel for the news of all of them. */
export class RedisBudgets implements Disposable {
  readonly #client: RedisClient;
  readonly #ears: ReturnType<RedisClient['connect']>;
  readonly #listeners = new Map<string, Set<(news: BudgetNews) => void>>();

  constructor(client: RedisClient) {
    this.#client = client;
    this.#ears = client.connect();
    // That Redis is away is said by the client, once; news that are lost come with the next answer.
    this.#ears.on('error', () => {});
    this.#ears.on('ready', () => this.#ears.subscribe(client.keys.budgetNews).catch(() => {}));
    this.#ears.on('message', (_channel: string, text: string) => this.#hear(text));
  }

  storeOf(budgetId: string): BudgetStore {
    const { keys } = this.#client;
    const budgetKeys = [keys.budgetSlots(budgetId), keys.budgetLearnt(budgetId)];
    const newsHead = JSON.stringify({ budget: budgetId }).slice(0, -1);
    return {
      ask: async (ask) => {
        const answer = await this.#client.run(SLOTS, [...budgetKeys, JSON.stringify(ask), keys.budgetNews, newsHead]);
        return JSON.parse(String(answer)) as BudgetAnswer;
      },
      listen: (listener) => {
        const listeners = this.#listeners.getOrInsertComputed(budgetId, () => new Set());
        listeners.add(listener);
        return () => {
          listeners.delete(listener);
          if (listeners.size === 0) this.#listeners.delete(budgetId);
        };
      },
    };
  }

  /** The budget is gone. Does nothing while Redis is away: what stays behind harms nobody. */
  async remove(budgetId: string): Promise<void> {
    const { keys } = this.#client;
    await this.#client.run(REMOVE, [keys.budgetSlots(budgetId), keys.budgetLearnt(budgetId)]).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#ears.disconnect();
  }

  #hear(text: string): void {
    const { budget, ...news } = JSON.parse(text) as BudgetNews & { budget: string };
    for (const listener of this.#listeners.get(budget) ?? []) listener(news);
  }
}
