import { isIP } from 'node:net';
import type { Clock } from '../domain/clock.ts';

const WINDOW_MS = 60_000;
/** Past this many addresses at once the oldest is forgotten: bounded memory before a perfect count. */
const ADDRESSES_MAX = 10_000;

export interface AddressCount {
  /** In this minute, this one included. */
  readonly count: number;
  /** Milliseconds to the end of the minute. */
  readonly endsInMs: number;
}

/** Counts by address, in minutes that begin with the first of each. */
export class CountsByAddress {
  readonly #clock: Clock;
  readonly #counts = new Map<string, { count: number; readonly since: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one more. */
  add(address: string): AddressCount {
    const now = this.#clock.now();
    const from = neighbourhood(address);
    let counted = this.#counts.get(from);
    if (counted === undefined || now - counted.since >= WINDOW_MS) {
      this.#counts.delete(from);
      if (this.#counts.size >= ADDRESSES_MAX) this.#forgetOldest();
      counted = { count: 0, since: now };
      this.#counts.set(from, counted);
    }
    counted.count += 1;
    return { count: counted.count, endsInMs: WINDOW_MS - (now - counted.since) };
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
