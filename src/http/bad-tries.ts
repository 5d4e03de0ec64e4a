import { isIP } from 'node:net';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';

const WINDOW_MS = 60_000;
/** Past this many addresses at once the oldest is forgotten: bounded memory before a perfect count. */
const ADDRESSES_MAX = 10_000;

interface Count {
  tries: number;
  readonly since: number;
}

/**
 * Counts bad credentials by address: tokens, sign-in links, callbacks. Who tries too many hears so instead of what was wrong.
 * Good credentials are never refused by it: many share an address.
 */
export class BadTries {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #counts = new Map<string, Count>();

  /** @param perMinuteMax bad tries that one address has in a minute */
  constructor(clock: Clock, perMinuteMax: number) {
    this.#clock = clock;
    this.#max = perMinuteMax;
  }

  /**
   * Notes a bad try.
   *
   * @throws GatewayError `too_many_tries` from the first one over the bound
   */
  noteBad(address: string): void {
    const now = this.#clock.now();
    const from = neighbourhood(address);
    let count = this.#counts.get(from);
    if (count === undefined || now - count.since >= WINDOW_MS) {
      this.#counts.delete(from);
      if (this.#counts.size >= ADDRESSES_MAX) this.#forgetOldest();
      count = { tries: 0, since: now };
      this.#counts.set(from, count);
    }
    count.tries += 1;
    if (count.tries <= this.#max) return;
    throw new GatewayError('too_many_tries', `more than ${this.#max} bad credentials in a minute from ${address}`, {
      retryAfterMs: WINDOW_MS - (now - count.since),
    });
  }

  #forgetOldest(): void {
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined) this.#counts.delete(oldest);
  }
}

/** An IPv4 address; of an IPv6 address the first 64 bits, since whoever has one has them all (RFC 6177). */
function neighbourhood(address: string): string {
  if (isIP(address) !== 6) return address;
  const [before = '', after] = (address.split('%')[0] ?? '').split('::');
  const head = before.split(':').filter((group) => group !== '');
  const tail = (after ?? '').split(':').filter((group) => group !== '');
  const groups = after === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.slice(0, 4).join(':');
}
