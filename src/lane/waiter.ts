import type { LaneCall } from '../domain/lane.ts';
import { SortedBlocks } from './sorted-blocks.ts';

/** 0 to 7: RFC 9218, section 4.1. */
export const URGENCIES = 8;

/** A call in the line, as the queue sees it; `W` is what the queue's owner makes of it. */
export interface Waiter<W extends Waiter<W>> {
  readonly call: LaneCall;
  app: AppLine<W>;
  /** Order of joining. */
  readonly seniority: number;
  /** Has had a turn and is back for another: comes before all others of its app. */
  returning: boolean;
  /** Waits for a turn, in contrast to having joined only. */
  ready: boolean;
}

/** The calls of one app that wait. */
export class AppLine<W extends Waiter<W>> {
  readonly id: string;
  /** Virtual time of the app's next turn. */
  pass = 0;
  /** Decides between apps of equal pass: who became ready first. */
  order = 0;
  weight = 1;
  /** Part of its turns that is for calls of this line; the others are for calls at other gateways. */
  part = 1;
  heldBytes = 0;
  /** All who joined and wait, ready or not. */
  readonly waiting = new SortedBlocks<W>(compareWithinApp);
  readonly ready = new SortedBlocks<W>(compareWithinApp);
  /** Of those, how many by urgency. */
  readonly #readyAt: number[] = new Array(URGENCIES).fill(0);

  constructor(id: string) {
    this.id = id;
  }

  addReady(waiter: W): void {
    this.ready.insert(waiter);
    this.#count(waiter, 1);
  }

  removeReady(waiter: W): void {
    this.ready.remove(waiter);
    this.#count(waiter, -1);
  }

  /** Urgencies of the ready calls, each with its number of calls, as pairs in one list. */
  urgencies(): number[] {
    return this.#readyAt.flatMap((calls, urgency) => (calls > 0 ? [urgency, calls] : []));
  }

  #count({ returning, call }: W, calls: 1 | -1): void {
    // Who is back from a turn goes before all others of its app.
    const urgency = returning ? 0 : call.urgency;
    this.#readyAt[urgency] = (this.#readyAt[urgency] ?? 0) + calls;
  }
}

/** Who is back from a turn first, then urgency, then the earliest deadline, then seniority. */
export function compareWithinApp<W extends Waiter<W>>(a: W, b: W): number {
  if (a.returning !== b.returning) return a.returning ? -1 : 1;
  if (!a.returning) {
    if (a.call.urgency !== b.call.urgency) return a.call.urgency - b.call.urgency;
    if (a.call.deadlineAt !== b.call.deadlineAt) return a.call.deadlineAt < b.call.deadlineAt ? -1 : 1;
  }
  return a.seniority - b.seniority;
}

export function compareByDeadline<W extends Waiter<W>>(a: W, b: W): number {
  if (a.call.deadlineAt !== b.call.deadlineAt) return a.call.deadlineAt < b.call.deadlineAt ? -1 : 1;
  return a.seniority - b.seniority;
}

export function compareByPass(a: { pass: number; order: number }, b: { pass: number; order: number }): number {
  return a.pass - b.pass || a.order - b.order;
}
