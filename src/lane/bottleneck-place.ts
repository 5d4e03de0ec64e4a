import type { LaneCall, LeaveSignal, Place, Turn } from '../domain/lane.ts';

export interface BottleneckPlaceKeeper {
  ask(place: BottleneckPlace, signal: LeaveSignal): Promise<Turn>;
  leave(place: BottleneckPlace): void;
}

export class BottleneckPlace implements Place {
  readonly #keeper: BottleneckPlaceKeeper;
  readonly call: LaneCall;
  /** Order of joining. */
  readonly seniority: number;
  disposed = false;
  /** Has had a turn and is back for another. */
  returning = false;
  wish:
    | {
        readonly resolve: (turn: Turn) => void;
        readonly reject: (reason: unknown) => void;
        readonly signal: LeaveSignal;
        readonly onLeave: () => void;
        readonly cancelDeadline: () => void;
      }
    | undefined;

  constructor(keeper: BottleneckPlaceKeeper, call: LaneCall, seniority: number) {
    this.#keeper = keeper;
    this.call = call;
    this.seniority = seniority;
  }

  turn(signal: LeaveSignal): Promise<Turn> {
    return this.#keeper.ask(this, signal);
  }

  get asksForTurn(): boolean {
    return this.wish !== undefined;
  }

  [Symbol.dispose](): void {
    this.#keeper.leave(this);
  }
}

/** Who is back from a turn first, then urgency, then seniority. */
export function comparePlaces(a: BottleneckPlace, b: BottleneckPlace): number {
  if (a.returning !== b.returning) return a.returning ? -1 : 1;
  if (!a.returning && a.call.urgency !== b.call.urgency) return a.call.urgency - b.call.urgency;
  return a.seniority - b.seniority;
}
