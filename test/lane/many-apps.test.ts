import { expect, test } from '@jest/globals';
import { parseFleetOptions } from '../bench/simulate-fleet/options.ts';
import { simulate } from '../bench/simulate-fleet/simulate.ts';

test.each([1, 5])(
  'twenty apps that call through any of four gateways have equal parts, also those with few calls (seed %i)',
  async (seed) => {
    const fleet = `--gateways 4 --budgets 1 --callers 200 --redis-cost 0 --seconds 40 --seed ${seed}`;
    const command = parseFleetOptions(fleet.split(' '));
    if (command === 'help') throw new Error('asked for help');
    const { shares, redis } = await simulate(command.options);
    expect(shares.jain).toBeGreaterThanOrEqual(0.99);
    expect(redis.asksPerCall).toBeLessThan(0.6);
  },
);

test('where each of twenty apps has many calls waiting, Redis is asked at most once for ten', async () => {
  const fleet = '--gateways 4 --budgets 1 --callers 2000 --redis-cost 0 --seconds 20 --seed 1';
  const command = parseFleetOptions(fleet.split(' '));
  if (command === 'help') throw new Error('asked for help');
  const { shares, redis } = await simulate(command.options);
  expect(shares.jain).toBeGreaterThanOrEqual(0.99);
  expect(redis.asksPerCall).toBeLessThanOrEqual(0.1);
});
