import { TAKING_ACTS, type TakenOut } from '../../domain/archive.ts';

/**
 * What an event on record says that was taken out; undefined for any other event.
 *
 * @param line its bytes
 */
export function takenBy(line: string): TakenOut | undefined {
  const { act, result, details } = Object(JSON.parse(line));
  if (!TAKING_ACTS.has(act) || result === 'failed' || details?.chain === undefined) return undefined;
  const { chain, firstSeq, lastSeq, taken, events } = details;
  return { chain, firstSeq, lastSeq, taken, events: events ?? 0 };
}

/**
 * Of what was taken out earlier, and is said in events that go now, what must be said again: else what is missing would look
 * stolen. Of each chain the farthest, and of bytes only what stays.
 *
 * @param going what goes now, which says the same of itself
 * @param firstKept of each chain of which something is left, the first event that stays
 */
export function saidAgain(
  said: readonly TakenOut[],
  going: readonly TakenOut[],
  firstKept: ReadonlyMap<string, number>,
): TakenOut[] {
  const farthest = new Map<string, TakenOut>();
  const bytes = new Map<string, TakenOut>();
  for (const one of said) {
    if (one.taken === 'bytes') {
      const first = firstKept.get(one.chain);
      if (first !== undefined && one.lastSeq >= first) bytes.set(`${one.chain} ${one.firstSeq} ${one.lastSeq}`, one);
    } else if (one.lastSeq > (farthest.get(one.chain)?.lastSeq ?? 0)) {
      farthest.set(one.chain, one);
    }
  }
  for (const { chain, taken, lastSeq } of going) {
    if (taken === 'events' && lastSeq >= (farthest.get(chain)?.lastSeq ?? 0)) farthest.delete(chain);
  }
  return [...farthest.values(), ...bytes.values()];
}
