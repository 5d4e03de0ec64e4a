/** Milliseconds until somebody who waits for the store hears that it does not answer: under the second that is promised. */
export const ANSWER_MS_MAX = 800;

/**
 * Asks the store, and gives up after {@link ANSWER_MS_MAX}, whatever it waits for: a lock of another process', or its turn
 * behind others who wait for one. What was given up before its turn came is not done later.
 *
 * @param ask `begin` is called when its turn has come, and throws where nobody waits for the answer any more
 */
export async function promptly<T>(ask: (begin: () => void) => Promise<T>): Promise<T> {
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  let late = false;
  const tooLate = (): Error => new Error(`the store did not answer within ${ANSWER_MS_MAX} ms`);
  const timer = setTimeout(() => {
    late = true;
    reject(tooLate());
  }, ANSWER_MS_MAX);
  try {
    return await Promise.race([
      givenUp,
      ask(() => {
        if (late) throw tooLate();
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
