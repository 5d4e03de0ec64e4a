import type { Clock } from '../../../src/domain/clock.ts';

interface Event {
  readonly at: number;
  /** Of two events of one instant the one that was planned first comes first: the same seed gives the same run. */
  readonly order: number;
  happens: (() => void) | undefined;
}

/** Virtual time for millions of events: a binary heap of what is to come, and promises that settle between two of them. */
export class EventClock implements Clock {
  readonly #heap: Event[] = [];
  readonly #lateMs: () => number;
  #now = 0;
  #planned = 0;
  #happened = 0;

  /** @param lateMs by how much a timer that somebody sets fires late; what is planned with {@link at} never does. */
  constructor(lateMs: () => number = () => 0) {
    this.#lateMs = lateMs;
  }

  /** Events so far. */
  get happened(): number {
    return this.#happened;
  }

  now(): number {
    return this.#now;
  }

  epochMs(): number {
    return 1_790_000_000_000 + this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const event = this.#plan(this.#now + delayMs + this.#lateMs(), callback);
    return () => {
      event.happens = undefined;
    };
  }

  /** What no event loop delays: something arrives. An instant that is over is now. */
  at(instant: number, happens: () => void): void {
    this.#plan(Math.max(instant, this.#now), happens);
  }

  /** Lets everything happen up to `until`; rejects with what an event throws. */
  run(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = () => {
        try {
          const event = this.#takeNext(until);
          if (event === undefined) {
            this.#now = until;
            resolve();
            return;
          }
          this.#now = event.at;
          this.#happened++;
          event.happens?.();
        } catch (error) {
          reject(error);
          return;
        }
        queueMicrotask(whenSettled);
      };
      // A tick that is asked for while promises settle comes when all that could have: for less than a turn of the event loop.
      const whenSettled = () => process.nextTick(next);
      queueMicrotask(whenSettled);
    });
  }

  #takeNext(until: number): Event | undefined {
    for (let first = this.#heap[0]; first !== undefined && first.at <= until; first = this.#heap[0]) {
      this.#removeFirst();
      if (first.happens !== undefined) return first;
    }
    return undefined;
  }

  #plan(at: number, happens: () => void): Event {
    const event: Event = { at, order: ++this.#planned, happens };
    const heap = this.#heap;
    let i = heap.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[i] = heap[parent] as Event;
      i = parent;
    }
    heap[i] = event;
    return event;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const moved = heap.pop() as Event;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!isBefore(heap[child] as Event, moved)) break;
      heap[i] = heap[child] as Event;
      i = child;
    }
    heap[i] = moved;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
