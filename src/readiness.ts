import type { Verdicts } from './call/verdicts.ts';
import type { Core } from './core.ts';
import type { GatewayPlace } from './store/postgres/gateway-place.ts';

/** Why no calls should be sent here, by room; empty when this gateway is ready. */
export function problemsOf(ending: { begun: boolean }, verdicts: Verdicts, core: Core): Record<string, string> {
  const { writable, problem } = core.record.health();
  return {
    ...(ending.begun ? { gateway: 'shutting down' } : {}),
    ...(verdicts.fresh ? {} : { store: `${core.store.name} does not answer` }),
    ...(writable ? {} : { record: problem ?? 'cannot be written' }),
  };
}

/** How Redis and the budgets are. Redis away stops no call with a token: gateways go on with a part of each budget, and pages wait for their sessions. */
export function stateOf({ redis, lanes }: Core): Record<string, string> {
  if (redis === undefined) return { budgets: 'local' };
  const { state, problem } = redis.health();
  const modes = new Set([...lanes.stats()].map(([, { mode }]) => mode));
  return {
    redis: state === 'ready' ? 'ready' : `away: ${problem ?? 'no answer'}`,
    budgets: [...modes].toSorted().join(', ') || 'shared',
  };
}

/** Lost to another gateway or not: both serve. Mason's refusals are waited out, and an outage would be worse. */
export function placeState(place: GatewayPlace | undefined): Record<string, string> {
  return place?.problem === undefined ? {} : { database: place.problem };
}
