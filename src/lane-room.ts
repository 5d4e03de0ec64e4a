import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { type Budget, formatRateLimit } from './domain/budget.ts';
import { systemClock } from './domain/clock.ts';
import { GatewayError } from './domain/errors.ts';
import type { Lane } from './domain/lane.ts';
import type { OpenedKey } from './domain/mason-key.ts';
import { Lanes } from './lane/lanes.ts';
import { LimitKeeper } from './lane/learning/limit-keeper.ts';
import { loadEngine } from './lane/load-engine.ts';
import type { RedisClient } from './redis/redis-client.ts';
import type { Store } from './store/open-store.ts';

/** The lines to Mason, one a budget. */
export interface LaneRoom {
  readonly lanes: Lanes;
  laneOf(key: Pick<OpenedKey, 'budgetId'>): Lane | Promise<Lane>;
  /** After a change in the store: the lane follows what the budget is now, and what others have learnt of it. */
  followBudget(budget: Budget): Promise<Lane>;
}

/** Opens the room of the lanes, and defers its end to the stack. */
export async function openLaneRoom(
  stack: AsyncDisposableStack,
  config: Config,
  below: { store: Store; redis: RedisClient | undefined; log: Logger },
): Promise<LaneRoom> {
  const { store, redis, log } = below;
  const { id: gatewayId } = config.gateway;
  const learners = stack.use(
    new LimitKeeper(store.learnedLimits, systemClock, {
      gatewayId,
      pauseMsMax: config.lane.pauseMsMax,
      onProblem: (error) => log.warn({ err: error }, 'what was learnt of a limit could not be kept'),
    }),
  );
  const shared = redis && { client: redis, gatewayId };
  const engine = await loadEngine(config.lane.engine);
  const lanes = new Lanes({ ...config.lane, engine, clock: systemClock, learners, redis: shared });
  stack.defer(() => lanes.close());
  const makeLane = async (budgetId: string): Promise<Lane> => {
    const budget = await store.budgets.findById(budgetId);
    if (budget === undefined) throw new GatewayError('store_unavailable', 'the budget of the key is not in the store');
    if (budget.limit === undefined) {
      const limit = formatRateLimit(lanes.firstLimit);
      const said = lanes.learns ? `it is learnt, from ${limit} on (limit show)` : `${limit} is assumed until one is`;
      log.warn({ budget: budget.name }, `no limit was given: ${said} (key set --limit)`);
    }
    return await followBudget(budget);
  };
  const followBudget = async (budget: Budget): Promise<Lane> => {
    if (budget.limit === undefined && lanes.learns) await learners.look(budget.id);
    return lanes.laneFor(budget);
  };
  const laneOf: LaneRoom['laneOf'] = ({ budgetId }) => lanes.find(budgetId) ?? makeLane(budgetId);
  return { lanes, laneOf, followBudget };
}
