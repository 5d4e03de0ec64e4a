import type { PruneAsked } from './record-pruner.ts';

/** Why events of a chain up to this one may not go yet, in words for an operator; undefined when every sink has them. */
export function heldBySink({ undelivered }: PruneAsked, chain: string, lastSeq: number): string | undefined {
  const behind = undelivered.find((one) => one.chain === chain && one.seq < lastSeq);
  return behind && `${behind.sink} has not delivered it yet, only up to event ${behind.seq}`;
}
