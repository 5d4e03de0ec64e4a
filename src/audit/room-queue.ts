import type { Clock } from '../domain/clock.ts';

/** How long a call waits for room at the longest. */
const ROOM_MS_MAX = 1_000;

/** Calls that wait for room in the backlog, first come first served. */
export class RoomQueue {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Settles when there is room, or after 1 s. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      const leave = (): void => {
        cancel();
        this.#waiting.delete(leave);
        resolve();
      };
      const cancel = this.#clock.after(ROOM_MS_MAX, leave);
      this.#waiting.add(leave);
    });
  }

  /** Lets as many go on as there is room for; more would only meet the bound again. */
  release(events: number): void {
    let left = events;
    for (const leave of this.#waiting) {
      if (left <= 0) return;
      left -= 1;
      leave();
    }
  }
}
