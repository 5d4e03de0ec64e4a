import { GatewayError } from '../../src/domain/errors.ts';
import type { Lane, LaneCall, LaneSettings, Turn } from '../../src/domain/lane.ts';
import { FairLane } from '../../src/lane/fair-lane.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export const SETTINGS: LaneSettings = {
  budgetId: 'budget-1',
  limit: { calls: 100, windowMs: 1_000 },
  burst: undefined,
  spreadMs: undefined,
  waitingCallsMax: 10_000,
  waitingBytesMax: 1_000_000,
  pauseMsMax: 60_000,
};
/** A caller who stays. */
export const stays = new AbortController().signal;

export interface Sent {
  readonly name: string;
  readonly at: number;
}

/** A fair lane in virtual time, and what became of its callers. */
export class Stage {
  readonly clock: VirtualClock;
  readonly lane: Lane;
  readonly sent: Sent[] = [];
  readonly refused: { name: string; at: number; error: GatewayError }[] = [];

  constructor(settings: Partial<LaneSettings> = {}, lateMs?: () => number) {
    this.clock = new VirtualClock(1_000, lateMs);
    this.lane = new FairLane({ ...SETTINGS, ...settings }, this.clock);
  }

  call(options: Partial<LaneCall> & { waitMs?: number } = {}): LaneCall {
    const { waitMs = 60_000, ...rest } = options;
    return { appId: 'app', weight: 1, urgency: 3, deadlineAt: this.clock.now() + waitMs, heldBytes: 10, ...rest };
  }

  /** Joins and asks; a refusal at the door is noted like one later. */
  send(name: string, options: Partial<LaneCall> & { waitMs?: number } = {}, signal = stays): void {
    try {
      this.ask(name, this.lane.join(this.call(options)), signal);
    } catch (error) {
      this.#note(name, error);
    }
  }

  ask(name: string, place: { turn(signal: AbortSignal): Promise<Turn> }, signal = stays): void {
    place.turn(signal).then(
      () => this.sent.push({ name, at: this.clock.now() }),
      (error: unknown) => this.#note(name, error),
    );
  }

  count(name: string): number {
    return this.sent.filter((one) => one.name === name).length;
  }

  #note(name: string, error: unknown): void {
    if (!(error instanceof GatewayError)) throw error;
    this.refused.push({ name, at: this.clock.now(), error });
  }
}
