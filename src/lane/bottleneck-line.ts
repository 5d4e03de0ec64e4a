import { type Clock, DELAY_MS_MAX } from '../domain/clock.ts';
import type { GatewayError } from '../domain/errors.ts';
import type { LeaveSignal, Turn } from '../domain/lane.ts';
import { type BottleneckPlace, comparePlaces } from './bottleneck-place.ts';
import { SortedBlocks } from './sorted-blocks.ts';

/** Who waits in a lane of engine `bottleneck`, in order. */
export class BottleneckLine {
  readonly #clock: Clock;
  readonly #joined = new Set<BottleneckPlace>();
  readonly #ready = new SortedBlocks<BottleneckPlace>(comparePlaces);
  #waitingBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** All who joined, ready or not. */
  get waiting(): number {
    return this.#joined.size;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get ready(): number {
    return this.#ready.size;
  }

  get next(): BottleneckPlace | undefined {
    return this.#ready.first;
  }

  has(place: BottleneckPlace): boolean {
    return this.#joined.has(place);
  }

  /** A list of its own: whoever is refused meanwhile leaves it. */
  all(): BottleneckPlace[] {
    return [...this.#joined];
  }

  join(place: BottleneckPlace): void {
    if (this.#joined.has(place)) return;
    this.#joined.add(place);
    this.#waitingBytes += place.call.heldBytes;
  }

  /** Waits for the turn; `onLeave` and `onDeadline` must refuse it. */
  wait(place: BottleneckPlace, signal: LeaveSignal, onLeave: () => void, onDeadline: () => void): Promise<Turn> {
    const leftMs = Math.min(DELAY_MS_MAX, place.call.deadlineAt - this.#clock.now());
    const cancelDeadline = this.#clock.after(leftMs, onDeadline);
    signal.addEventListener('abort', onLeave, { once: true });
    this.#ready.insert(place);
    return new Promise<Turn>((resolve, reject) => {
      place.wish = { resolve, reject, signal, onLeave, cancelDeadline };
    });
  }

  grant(place: BottleneckPlace, turn: Turn): void {
    this.leave(place)?.resolve(turn);
  }

  refuse(place: BottleneckPlace, error: GatewayError): void {
    this.leave(place)?.reject(error);
  }

  /** @returns what it waited for, if it did */
  leave(place: BottleneckPlace): BottleneckPlace['wish'] {
    if (this.#joined.delete(place)) this.#waitingBytes -= place.call.heldBytes;
    const { wish } = place;
    if (wish === undefined) return undefined;
    this.#ready.remove(place);
    place.wish = undefined;
    wish.cancelDeadline();
    wish.signal.removeEventListener('abort', wish.onLeave);
    return wish;
  }
}
