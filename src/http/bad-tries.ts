import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import { CountsByAddress } from './counts-by-address.ts';

/**
 * Counts bad credentials by address: tokens, sign-in links, callbacks. Who tries too many hears so instead of what was wrong.
 * Good credentials are never refused by it: many share an address.
 */
export class BadTries {
  readonly #max: number;
  readonly #counts: CountsByAddress;

  /** @param perMinuteMax bad tries that one address has in a minute */
  constructor(clock: Clock, perMinuteMax: number) {
    this.#max = perMinuteMax;
    this.#counts = new CountsByAddress(clock);
  }

  /**
   * Notes a bad try.
   *
   * @throws GatewayError `too_many_tries` from the first one over the bound
   */
  noteBad(address: string): void {
    const { count, endsInMs } = this.#counts.add(address);
    if (count <= this.#max) return;
    throw new GatewayError('too_many_tries', `more than ${this.#max} bad credentials in a minute from ${address}`, {
      retryAfterMs: endsInMs,
    });
  }
}
