import type { Clock } from '../domain/clock.ts';
import type { Positions } from '../domain/positions.ts';

/**
 * How far one step, of an hour, may set the date. It makes up for a gateway's absence at six times the pace of time; and of a
 * clock that stands years ahead, a night costs the oldest three days instead of everything.
 */
export const STEP_MS_MAX = 21_600_000;

/**
 * The date by which is judged what is old enough to go. It follows the clock, but by small steps where that is far ahead of it:
 * nobody can tell a clock that was set wrongly from time in which no gateway ran, and what went by a wrong one does not come back.
 */
export class CarefulDate {
  readonly #name: string;
  readonly #positions: Positions;
  readonly #clock: Pick<Clock, 'epochMs'>;

  /** @param name under which all gateways of a store keep it */
  constructor(name: string, positions: Positions, clock: Pick<Clock, 'epochMs'>) {
    this.#name = name;
    this.#positions = positions;
    this.#clock = clock;
  }

  /**
   * The date, in milliseconds since 1970, a step further. Where there was none, the clock's.
   *
   * @throws GatewayError `store_unavailable`
   */
  async step(): Promise<number> {
    const kept = await this.#positions.get(this.#name);
    const now = this.#clock.epochMs();
    // One to come is of a clock that has been set right since.
    return await this.#keep(kept === undefined ? now : Math.min(now, Number(kept) + STEP_MS_MAX));
  }

  /**
   * The clock's date at once, because a person says that it is right.
   *
   * @throws GatewayError `store_unavailable`
   */
  async trustClock(): Promise<number> {
    return await this.#keep(this.#clock.epochMs());
  }

  async #keep(date: number): Promise<number> {
    await this.#positions.set(this.#name, String(date));
    return date;
  }
}
