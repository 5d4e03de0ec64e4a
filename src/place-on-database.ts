import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { databaseSettings } from './config/database-settings.ts';
import { redisAddress } from './config/redis-settings.ts';
import { systemClock } from './domain/clock.ts';
import { type GatewayPlace, takeGatewayPlace } from './store/postgres/gateway-place.ts';

/**
 * A gateway's place on the database that it is told to use, if any: of gateways on other machines the data directory tells nothing.
 *
 * @throws as `takeGatewayPlace`; Error with one clear line where settings name files that cannot be read
 */
export async function placeOnDatabase(config: Config, log: Logger): Promise<GatewayPlace | undefined> {
  const server = databaseSettings(config.database);
  if (server === undefined) return undefined;
  return await takeGatewayPlace(server, {
    gatewayId: config.gateway.id,
    sharesBudgets: redisAddress(config.redis) !== undefined,
    clock: systemClock,
    onProblem: (problem) => log.error({ room: 'store' }, problem),
  });
}
