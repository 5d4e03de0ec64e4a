import { z } from 'zod';
import type { RedisClient } from '../redis/redis-client.ts';
import { redisScript } from '../redis/redis-script.ts';
import type { BudgetAnswer, BudgetNews } from './budget-act.ts';
import type { BudgetStore } from './budget-store.ts';

const SLOTS = redisScript('budgetSlots-2');
const REMOVE = redisScript('removeBudget-2');

const budgetNews = z.object({ budget: z.string(), epoch: z.string(), pausedUntil: z.number(), tuned: z.boolean() });

/** Shared budgets in Redis: a key a budget, and one channel for the news of all of them. */
export class RedisBudgets implements Disposable {
  readonly #client: RedisClient;
  readonly #ears: Disposable;
  readonly #listeners = new Map<string, Set<(news: BudgetNews) => void>>();

  constructor(client: RedisClient) {
    this.#client = client;
    // News that are lost come with the next answer.
    this.#ears = client.listen(client.keys.budgetNews, (text) => this.#hear(text));
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
    this.#ears[Symbol.dispose]();
  }

  #hear(text: string): void {
    const { data } = budgetNews.safeParse(parsed(text));
    if (data === undefined) return;
    const { budget, ...news } = data;
    for (const listener of this.#listeners.get(budget) ?? []) listener(news);
  }
}

/** Whoever reaches Redis can say anything in a channel; undefined: no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
