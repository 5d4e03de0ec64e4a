import type { Clock } from '../domain/clock.ts';
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
import { BottleneckGrants } from './bottleneck-grants.ts';
import type { LimiterRedis } from './bottleneck-limiter.ts';
import { BottleneckLine } from './bottleneck-line.ts';
import { BottleneckPlace, type BottleneckPlaceKeeper } from './bottleneck-place.ts';
import { type GrantPace, grantPace } from './grant-pace.ts';
import { callerGone, deadlineUnreachable, heldIn, laneClosed, queueFull } from './refusals.ts';
import { TunedPace } from './tuned-pace.ts';
import { WakeUp } from './wake-up.ts';
import { WindowCount } from './window-count.ts';

/** More would be booked for callers who may leave, and lost with a process that dies. */
const GRANTS_OUTSTANDING_MAX = 2;
/** Weight of the newest interval of grants in what callers are told of their wait. */
const NEWEST_PART = 1 / 4;
const SPENT: Turn = { giveBack() {}, sent() {} };

/**
 * The lane of engine `bottleneck`: one Bottleneck limiter for the budget. Callers wait here, in order; the limiter, alone
 * or on Redis with those of other gateways, says when the next few may go. It waits, bounds, keeps to deadlines and paces. It
 * cannot share between apps or gateways, take a slot back, or burst; its timers are a millisecond or more off, so that a window
 * may see a few calls too many; when Redis loses what it knew of the budget, one grant too many; and while Redis is away
 * nobody goes.
 */
export class BottleneckLane implements Lane, BottleneckPlaceKeeper {
  readonly #settings: LaneSettings;
  readonly #clock: Clock;
  readonly #isShared: boolean;
  readonly #grants: BottleneckGrants;
  readonly #paced: TunedPace;
  readonly #window = new WindowCount();
  readonly #line: BottleneckLine;
  readonly #pauseOver: WakeUp;
  #grantPace: GrantPace;
  #seniority = 0;
  #sent = 0;
  #grantedAt = Number.NEGATIVE_INFINITY;
  /** How often grants came lately while calls waited: more gateways, fewer grants for each. */
  #grantEveryMs: number;
  /** Whether the last grant was too small for those who were ready: only then does the next one's distance say anything. */
  #leftSome = false;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @param redis shares the budget with other gateways; undefined: this process alone sends from it */
  constructor(settings: LaneSettings, clock: Clock, redis?: LimiterRedis) {
    this.#settings = settings;
    this.#clock = clock;
    this.#line = new BottleneckLine(clock);
    this.#isShared = redis !== undefined;
    this.#paced = new TunedPace({ ...settings, burst: 1 });
    this.#grantPace = grantPace(this.#paced.pace.spacingMs);
    this.#grantEveryMs = this.#grantPace.minTimeMs;
    this.#pauseOver = new WakeUp(clock, () => this.#wantGrants());
    this.#grants = new BottleneckGrants({
      budgetId: settings.budgetId,
      clock,
      redis,
      pace: this.#grantPace,
      onGrant: (calls) => this.#handOut(calls),
      onPause: (durationMs) => this.#pauseHere(durationMs),
    });
  }

  join(call: LaneCall): Place {
    if (this.#closed) throw laneClosed();
    const now = this.#clock.now();
    const goesAt = this.#predict(now);
    if (goesAt > call.deadlineAt) throw deadlineUnreachable(call.appId, goesAt - now, call.deadlineAt - now);
    const { waitingCallsMax, waitingBytesMax } = this.#settings;
    const line = this.#line;
    if (line.waiting >= waitingCallsMax || line.waitingBytes + call.heldBytes > waitingBytesMax) {
      throw queueFull(heldIn(line, this.#settings), goesAt - now);
    }
    const place = new BottleneckPlace(this, call, ++this.#seniority);
    line.join(place);
    return place;
  }

  ask(place: BottleneckPlace, signal: LeaveSignal): Promise<Turn> {
    if (place.wish !== undefined) return Promise.reject(new Error('a place asks for one turn at a time'));
    if (this.#closed) return Promise.reject(laneClosed());
    if (signal.aborted || place.disposed) {
      this.#line.leave(place);
      return Promise.reject(callerGone(signal.reason));
    }
    place.returning = !this.#line.has(place);
    this.#line.join(place);
    const { deadlineAt, appId } = place.call;
    const now = this.#clock.now();
    const goesAt = place.returning ? Math.max(now, this.#pausedUntil) : this.#predict(now);
    if (goesAt > deadlineAt) {
      this.#line.leave(place);
      return Promise.reject(deadlineUnreachable(appId, goesAt - now, deadlineAt - now));
    }
    const leave = () => this.#line.refuse(place, callerGone(signal.reason));
    const turn = this.#line.wait(place, signal, leave, () => this.#refuseTooLate(place));
    this.#wantGrants();
    return turn;
  }

  leave(place: BottleneckPlace): void {
    place.disposed = true;
    if (this.#line.has(place)) this.#line.refuse(place, callerGone(undefined));
  }

  share(): LaneShare {
    const now = this.#clock.now();
    const { windowMs } = this.#paced.tuning.limit;
    const { calls, minTimeMs } = this.#grantPace;
    const { lost, outstanding } = this.#grants;
    const isFree = !lost && outstanding + this.#line.ready === 0 && this.#freeAt() <= now;
    return {
      calls: Math.max(1, Math.floor((windowMs * calls) / minTimeMs)),
      windowMs,
      remaining: isFree ? 1 : 0,
      resetMs: Math.max(0, this.#window.newestAt + this.#paced.pace.horizonMs - now),
    };
  }

  pause(durationMs: number): void {
    this.#pauseHere(durationMs);
    if (durationMs > 0) this.#grants.tellPause(Math.min(durationMs, this.#settings.pauseMsMax));
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
      waiting: this.#line.waiting,
      waitingBytes: this.#line.waitingBytes,
      sent: this.#sent,
      used: this.#window.since(now - limit.windowMs) / limit.calls,
      spreadMs: this.#paced.spreadMs,
      pausedUntil: this.#pausedUntil > now ? this.#pausedUntil : 0,
      mode: this.#mode(),
      gateways: 1,
      roundTripMs: this.#isShared ? this.#grants.roundTripMs : 0,
      asked: this.#isShared ? this.#grants.asked : 0,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const place of this.#line.all()) this.#line.refuse(place, laneClosed());
    this.#pauseOver.cancel();
    await this.#grants.close();
  }

  /** A grant has come: so many calls go. One that comes in a pause is lost; another is asked for when it is over. */
  #handOut(calls: number): void {
    const now = this.#clock.now();
    if (this.#pausedUntil <= now) {
      const { minTimeMs } = this.#grantPace;
      const everyMs = Math.max(minTimeMs, now - Math.max(this.#grantedAt, this.#pausedUntil));
      if (this.#leftSome) this.#grantEveryMs += (everyMs - this.#grantEveryMs) * NEWEST_PART;
      this.#leftSome = this.#line.ready > calls;
      if (!this.#leftSome) this.#grantEveryMs = minTimeMs;
      this.#grantedAt = now;
      for (let left = calls; left > 0 && this.#line.next !== undefined; left--) this.#send(this.#line.next, now);
    }
    this.#wantGrants();
  }

  #send(place: BottleneckPlace, now: number): void {
    this.#sent++;
    this.#window.expire(now, this.#paced.pace.horizonMs);
    this.#window.add(now, this.#paced.pace.bucketMs);
    // The slot is gone with the grant: nothing to give back.
    this.#line.grant(place, SPENT);
  }

  #wantGrants(): void {
    const now = this.#clock.now();
    const isPaused = this.#pausedUntil > now;
    if (isPaused && this.#line.ready > 0) this.#pauseOver.at(this.#pausedUntil, now);
    const grants = Math.ceil(this.#line.ready / this.#grantPace.calls);
    this.#grants.want(isPaused ? 0 : Math.min(GRANTS_OUTSTANDING_MAX, grants));
  }

  #pauseHere(durationMs: number): void {
    if (!(durationMs > 0)) return;
    const until = this.#clock.now() + Math.min(durationMs, this.#settings.pauseMsMax);
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
    for (const place of this.#line.all()) {
      if (place.wish !== undefined && place.call.deadlineAt < this.#pausedUntil) this.#refuseTooLate(place);
    }
    this.#wantGrants();
  }

  #freeAt(): number {
    return Math.max(this.#grantedAt + this.#grantPace.minTimeMs, this.#pausedUntil);
  }

  /** When a call would go that comes now, as grants came lately. */
  #predict(now: number): number {
    return Math.max(now, this.#freeAt()) + Math.floor(this.#line.ready / this.#grantPace.calls) * this.#grantEveryMs;
  }

  #mode(): LaneStats['mode'] {
    if (!this.#isShared) return 'local';
    return this.#grants.usable ? 'shared' : 'silent';
  }

  #refuseTooLate(place: BottleneckPlace): void {
    const now = this.#clock.now();
    const { appId, deadlineAt } = place.call;
    this.#line.refuse(place, deadlineUnreachable(appId, this.#predict(now) - now, deadlineAt - now));
  }

  #applyPace(): void {
    const before = this.#grantPace.minTimeMs;
    this.#grantPace = grantPace(this.#paced.pace.spacingMs);
    // As many gateways as before have their part of it.
    this.#grantEveryMs *= this.#grantPace.minTimeMs / before;
    this.#grants.retune(this.#grantPace);
    this.#wantGrants();
  }
}
