import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import { peerAddress } from '../http/peer-address.ts';
import type { RequestTarget } from '../http/request-target.ts';
import { checkRights } from './allow.ts';
import { Call } from './call.ts';
import { keyNow } from './choose-key.ts';
import type { Verdicts } from './verdicts.ts';

const WATCH_MS = 100;

/** All calls that are under way at this gateway, so that they can be ended: by a revocation, or at the end of the gateway. */
export class OpenCalls {
  /**
   * In no order; each call knows its place. No Set: V8's tables are linked, each to the one that takes its place, so that a dead one
   * in the old generation would keep all after it from being collected while young, with the calls in them.
   */
  readonly #calls: Call[] = [];
  readonly #clock: Clock;
  readonly #trustedProxies: BlockList | undefined;
  readonly #whenNone: (() => void)[] = [];
  #isWatching = false;

  constructor(clock: Clock, trustedProxies: BlockList | undefined) {
    this.#clock = clock;
    this.#trustedProxies = trustedProxies;
  }

  get count(): number {
    return this.#calls.length;
  }

  open(req: IncomingMessage, res: ServerResponse, target: RequestTarget): Call {
    const call = new Call({ req, res, target, address: peerAddress(req, this.#trustedProxies) }, this.#clock, this);
    call.place = this.#calls.push(call) - 1;
    if (!this.#isWatching) this.#watch();
    return call;
  }

  /** Looks every 100 ms whose time is over, while there are calls: a timer for each would cost each call more than its turn. */
  #watch(): void {
    this.#isWatching = this.#calls.length > 0;
    if (!this.#isWatching) return;
    this.#clock.after(WATCH_MS, () => {
      const now = this.#clock.now();
      for (const call of [...this.#calls]) call.checkTime(now);
      this.#watch();
    });
  }

  /** Digests of the sessions that have calls under way. */
  *sessionsInUse(): Generator<string> {
    for (const { credential } of [...this.#calls]) if (credential?.kind === 'session') yield credential.digest;
  }

  /** The call has ended. */
  closed(call: Call): void {
    const { place } = call;
    const last = this.#calls[place] === call ? this.#calls.pop() : undefined;
    if (last === undefined) return;
    if (last !== call) {
      this.#calls[place] = last;
      last.place = place;
    }
    if (this.#calls.length === 0) for (const tell of this.#whenNone.splice(0)) tell();
  }

  /** Settles when no call is under way. */
  idle(): Promise<void> {
    return this.#calls.length === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenNone.push(resolve));
  }

  abortAll(reason: GatewayError): void {
    for (const call of [...this.#calls]) call.abort(reason);
  }

  /** Ends the calls, waiting or in flight, that came with this token or session: at once, and before anybody is told. */
  abortBy(credentialDigest: string, reason: GatewayError): void {
    for (const call of [...this.#calls]) if (call.credential?.digest === credentialDigest) call.abort(reason);
  }

  /** After a change in the store: ends the calls, waiting or in flight, whose token, session or key does not hold any more. */
  async abortRevoked(verdicts: Verdicts): Promise<void> {
    for (const call of [...this.#calls]) {
      if (call.credential === undefined) continue;
      try {
        const caller = await call.credential.caller(call);
        // A session that stays open must not outlast what allowed it.
        if (call.route?.operation.upgrade !== undefined) checkRights(caller, call.operation);
        if (call.key !== undefined) await keyNow(verdicts, caller, call.key);
      } catch (error) {
        // That the store cannot be asked ends no call: each asks again when its turn comes.
        if (error instanceof GatewayError && error.code !== 'store_unavailable') call.abort(error);
      }
    }
  }
}
