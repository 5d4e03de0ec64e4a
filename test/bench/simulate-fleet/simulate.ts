import { Random } from '../../../src/simulator/random.ts';
import { Caller, type Stage } from './caller.ts';
import { EventClock } from './event-clock.ts';
import { Gateways } from './gateways.ts';
import { Mason } from './mason.ts';
import { OneRedis } from './one-redis.ts';
import type { FleetOptions } from './options.ts';
import { type FleetReport, reportOf } from './report.ts';
import { BudgetTally } from './tally.ts';
import { Zipf } from './zipf.ts';

/** Lines fill up, and gateways learn how far Mason is, before anything is measured; but 429s count from the first call on. */
const WARM_UP_PART = 0.25;

/** Lets a fleet run for its time. The same options give the same report. */
export async function simulate(options: FleetOptions): Promise<FleetReport> {
  const { seed, skew } = options;
  const random = (what: string) => Random.of(seed, what, 0);
  const late = random('late');
  const clock = new EventClock(() => late.next() * options.lateMs);
  const redis = new OneRedis(clock, options, random('redis'));
  const gateways = new Gateways(options, clock, redis, random('gateway'));
  const untilMs = options.seconds * 1_000;
  const measuredFromMs = untilMs * WARM_UP_PART;
  const mason = new Mason(options, random('mason'));
  const stage: Stage = { options, clock, gateways, mason, random: random('caller'), measuredFromMs };
  const tallies = new Map<number, BudgetTally>();
  const [budgets, apps] = [
    new Zipf(options.budgets, skew, random('budget')),
    new Zipf(options.apps, skew, random('app')),
  ];
  for (let i = 0; i < options.callers; i++) {
    const budget = budgets.draw();
    const tally = tallies.getOrInsertComputed(budget, () => new BudgetTally(measuredFromMs));
    new Caller(stage, budget, apps.draw(), tally).begin();
  }
  await clock.run(untilMs);
  return reportOf(options, { tallies, gateways, redis, events: clock.happened, measuredFromMs, untilMs });
}
