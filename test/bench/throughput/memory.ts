import { setTimeout as sleep } from 'node:timers/promises';
import { type Contestant, OTHER_CORE, PATH } from '../contestants/contestant.ts';
import { residentBytes } from '../machine/processor.ts';
import { load } from '../machine/wrk.ts';

const PIECE_SECONDS = 2;
/** Until what the last calls left is written down. */
const SETTLE_MS = 2_000;

/** Resident memory of a fresh gateway after each of these numbers of calls, bytes. */
export async function memoryAfter(
  gateway: Contestant,
  token: string,
  connections: number,
  marks: readonly number[],
): Promise<number[]> {
  const found: number[] = [];
  let calls = 0;
  for (const mark of marks) {
    while (calls < mark) {
      const work = { url: gateway.url + PATH, token, connections, seconds: PIECE_SECONDS, core: OTHER_CORE };
      calls += (await load(work)).requests;
      gateway.tidy?.();
    }
    await sleep(SETTLE_MS);
    found.push(residentBytes(gateway.pid));
  }
  return found;
}
