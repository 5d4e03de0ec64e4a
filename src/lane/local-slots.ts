import type { LaneStats, LaneTuning } from '../domain/lane.ts';
import type { SlotSource } from './slot-source.ts';
import { Slots } from './slots.ts';
import { TunedPace } from './tuned-pace.ts';

/** The slots of a budget that only this process sends from. */
export class LocalSlots extends Slots implements SlotSource {
  readonly weights = 0;
  readonly #paced: TunedPace;

  constructor(tuning: LaneTuning) {
    const paced = new TunedPace(tuning);
    super(paced.pace);
    this.#paced = paced;
  }

  get tuning(): LaneTuning {
    return this.#paced.tuning;
  }

  get spreadMs(): number {
    return this.#paced.spreadMs;
  }

  tune(tuning: LaneTuning, now: number): void {
    this.#paced.retune(tuning);
    this.retune(this.#paced.pace, now);
  }

  observe(operation: string, firstByteMs: number, now: number): boolean {
    if (!this.#paced.observe(operation, firstByteMs, now)) return false;
    this.retune(this.#paced.pace, now);
    return true;
  }

  /** Its slots come by themselves. */
  follow(): void {}

  view(): Pick<LaneStats, 'mode' | 'gateways' | 'roundTripMs' | 'asked'> {
    return { mode: 'local', gateways: 1, roundTripMs: 0, asked: 0 };
  }

  async close(): Promise<void> {}
}
