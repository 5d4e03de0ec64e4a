import { GatewayError } from '../../../src/domain/errors.ts';
import type { Lane, LeaveSignal, Place, Turn } from '../../../src/domain/lane.ts';
import type { Random } from '../../../src/simulator/random.ts';
import type { EventClock } from './event-clock.ts';
import type { Gateways } from './gateways.ts';
import type { Mason } from './mason.ts';
import type { FleetOptions } from './options.ts';
import type { BudgetTally } from './tally.ts';

/** What all callers have in common. */
export interface Stage {
  readonly options: FleetOptions;
  readonly clock: EventClock;
  readonly gateways: Gateways;
  readonly mason: Mason;
  readonly random: Random;
  /** What happens before is not measured. */
  readonly measuredFromMs: number;
}

/** Nobody leaves; a real signal would remember each of the many who wait. */
const STAYS: LeaveSignal = {
  aborted: false,
  reason: undefined,
  addEventListener() {},
  removeEventListener() {},
};
const CALL_BYTES = 3_000;
const OPERATION = 'call';

/** One of the many that call: it calls, waits for the answer, thinks, and calls again. */
export class Caller {
  readonly #stage: Stage;
  readonly #budget: number;
  readonly #app: number;
  readonly #tally: BudgetTally;

  constructor(stage: Stage, budget: number, app: number, tally: BudgetTally) {
    this.#stage = stage;
    this.#budget = budget;
    this.#app = app;
    this.#tally = tally;
  }

  /** Calls for the first time after a part of the time that it thinks. */
  begin(): void {
    this.#after(this.#stage.random.next() * this.#stage.options.thinkMs, () => this.#call());
  }

  #call(): void {
    const { options, clock, gateways } = this.#stage;
    const now = clock.now();
    const lane = gateways.laneFor(this.#budget);
    const call = {
      appId: `app-${this.#app}`,
      weight: 1,
      urgency: 3,
      deadlineAt: now + options.waitMs,
      heldBytes: CALL_BYTES,
    };
    let place: Place;
    try {
      place = lane.join(call);
    } catch (error) {
      this.#turnedAway(error);
      return;
    }
    this.#wait(lane, place, 0);
  }

  /** @param waitedMs in line, before a turn that Mason refused */
  #wait(lane: Lane, place: Place, waitedMs: number): void {
    const { clock } = this.#stage;
    const from = clock.now();
    this.#tally.beginWait(this.#app, from);
    place.turn(STAYS).then(
      (turn) => {
        this.#tally.endWait(this.#app, clock.now());
        this.#send(lane, place, turn, waitedMs + clock.now() - from);
      },
      (error: unknown) => {
        this.#tally.endWait(this.#app, clock.now());
        this.#turnedAway(error);
      },
    );
  }

  #send(lane: Lane, place: Place, turn: Turn, waitedMs: number): void {
    const { options, clock, mason, random } = this.#stage;
    const { min, max } = options.jitter;
    const sentAt = clock.now();
    turn.sent();
    this.#after(options.latencyMs / 2 + min + random.next() * (max - min), () => {
      const verdict = mason.judge(this.#budget, clock.now());
      if (verdict.accepted) this.#noteAccepted(waitedMs);
      else this.#noteRefused();
      this.#after(options.latencyMs / 2, () => {
        lane.observe(OPERATION, clock.now() - sentAt);
        if (verdict.accepted) {
          place[Symbol.dispose]();
          this.#think();
        } else {
          // Whole seconds, as `Retry-After` says it.
          lane.pause(Math.max(1, Math.ceil(verdict.retryAfterMs / 1_000)) * 1_000);
          this.#wait(lane, place, waitedMs);
        }
      });
    });
  }

  #noteAccepted(waitedMs: number): void {
    if (!this.#isMeasured) return;
    this.#tally.accepted++;
    this.#tally.app(this.#app).waitsMs.push(waitedMs);
  }

  #noteRefused(): void {
    this.#tally.refused++;
    if (this.#isMeasured) this.#tally.refusedLater++;
  }

  #turnedAway(error: unknown): void {
    if (!(error instanceof GatewayError)) throw error;
    if (this.#isMeasured) this.#tally.app(this.#app).turnedAway++;
    this.#after(Math.max(this.#thinkMs(), error.retryAfterMs ?? 0), () => this.#call());
  }

  #think(): void {
    this.#after(this.#thinkMs(), () => this.#call());
  }

  #thinkMs(): number {
    return -Math.log(1 - this.#stage.random.next()) * this.#stage.options.thinkMs;
  }

  get #isMeasured(): boolean {
    return this.#stage.clock.now() >= this.#stage.measuredFromMs;
  }

  #after(ms: number, happens: () => void): void {
    const { clock } = this.#stage;
    clock.at(clock.now() + ms, happens);
  }
}
