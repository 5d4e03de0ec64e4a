import type { RecordArchive } from '../../domain/archive.ts';
import type { Positions } from '../../domain/positions.ts';
import type { Undelivered } from '../retention/record-pruner.ts';
import { parsePosition, placeIn, positionName } from './sink-position.ts';

/**
 * Chains of all gateways that these sinks have not come to the end of. Gateways of one store have the same sinks, each for its own
 * chains.
 *
 * @throws GatewayError `store_unavailable`
 */
export async function undelivered(
  sinks: readonly string[],
  archive: Pick<RecordArchive, 'chains'>,
  positions: Pick<Positions, 'get'>,
): Promise<Undelivered[]> {
  if (sinks.length === 0) return [];
  const found: Undelivered[] = [];
  for (const [gatewayId, chains] of Map.groupBy(await archive.chains(), (chain) => chain.gatewayId)) {
    for (const sink of sinks) {
      const position = parsePosition(await positions.get(positionName(gatewayId, sink)));
      for (const { chain, head } of chains) {
        const place = placeIn(position, chain);
        if (place !== 'done' && place.seq < head.seq) found.push({ chain, seq: place.seq, sink: `the sink ${sink}` });
      }
    }
  }
  return found;
}
