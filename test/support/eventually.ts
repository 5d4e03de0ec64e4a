const LOOK_MS = 10;
const WAIT_MS_MAX = 10_000;

/** Asks again and again until the answer is neither undefined nor false; fails the test after 10 s. */
export async function eventually<T>(what: string, ask: () => T | Promise<T>): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > end) throw new Error(`gave up waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
