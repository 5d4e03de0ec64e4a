const LOOK_MS = 5;
const WAIT_MS_MAX = 10_000;

/** Looks again and again until a condition holds; fails the test after 10 s. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + WAIT_MS_MAX;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
