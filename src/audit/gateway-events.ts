import { randomUUIDv7 } from 'node:crypto';
import type { AdminEvent } from '../domain/event.ts';
import type { ChainHead } from './chain.ts';
import { eventLine } from './event-line.ts';

/** The first event of a chain. It names the head of the run before it, so that a run cannot be taken out unseen. */
export function startLine(chain: string, at: number, previous: ChainHead | undefined): string {
  const before =
    previous === undefined
      ? {}
      : {
          previousChain: previous.chain,
          previousSeq: previous.seq,
          previousLink: Buffer.from(previous.link).toString('hex'),
        };
  return gatewayLine(at, 'gateway.start', { chain, ...before });
}

/** The last event of a chain that came to its end. */
export function stopLine(at: number): string {
  return gatewayLine(at, 'gateway.stop', {});
}

/** Says that `events` events are missing, the first and the last of which happened at `since` and `until`. */
export function gapLine(at: number, gap: { events: number; since: number; until: number }): string {
  return gatewayLine(at, 'gateway.gap', gap);
}

function gatewayLine(at: number, act: string, details: AdminEvent['details']): string {
  return eventLine({
    kind: 'admin',
    requestId: randomUUIDv7(),
    at,
    actor: { kind: 'gateway' },
    act,
    details,
    result: 'done',
  });
}
