import Bottleneck from 'bottleneck';
import type { Clock } from '../domain/clock.ts';
import type { GatewayError } from '../domain/errors.ts';
import type {
  Lane,
  LaneCall,
  LaneSettings,
  LaneShare,
  LaneStats,
  LaneTuning,
  LeaveSignal,
  Place,
  Turn,
} from '../domain/lane.ts';
import { BottleneckPlace, type BottleneckPlaceKeeper } from './bottleneck-place.ts';
import { callerGone, deadlineUnreachable, heldIn, laneClosed, queueFull } from './refusals.ts';
import { TunedPace } from './tuned-pace.ts';
import { WindowCount } from './window-count.ts';

/** Where the limiter keeps its state. */
export interface BottleneckStore {
  readonly datastore: 'local';
}

/**
 * The lane of engine `bottleneck`: one Bottleneck limiter for the budget, a job for each turn. It waits, bounds, keeps to
 * deadlines and paces. It cannot share between apps, take a slot back, spare the slot of a caller who left, keep an exact
 * window (it sets timers by `Date.now()`, to the millisecond), burst, or start more than about 400 calls a second.
 */
export class BottleneckLane implements Lane, BottleneckPlaceKeeper {
  readonly #settings: LaneSettings;
  readonly #clock: Clock;
  readonly #limiter: Bottleneck;
  readonly #paced: TunedPace;
  readonly #window = new WindowCount();
  readonly #inLine = new Set<BottleneckPlace>();
  /** Jobs in the limiter, those of callers who left included: it cannot take one out. */
  #jobs = 0;
  #waitingBytes = 0;
  #sent = 0;
  #nextFreeAt = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #endPause: (() => void) | undefined;
  #closed = false;

  constructor(settings: LaneSettings, clock: Clock, store: BottleneckStore = { datastore: 'local' }) {
    this.#settings = settings;
    this.#clock = clock;
    this.#paced = new TunedPace({ ...settings, burst: 1 });
    // Without maxConcurrent, minTime books future slots at once: urgency and pauses would come too late for all of them.
    this.#limiter = new Bottleneck({ ...store, id: settings.budgetId, maxConcurrent: 1, minTime: this.#minTimeMs() });
  }

  join(call: LaneCall): Place {
    if (this.#closed) throw laneClosed();
    const now = this.#clock.now();
    const goesAt = this.#predict(now);
    if (goesAt > call.deadlineAt) throw deadlineUnreachable(call.appId, goesAt - now, call.deadlineAt - now);
    const { waitingCallsMax, waitingBytesMax } = this.#settings;
    const line = { waiting: Math.max(this.#inLine.size, this.#jobs), waitingBytes: this.#waitingBytes };
    if (line.waiting >= waitingCallsMax || line.waitingBytes + call.heldBytes > waitingBytesMax) {
      throw queueFull(heldIn(line, this.#settings), goesAt - now);
    }
    const place = new BottleneckPlace(this, call);
    this.#enter(place);
    return place;
  }

  ask(place: BottleneckPlace, signal: LeaveSignal): Promise<Turn> {
    if (place.wish !== undefined) return Promise.reject(new Error('a place asks for one turn at a time'));
    if (this.#closed) return Promise.reject(laneClosed());
    if (signal.aborted || place.disposed) {
      this.#exit(place);
      return Promise.reject(callerGone(signal.reason));
    }
    const { urgency, deadlineAt } = place.call;
    // A call that is back from Mason goes before all urgencies (0 to 7); the limiter knows priorities 0 to 9.
    const priority = this.#inLine.has(place) ? urgency + 1 : 0;
    this.#enter(place);
    const now = this.#clock.now();
    const goesAt = priority === 0 ? Math.max(now, this.#pausedUntil) : this.#predict(now);
    if (goesAt > deadlineAt) {
      this.#exit(place);
      return Promise.reject(deadlineUnreachable(place.call.appId, goesAt - now, deadlineAt - now));
    }
    const turn = new Promise<Turn>((resolve, reject) => {
      const onAbort = () => this.#refuse(place, callerGone(signal.reason));
      const cancelDeadline = this.#clock.after(Math.min(2 ** 31 - 1, deadlineAt - now), () =>
        this.#refuseTooLate(place),
      );
      place.wish = { resolve, reject, signal, onAbort, cancelDeadline };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    this.#jobs++;
    const job = async () => this.#run(place);
    this.#limiter
      .schedule({ priority }, job)
      .catch((error: unknown) => this.#settle(place)?.reject(this.#closed ? laneClosed() : error))
      .finally(() => this.#jobs--);
    return turn;
  }

  leave(place: BottleneckPlace): void {
    place.disposed = true;
    this.#exit(place);
    this.#settle(place)?.reject(callerGone(undefined));
  }

  share(): LaneShare {
    const now = this.#clock.now();
    const { windowMs } = this.#paced.tuning.limit;
    const isFree = this.#jobs === 0 && Math.max(this.#nextFreeAt, this.#pausedUntil) <= now;
    return {
      calls: Math.max(1, Math.floor(windowMs / this.#minTimeMs())),
      windowMs,
      remaining: isFree ? 1 : 0,
      resetMs: Math.max(0, this.#window.newestAt + this.#paced.pace.horizonMs - now),
    };
  }

  pause(durationMs: number): void {
    if (!(durationMs > 0)) return;
    const until = this.#clock.now() + Math.min(durationMs, this.#settings.pauseMsMax);
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
    for (const place of this.#inLine) {
      if (place.wish !== undefined && place.call.deadlineAt < this.#pausedUntil) this.#refuseTooLate(place);
    }
  }

  observe(operation: string, firstByteMs: number): void {
    if (this.#paced.observe(operation, firstByteMs, this.#clock.now())) this.#applyPace();
  }

  retune(tuning: LaneTuning): void {
    this.#paced.retune({ ...tuning, burst: 1 });
    this.#applyPace();
  }

  stats(): LaneStats {
    const now = this.#clock.now();
    const { limit } = this.#paced.tuning;
    return {
      limit,
      waiting: this.#inLine.size,
      waitingBytes: this.#waitingBytes,
      sent: this.#sent,
      used: this.#window.since(now - limit.windowMs) / limit.calls,
      spreadMs: this.#paced.spreadMs,
      pausedUntil: this.#pausedUntil > now ? this.#pausedUntil : 0,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const place of [...this.#inLine]) this.#refuse(place, laneClosed());
    this.#endPause?.();
    await this.#limiter.stop({ dropWaitingJobs: true });
    await this.#limiter.disconnect();
  }

  /** A job: its start is the slot. It holds the only running place while the lane is paused. */
  async #run(place: BottleneckPlace): Promise<void> {
    for (let left = this.#pauseLeftMs(); left > 0 && !this.#closed; left = this.#pauseLeftMs()) {
      await new Promise<void>((resolve) => {
        this.#endPause = resolve;
        this.#clock.after(Math.min(2 ** 31 - 1, Math.ceil(left)), resolve);
      });
    }
    const now = this.#clock.now();
    this.#nextFreeAt = now + this.#minTimeMs();
    if (place.wish === undefined) return;
    if (place.call.deadlineAt < now) return this.#refuseTooLate(place);
    this.#exit(place);
    this.#sent++;
    this.#window.expire(now, this.#paced.pace.horizonMs);
    this.#window.add(now, this.#paced.pace.bucketMs);
    // The slot is gone with the job's start: nothing to give back.
    this.#settle(place)?.resolve({ giveBack() {}, sent() {} });
  }

  #pauseLeftMs(): number {
    return this.#pausedUntil - this.#clock.now();
  }

  #predict(now: number): number {
    return Math.max(now, this.#nextFreeAt, this.#pausedUntil) + this.#jobs * this.#minTimeMs();
  }

  #enter(place: BottleneckPlace): void {
    if (this.#inLine.has(place)) return;
    this.#inLine.add(place);
    this.#waitingBytes += place.call.heldBytes;
  }

  #exit(place: BottleneckPlace): void {
    if (this.#inLine.delete(place)) this.#waitingBytes -= place.call.heldBytes;
  }

  #settle(place: BottleneckPlace): BottleneckPlace['wish'] {
    const { wish } = place;
    place.wish = undefined;
    wish?.cancelDeadline();
    wish?.signal.removeEventListener('abort', wish.onAbort);
    return wish;
  }

  #refuse(place: BottleneckPlace, error: GatewayError): void {
    this.#exit(place);
    this.#settle(place)?.reject(error);
  }

  #refuseTooLate(place: BottleneckPlace): void {
    const now = this.#clock.now();
    const { appId, deadlineAt } = place.call;
    this.#refuse(place, deadlineUnreachable(appId, this.#predict(now) - now, deadlineAt - now));
  }

  #applyPace(): void {
    this.#limiter.updateSettings({ minTime: this.#minTimeMs() });
  }

  /** Whole milliseconds: the limiter counts in `Date.now()`, and its timers cut fractions off. */
  #minTimeMs(): number {
    return Math.ceil(this.#paced.pace.spacingMs);
  }
}
