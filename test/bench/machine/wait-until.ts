import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until there is an answer. */
export async function waitUntil<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  withinMs = 20_000,
): Promise<T> {
  for (const from = performance.now(); performance.now() - from < withinMs; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(20);
  }
  throw new Error(`${what}: not within ${withinMs} ms`);
}
