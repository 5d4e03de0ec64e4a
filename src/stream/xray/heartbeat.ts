import type { Clock } from '../../domain/clock.ts';

export interface HeartbeatBounds {
  /** A side that said nothing for so long is pinged; one that says nothing for thrice as long has gone. */
  readonly pingMs: number;
  /** A session in which no data passed for so long is ended: the device is free for somebody else then. */
  readonly idleMs: number;
}

type Side = 'caller' | 'mason';

/** What the heart of a session beats for. */
export interface Beating {
  /** A number that grows with data that passes; control frames are none. */
  passed(): number;
  /** Whether nothing is read from a side now, so that it cannot be heard. */
  isPaused(side: Side): boolean;
  ask(side: Side): void;
  end(reason: 'idle' | 'silent', words: string): void;
}

const SILENT_BEATS_MAX = 3;

/** Finds out whether both sides of an open session are there, and whether it is used. */
export class Heartbeat implements Disposable {
  readonly #clock: Clock;
  readonly #bounds: HeartbeatBounds;
  readonly #beating: Beating;
  /** Whole beats in which nothing was heard, as of the last one; the present one is not over. */
  readonly #silence: Record<Side, number> = { caller: 0, mason: 0 };
  #passed = 0;
  #usedAt: number;
  #cancel: () => void = () => {};

  constructor(clock: Clock, bounds: HeartbeatBounds, beating: Beating) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#beating = beating;
    this.#usedAt = clock.now();
    this.#schedule();
  }

  /** Something came from a side, whatever it was. */
  heard(side: Side): void {
    this.#silence[side] = 0;
  }

  #schedule(): void {
    const { pingMs, idleMs } = this.#bounds;
    this.#cancel = this.#clock.after(Math.min(pingMs, idleMs), () => {
      this.#schedule();
      this.#beat();
    });
  }

  #beat(): void {
    const now = this.#clock.now();
    const passed = this.#beating.passed();
    if (passed !== this.#passed) this.#usedAt = now;
    this.#passed = passed;
    if (now - this.#usedAt >= this.#bounds.idleMs) {
      this.#beating.end('idle', `nothing passed for ${Math.round(this.#bounds.idleMs / 1_000)} s`);
      return;
    }
    for (const side of ['caller', 'mason'] as const) this.#listen(side);
  }

  #listen(side: Side): void {
    if (this.#beating.isPaused(side)) this.#silence[side] = 0;
    const silence = this.#silence[side]++;
    if (silence >= SILENT_BEATS_MAX) {
      this.#beating.end('silent', side === 'caller' ? 'the caller does not answer' : 'Mason does not answer');
    } else if (silence > 0) {
      this.#beating.ask(side);
    }
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
