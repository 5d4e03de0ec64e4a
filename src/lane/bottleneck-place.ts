import type { LaneCall, LeaveSignal, Place, Turn } from '../domain/lane.ts';

export interface BottleneckPlaceKeeper {
  ask(place: BottleneckPlace, signal: LeaveSignal): Promise<Turn>;
  leave(place: BottleneckPlace): void;
}

export class BottleneckPlace implements Place {
  readonly #keeper: BottleneckPlaceKeeper;
  readonly call: LaneCall;
  disposed = false;
  wish:
    | {
        readonly resolve: (turn: Turn) => void;
        readonly reject: (reason: unknown) => void;
        readonly signal: LeaveSignal;
        readonly onAbort: () => void;
        readonly cancelDeadline: () => void;
      }
    | undefined;

  constructor(keeper: BottleneckPlaceKeeper, call: LaneCall) {
    this.#keeper = keeper;
    this.call = call;
  }

  turn(signal: LeaveSignal): Promise<Turn> {
    return this.#keeper.ask(this, signal);
  }

  [Symbol.dispose](): void {
    this.#keeper.leave(this);
  }
}
