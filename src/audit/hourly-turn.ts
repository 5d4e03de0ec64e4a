import type { Clock } from '../domain/clock.ts';
import type { Positions } from '../domain/positions.ts';

const HOUR_MS = 3_600_000;
/** Clocks of several gateways differ, and so do their starts. */
const SLACK_MS = 300_000;

/**
 * Whether it is this gateway that does what one of a store's gateways does once an hour: who finds that fresh leaves it to another.
 *
 * @param name under which all gateways of a store keep when one last did
 * @throws GatewayError `store_unavailable`
 */
export async function takeHourlyTurn(
  name: string,
  positions: Positions,
  clock: Pick<Clock, 'epochMs'>,
): Promise<boolean> {
  const now = clock.epochMs();
  const last = Number((await positions.get(name)) ?? 0);
  // A time to come is of a clock that was wrong: nobody waits for it.
  if (last <= now && now - last < HOUR_MS - SLACK_MS) return false;
  await positions.set(name, String(now));
  return true;
}
