import type { Clock } from '../domain/clock.ts';

/** Acts again and again, each time `periodMs` after the last one is done, until the answer is called. `act` must not throw. */
export function every(clock: Clock, periodMs: number, act: () => Promise<unknown>): () => void {
  let isOver = false;
  let cancel = (): void => {};
  const schedule = (): void => {
    if (isOver) return;
    cancel = clock.after(periodMs, () => void act().finally(schedule));
  };
  schedule();
  return () => {
    isOver = true;
    cancel();
  };
}
