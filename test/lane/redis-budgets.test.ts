import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import type { BudgetNews } from '../../src/lane/budget-act.ts';
import { RedisBudgets } from '../../src/lane/redis-budgets.ts';
import { RedisClient } from '../../src/redis/redis-client.ts';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';

const NEWS: BudgetNews = { epoch: 'epoch-1', pausedUntil: 12.5, tuned: true };

test('whatever anybody says in the channel of news, no gateway falls over, and news are heard', async () => {
  await using server = await RedisServer.start();
  using client = new RedisClient({ settings: server.settings(), clock: systemClock, onProblem: () => {} });
  using budgets = new RedisBudgets(client);
  const heard: BudgetNews[] = [];
  budgets.storeOf('budget-1').listen((news) => heard.push(news));
  const say = (text: string) => server.command('PUBLISH', client.keys.budgetNews, text);
  await eventually('it listens', async () => (await say('')) === 1);
  for (const text of ['hello', 'null', '[]', '{"budget":"budget-1"}', '{"budget":"budget-1","pausedUntil":null}']) {
    await say(text);
  }
  await say(JSON.stringify({ budget: 'budget-2', ...NEWS }));
  await say(JSON.stringify({ budget: 'budget-1', ...NEWS }));
  await eventually('news are heard', () => heard.length > 0);
  expect(heard).toEqual([NEWS]);
});
