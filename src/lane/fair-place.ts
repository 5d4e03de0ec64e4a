import type { LaneCall, LeaveSignal, Place, Turn } from '../domain/lane.ts';
import type { TakenSlot } from './slots.ts';
import type { AppLine, Waiter } from './waiter.ts';

/** What a place asks of its lane. */
export interface PlaceKeeper {
  ask(place: FairPlace, signal: LeaveSignal): Promise<Turn>;
  /** @param reason why its caller left, if it did */
  leave(place: FairPlace, reason?: unknown): void;
  giveBack(slot: TakenSlot): void;
}

/** One object is all that waits: thousands of them do, and functions of their own would be most of what each costs. */
export class FairPlace implements Place, Waiter<FairPlace> {
  readonly #keeper: PlaceKeeper;
  /** While it waits for a turn. */
  #signal: LeaveSignal | undefined;
  #resolve: ((turn: Turn) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  readonly call: LaneCall;
  readonly seniority: number;
  app: AppLine<FairPlace>;
  returning = false;
  ready = false;
  /** In the line; otherwise it has had its turn, or was refused. */
  inLine = false;
  disposed = false;
  /** It lost its place before it asked for a turn. */
  refusal: Error | undefined;

  constructor(keeper: PlaceKeeper, call: LaneCall, app: AppLine<FairPlace>, seniority: number) {
    this.#keeper = keeper;
    this.call = call;
    this.app = app;
    this.seniority = seniority;
  }

  turn(signal: LeaveSignal): Promise<Turn> {
    return this.#keeper.ask(this, signal);
  }

  [Symbol.dispose](): void {
    this.#keeper.leave(this);
  }

  get asksForTurn(): boolean {
    return this.#signal !== undefined;
  }

  /** Begins to wait for a turn, or for a refusal. */
  wait(signal: LeaveSignal): Promise<Turn> {
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener('abort', this, { once: true });
    return promise;
  }

  /** As the listener of its signal. */
  handleEvent(): void {
    this.#keeper.leave(this, this.#signal?.reason);
  }

  grant(turn: Turn): void {
    const resolve = this.#resolve;
    this.#endWait();
    resolve?.(turn);
  }

  /** Tells it that it lost its place: now when it waits for a turn, otherwise when it asks for one. */
  refuse(error: Error): void {
    const reject = this.#reject;
    this.#endWait();
    if (reject === undefined) this.refusal = error;
    else reject(error);
  }

  #endWait(): void {
    this.#signal?.removeEventListener('abort', this);
    this.#signal = undefined;
    this.#resolve = undefined;
    this.#reject = undefined;
  }
}

export class FairTurn implements Turn {
  readonly #keeper: PlaceKeeper;
  #slot: TakenSlot | undefined;

  constructor(keeper: PlaceKeeper, slot: TakenSlot) {
    this.#keeper = keeper;
    this.#slot = slot;
  }

  giveBack(): void {
    const slot = this.#slot;
    this.#slot = undefined;
    if (slot !== undefined) this.#keeper.giveBack(slot);
  }

  sent(): void {
    this.#slot = undefined;
  }
}
