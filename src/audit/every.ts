import type { Clock } from '../domain/clock.ts';

/**
 * Does something again and again, with a pause after each time, from now on.
 *
 * @param task never throws
 * @returns ends it; settles when what was under way has ended
 */
export function every(clock: Clock, pauseMs: number, task: () => Promise<void>): () => Promise<void> {
  let isEnded = false;
  let underWay = Promise.resolve();
  let cancel = (): void => undefined;
  const later = (): void => {
    if (isEnded) return;
    cancel = clock.after(pauseMs, () => {
      underWay = task().then(later);
    });
  };
  later();
  return async () => {
    isEnded = true;
    cancel();
    await underWay;
  };
}
