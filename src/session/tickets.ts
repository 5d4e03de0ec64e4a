import { hash, randomBytes } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { SessionStore } from '../domain/session.ts';
import type { TicketClaim } from './cross-site-gate.ts';

const PARAMETER = 'gateway-ticket';
const LIFE_MS = 30_000;
/** Tickets that one session may have at a time, at each gateway. */
const PER_SESSION_MAX = 100;
const SESSIONS_MAX = 10_000;
/**
 * 256 random bits, the origin of the frontend that asked for it, if one did, and the team that was named, if one was: the digest
 * holds them together.
 */
const FORM = /^[A-Za-z0-9_-]{43}(?:\.([A-Za-z0-9_-]{1,400}))?(?:~([a-z0-9][a-z0-9-]{0,62}))?$/;

/** A request's ticket, and its query without it. */
export interface PresentedTicket extends TicketClaim {
  readonly digest: string;
  /** Slug of the team to act for, which what uses a ticket cannot say. */
  readonly team: string | undefined;
  /** Byte for byte as it came otherwise. */
  readonly rest: string;
}

/** What a ticket is bound to. */
export interface TicketUse {
  readonly sessionDigest: string;
  readonly method: string;
  /** Path and query, without the ticket. */
  readonly target: string;
}

/** Tickets let through, once and within 30 s, what cannot set a header: a download by navigation, a WebSocket. */
export class Tickets {
  readonly #store: Pick<SessionStore, 'addTicket' | 'takeTicket'>;
  readonly #clock: Clock;
  /** By session: when its last tickets were issued. */
  readonly #issued = new Map<string, readonly number[]>();

  constructor(store: Pick<SessionStore, 'addTicket' | 'takeTicket'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * @param origin of the frontend whose page asks; undefined for a page of the gateway's own
   * @param team slug of the team that it is to act for; undefined: none was named
   * @returns the target to ask for, ticket included, and until when, milliseconds since 1970
   * @throws GatewayError `too_many_tries`, `store_unavailable`
   */
  async issue(use: TicketUse, origin: string | undefined, team?: string): Promise<{ target: string; endsAt: number }> {
    this.#bound(use.sessionDigest);
    const suffix = origin === undefined ? '' : `.${Buffer.from(origin).toString('base64url')}`;
    const ticket = randomBytes(32).toString('base64url') + suffix + (team === undefined ? '' : `~${team}`);
    const endsAt = this.#clock.epochMs() + LIFE_MS;
    await this.#store.addTicket({ ...use, digest: digestOf(ticket), endsAt });
    return { target: `${use.target}${use.target.includes('?') ? '&' : '?'}${PARAMETER}=${ticket}`, endsAt };
  }

  /** @throws GatewayError `too_many_tries` when the session has as many tickets as it may have at a time */
  #bound(sessionDigest: string): void {
    const now = this.#clock.now();
    const recent = (this.#issued.get(sessionDigest) ?? []).filter((at) => now - at < LIFE_MS);
    if (recent.length >= PER_SESSION_MAX) {
      throw new GatewayError('too_many_tries', `more than ${PER_SESSION_MAX} tickets of one session in 30 s`, {
        retryAfterMs: LIFE_MS - (now - (recent[0] ?? now)),
      });
    }
    this.#issued.delete(sessionDigest);
    if (this.#issued.size >= SESSIONS_MAX) this.#issued.clear();
    this.#issued.set(sessionDigest, [...recent, now]);
  }

  /**
   * Takes the ticket away, whatever comes of it.
   *
   * @throws GatewayError `csrf_refused`, `store_unavailable`
   */
  async redeem(ticket: PresentedTicket, use: TicketUse): Promise<void> {
    const now = this.#clock.epochMs();
    const found = await this.#store.takeTicket(ticket.digest, now);
    if (found === undefined || found.endsAt <= now) {
      throw refused('expected a ticket that is not used yet and at most 30 s old: ask for one with POST /auth/ticket');
    }
    if (found.sessionDigest !== use.sessionDigest) throw refused('the ticket is of another session');
    if (found.method !== use.method || found.target !== use.target) {
      throw refused('the ticket is for another method or path: it was asked for with exactly one');
    }
  }
}

/**
 * The ticket in a query.
 *
 * @param query with its leading `?`, or empty
 * @throws GatewayError `csrf_refused` when there are several, or what is there cannot be one
 */
export function ticketIn(query: string): PresentedTicket | undefined {
  if (!query.includes(PARAMETER)) return undefined;
  const pairs = query.slice(1).split('&');
  const [mine, ...more] = pairs.filter((pair) => pair.startsWith(`${PARAMETER}=`));
  if (mine === undefined) return undefined;
  const ticket = mine.slice(PARAMETER.length + 1);
  const form = FORM.exec(ticket);
  if (form === null || more.length > 0) throw refused(`expected one "${PARAMETER}" as POST /auth/ticket gave it`);
  const others = pairs.filter((pair) => pair !== mine);
  return {
    digest: digestOf(ticket),
    origin: form[1] === undefined ? undefined : Buffer.from(form[1], 'base64url').toString(),
    team: form[2],
    rest: others.length === 0 ? '' : `?${others.join('&')}`,
  };
}

function digestOf(ticket: string): string {
  return hash('sha256', ticket, 'base64url');
}

function refused(message: string): GatewayError {
  return new GatewayError('csrf_refused', message);
}
