import { parseKeptState } from '../../../src/lane/learning/kept-state.ts';
import { LimitLearner } from '../../../src/lane/learning/limit-learner.ts';
import { paceFor } from '../../../src/lane/pace.ts';
import { Slots } from '../../../src/lane/slots.ts';
import type { RateLimiter } from '../../../src/simulator/limit/rate-limiter.ts';

export interface Play {
  /** Who judges from which instant on, in order. */
  readonly judges: readonly (readonly [fromMs: number, judge: RateLimiter])[];
  /** How a refusal asks to wait; default in whole seconds. */
  readonly asks?: 'seconds' | 'nothing' | 'always a second';
  /** Calls a second that come, evenly; undefined: more always wait. */
  readonly demand?: number;
  /** When the gateway starts anew, from what it kept; it is away for a second. */
  readonly restartsAt?: readonly number[];
  readonly forMs: number;
  /** To Mason and back. */
  readonly latencyMs?: number;
  /** Spread of the way to Mason. */
  readonly jitterMs?: number;
  readonly seed?: number;
}

export interface Played {
  readonly takenAt: readonly number[];
  readonly refusedAt: readonly number[];
  readonly came: number;
  readonly waiting: number;
  readonly learner: LimitLearner;
  /** What the lane was told, and when. */
  readonly tunings: readonly { readonly at: number; readonly calls: number; readonly windowMs: number }[];
}

const SPREAD_MS = 10;
const AWAY_MS = 1_000;
/** As far as a lane goes by a first word. */
const PAUSE_MS_MAX = 60_000;

interface Due {
  readonly at: number;
  happens(): void;
}

/** A lane that learns, and Mason, in virtual time: the real slots and the real learner, and nothing else of a gateway. */
export function playLearning(play: Play): Played {
  const { latencyMs = 40, jitterMs = 0, asks = 'seconds', forMs } = play;
  const random = randomFrom(play.seed ?? 1);
  const due: Due[] = [];
  const takenAt: number[] = [];
  const refusedAt: number[] = [];
  const tunings: Played['tunings'][number][] = [];
  let now = 0;
  let came = 0;
  let waiting = 0;
  let inFlight = 0;
  let learner = new LimitLearner({ pauseMsMax: PAUSE_MS_MAX }, 0);
  let slots = new Slots(paceNow());
  let version = -1;
  let waitingSince = 0;
  let wakesAt = Number.NaN;
  let awayUntil = 0;

  function paceNow() {
    const { limit, burst } = learner.tuning(undefined);
    return paceFor(limit, burst, Math.min(SPREAD_MS, limit.windowMs / 10));
  }
  function later(at: number, happens: () => void): void {
    let i = due.length;
    while (i > 0 && (due[i - 1] as Due).at > at) i--;
    due.splice(i, 0, { at, happens });
  }
  function follow(): void {
    if (learner.version === version) return;
    version = learner.version;
    slots.retune(paceNow(), now);
    const { limit } = learner.tuning(undefined);
    const last = tunings.at(-1);
    if (last?.calls !== limit.calls || last.windowMs !== limit.windowMs) tunings.push({ at: now, ...limit });
    if (learner.waitsUntil > now) slots.pause(learner.waitsUntil);
  }
  function come(): void {
    came++;
    waiting++;
    if (waiting === 1) waitingSince = now;
    if (play.demand !== undefined) later(now + 1_000 / play.demand, come);
    handOut();
  }
  function handOut(): void {
    follow();
    while (waiting > 0 || play.demand === undefined) {
      const freeAt = Math.max(slots.freeAt(now), awayUntil);
      if (freeAt > now) {
        if (wakesAt !== freeAt) {
          wakesAt = freeAt;
          later(freeAt, () => {
            if (wakesAt === freeAt) handOut();
          });
        }
        return;
      }
      slots.take(now, freeAt, waitingSince);
      if (waiting > 0) waiting--;
      else came++;
      send();
      follow();
    }
  }
  function send(): void {
    const sentAt = now;
    const sender = learner;
    inFlight++;
    sender.sent(now, waiting > 0 || play.demand === undefined);
    later(now + latencyMs / 2 + random() * jitterMs, () => {
      const judge = play.judges.findLast(([from]) => from <= now)?.[1] as RateLimiter;
      const { accepted, retryAfterMs } = judge.take(now);
      (accepted ? takenAt : refusedAt).push(now);
      if (accepted) inFlight--;
      later(now + latencyMs / 2, () => {
        if (!accepted) {
          inFlight--;
          waiting++;
        }
        const askedMs = accepted ? undefined : askedFrom(retryAfterMs, asks);
        sender.heard({ sentAt, refused: !accepted, askedMs, stated: [] }, now);
        // What the call itself does while nobody says how long to wait.
        if (!accepted) slots.pause(now + (askedMs === undefined ? 125 : Math.min(askedMs, PAUSE_MS_MAX)));
        handOut();
      });
    });
  }
  function restart(): void {
    const kept = JSON.stringify(learner.state(now));
    awayUntil = now + AWAY_MS;
    later(awayUntil, () => {
      const state = parseKeptState(kept);
      if (state === undefined) throw new Error(`cannot be read back: ${kept}`);
      learner = new LimitLearner({ pauseMsMax: PAUSE_MS_MAX }, now, { state, ageMs: AWAY_MS });
      slots = new Slots(paceNow());
      version = -1;
      handOut();
    });
  }

  for (const at of play.restartsAt ?? []) later(at, restart);
  later(0, play.demand === undefined ? handOut : come);
  for (let next = due.shift(); next !== undefined && next.at <= forMs; next = due.shift()) {
    now = next.at;
    next.happens();
  }
  // Where more always wait, only those who came back are told of.
  return { takenAt, refusedAt, came, waiting: waiting + inFlight, learner, tunings };
}

/** How many of the instants lie in [from, to). */
export function within(instants: readonly number[], fromMs: number, toMs: number): number {
  return instants.filter((at) => at >= fromMs && at < toMs).length;
}

function askedFrom(retryAfterMs: number, asks: NonNullable<Play['asks']>): number | undefined {
  if (asks === 'nothing') return undefined;
  return asks === 'seconds' ? Math.max(1, Math.ceil(Math.round(retryAfterMs) / 1_000)) * 1_000 : 1_000;
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
