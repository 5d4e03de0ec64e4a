import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';

/** Before it is measured, so that code is warm. */
const WARM_UP_SECONDS = 2;

/**
 * Calls at a pace, whether or not the ones before are answered: each takes from when it was due.
 *
 * @returns milliseconds of each, ascending
 * @throws Error when a call is not answered with 200
 */
export async function paced(
  url: string,
  token: string,
  perSecond: number,
  seconds: number,
): Promise<readonly number[]> {
  const dispatcher = new Agent({ pipelining: 1 });
  const headers = { authorization: `Bearer ${token}` };
  const times: number[] = [];
  const calls: Promise<void>[] = [];
  const from = performance.now();
  const call = async (n: number, due: number): Promise<void> => {
    const { statusCode, body } = await request(`${url}&n=${n}`, { dispatcher, headers });
    await body.dump();
    if (statusCode !== 200) throw new Error(`expected 200, got ${statusCode}`);
    if (due - from >= WARM_UP_SECONDS * 1_000) times.push(performance.now() - due);
  };
  const count = perSecond * (seconds + WARM_UP_SECONDS);
  for (let n = 0; n < count; ) {
    const due = from + (n * 1_000) / perSecond;
    if (due > performance.now()) await sleep(1);
    else calls.push(call(n++, due));
  }
  await Promise.all(calls);
  await dispatcher.close();
  return times.toSorted((a, b) => a - b);
}
