import { hash } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Person } from '../domain/person.ts';
import type {
  BrowserCaller,
  BrowserCallers,
  BrowserRequest,
  Frontend,
  LiveSession,
  SessionStore,
} from '../domain/session.ts';
import { type GateRules, passGate } from './cross-site-gate.ts';
import { every } from './every.ts';
import { RememberedSessions } from './remembered-sessions.ts';
import {
  type NewSession,
  newContent,
  openContent,
  type SessionContent,
  type SessionSeal,
  toStored,
} from './session-content.ts';
import type { SessionCookie } from './session-cookie.ts';
import { SessionUses } from './session-uses.ts';
import { Tickets, ticketIn } from './tickets.ts';

/** A session that ended elsewhere is noticed within a second, with what the store takes to answer. */
const WATCH_MS = 750;
const FLUSH_MS_MAX = 5_000;
const SWEEP_MS = 60_000;
/** More signed cookies than anybody honestly has in one request. */
const PRESENTED_MAX = 8;
/** Other gateways write uses down late. */
const SWEEP_SLACK_MS = 60_000;

export interface BrowserSessionsOptions {
  readonly clock: Clock;
  readonly store: SessionStore;
  readonly seal: SessionSeal;
  readonly cookie: SessionCookie;
  readonly rules: GateRules;
  /** Ends without use for so long, and whatever happens after so long. */
  readonly idleMs: number;
  readonly absoluteMs: number;
  /** Looks a person up; remembered elsewhere, since every call asks. */
  person(id: string): Promise<Person | undefined>;
  /** Digests of the sessions that have calls under way. */
  inUse(): Iterable<string>;
  /** A new public id, `ses_…`. */
  newId(): string;
}

/** A session with what it says of itself, for people to look at. */
export interface ListedSession {
  readonly digest: string;
  readonly content: SessionContent;
  /** Milliseconds since 1970. */
  readonly lastSeenAt: number;
}

/** The browser sessions of this gateway: the only way from a cookie to somebody, through the cross-site checks. */
export class BrowserSessions implements BrowserCallers, AsyncDisposable {
  readonly tickets: Tickets;
  readonly #options: BrowserSessionsOptions;
  readonly #remembered: RememberedSessions;
  readonly #uses: SessionUses;
  readonly #stops: (() => void)[];

  constructor(options: BrowserSessionsOptions) {
    const { clock, store, seal, idleMs } = options;
    this.#options = options;
    this.tickets = new Tickets(store, clock);
    this.#remembered = new RememberedSessions(store, seal, clock);
    this.#uses = new SessionUses(store);
    this.#stops = [
      every(clock, Math.min(FLUSH_MS_MAX, idleMs / 2), () => this.#uses.flush()),
      every(clock, WATCH_MS, () => this.#watch()),
      every(clock, SWEEP_MS, () => this.#sweep()),
    ];
  }

  isBrowser({ headers }: BrowserRequest): boolean {
    return this.#options.cookie.isIn(headers['cookie']);
  }

  async identify(request: BrowserRequest, target: { path: string; query: string }): Promise<BrowserCaller> {
    const { method = 'GET', headers } = request;
    // Nothing is done in anybody's name then: there is nothing that another site could have made a browser do.
    if (!this.isBrowser(request)) throw unauthenticated('expected a session cookie, got none: sign in first');
    const ticket = mayCarryTicket(request) ? ticketIn(target.query) : undefined;
    const frontend = passGate(request, this.#options.rules, ticket);
    const session = await this.check(digestOf(this.#options.cookie.read(headers['cookie']).id));
    if (ticket === undefined) return { session, frontend, query: target.query };
    const use = { sessionDigest: session.digest, method, target: target.path + ticket.rest };
    await this.tickets.redeem(ticket, use);
    return { session, frontend, team: ticket.team, query: ticket.rest };
  }

  /**
   * The cross-site checks alone, for what changes something and needs no session: signing in and out.
   *
   * @throws GatewayError `csrf_refused`
   */
  passGate(request: BrowserRequest): Frontend | undefined {
    return passGate(request, this.#options.rules, undefined);
  }

  async check(digest: string): Promise<LiveSession> {
    const found = await this.#remembered.find(digest);
    if (found === undefined) throw unauthenticated('the session has ended: sign in again');
    const { content, lastSeenAt } = found;
    const idleAt = Math.max(lastSeenAt, this.#uses.lastSeenAt(digest)) + this.#options.idleMs;
    const now = this.#options.clock.epochMs();
    if (content.endsAt <= now) throw unauthenticated('the session has reached its full length: sign in again');
    if (idleAt <= now) throw unauthenticated('the session was not used for too long: sign in again');
    const person = await this.#options.person(content.personId);
    if (person === undefined || person.disabledAt !== undefined) {
      throw unauthenticated('this account is not let in any more: ask whoever runs this gateway');
    }
    // It may have ended while the person was looked up.
    if (this.#remembered.hasEnded(digest)) throw unauthenticated('the session has ended: sign in again');
    return { digest, id: content.id, person, endsAt: Math.min(content.endsAt, idleAt) };
  }

  noteUse(digest: string, epochMs: number): void {
    this.#uses.note(digest, epochMs);
  }

  onEnded(listener: (digest: string) => void): void {
    this.#remembered.onEnded(listener);
  }

  /**
   * Stores a session that begins now.
   *
   * @param cookieId the id in its cookie: 256 random bits, drawn for it alone
   * @throws GatewayError `store_unavailable`
   */
  async start(cookieId: string, given: NewSession): Promise<SessionContent> {
    const { store, seal, clock, absoluteMs, newId } = this.#options;
    const content = newContent(given, newId(), clock.epochMs(), absoluteMs);
    await store.add(toStored(seal, digestOf(cookieId), content));
    return content;
  }

  /**
   * What the sessions of a request's cookies say, whether they hold or not. Not for deciding what anybody may do: it is asked by
   * those who end them, all of them, since a second cookie may have been planted to hide the first.
   *
   * @throws GatewayError `store_unavailable`
   */
  async presented({ headers }: BrowserRequest): Promise<ListedSession[]> {
    const digests = this.#options.cookie.all(headers['cookie']).slice(0, PRESENTED_MAX).map(digestOf);
    const found = await Promise.all(digests.map((digest) => this.#remembered.find(digest)));
    return digests.flatMap((digest, index) => {
      const session = found[index];
      return session === undefined ? [] : [{ digest, ...session }];
    });
  }

  /**
   * Ends sessions. When it settles nobody gets in with them any more, and their calls here are ended.
   *
   * @returns how many ended
   * @throws GatewayError `store_unavailable`
   */
  async end(which: Parameters<SessionStore['end']>[0]): Promise<number> {
    const digests = await this.#options.store.end(which);
    // Gone already, it may still be remembered here.
    if ('digest' in which) this.#remembered.end(which.digest);
    for (const digest of digests) this.#remembered.end(digest);
    return digests.length;
  }

  /**
   * The sessions of a person that hold now, newest use first.
   *
   * @throws GatewayError `store_unavailable`
   */
  async listOf(personId: string): Promise<ListedSession[]> {
    const { store, seal, clock, idleMs } = this.#options;
    const now = clock.epochMs();
    const stored = await store.listByPerson(personId);
    const listed = stored.flatMap(({ digest, sealed, lastSeenAt: written }) => {
      const content = openContent(seal, digest, sealed);
      const lastSeenAt = Math.max(written, this.#uses.lastSeenAt(digest));
      const holds = content?.personId === personId && content.endsAt > now && lastSeenAt + idleMs > now;
      return holds ? [{ digest, content, lastSeenAt }] : [];
    });
    return listed.toSorted((a, b) => b.lastSeenAt - a.lastSeenAt);
  }

  /** Whether a sound cookie was signed by a secret that does not sign any more: it is to be set anew. */
  idToReissue({ headers }: BrowserRequest): string | undefined {
    const { id, isOld } = this.#options.cookie.read(headers['cookie']);
    return isOld ? id : undefined;
  }

  /** Looks anew at the sessions with calls under way: who finds one ended is told, as if it had ended here. */
  async #watch(): Promise<void> {
    const digests = new Set(this.#options.inUse());
    // That the store cannot be asked ends no call: each asks again when its turn comes.
    await Promise.allSettled(Array.from(digests, (digest) => this.#remembered.find(digest, 0)));
  }

  async #sweep(): Promise<void> {
    const { store, clock, idleMs } = this.#options;
    const now = clock.epochMs();
    await store.sweep(now, now - idleMs - SWEEP_SLACK_MS).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) stop();
    await this.#uses.flush();
  }
}

/** With the static header or without: a ticket that came is spent, and Mason never hears of it. */
function mayCarryTicket({ method }: BrowserRequest): boolean {
  return method === 'GET';
}

function digestOf(cookieId: string): string {
  return hash('sha256', cookieId, 'base64url');
}

function unauthenticated(message: string): GatewayError {
  return new GatewayError('unauthenticated', message);
}
