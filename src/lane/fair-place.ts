import type { LaneCall, LeaveSignal, Place, Turn } from '../domain/lane.ts';
import type { TakenSlot } from './slots.ts';
import type { AppLine, Waiter } from './waiter.ts';

/** What a place asks of its lane. */
export interface PlaceKeeper {
  ask(place: FairPlace, signal: LeaveSignal): Promise<Turn>;
  leave(place: FairPlace): void;
  giveBack(slot: TakenSlot): void;
}

interface Wish {
  readonly resolve: (turn: Turn) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: LeaveSignal;
  readonly onAbort: () => void;
}

export class FairPlace implements Place, Waiter<FairPlace> {
  readonly #keeper: PlaceKeeper;
  #wish: Wish | undefined;
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
    return this.#wish !== undefined;
  }

  /** Begins to wait for a turn, or for a refusal; `onAbort` is for whoever must know that the caller left. */
  wait(signal: LeaveSignal, onAbort: () => void): Promise<Turn> {
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    this.#wish = { resolve, reject, signal, onAbort };
    signal.addEventListener('abort', onAbort, { once: true });
    return promise;
  }

  grant(turn: Turn): void {
    this.#endWait()?.resolve(turn);
  }

  /** Tells it that it lost its place: now when it waits for a turn, otherwise when it asks for one. */
  refuse(error: Error): void {
    const wish = this.#endWait();
    if (wish === undefined) this.refusal = error;
    else wish.reject(error);
  }

  #endWait(): Wish | undefined {
    const wish = this.#wish;
    this.#wish = undefined;
    wish?.signal.removeEventListener('abort', wish.onAbort);
    return wish;
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
