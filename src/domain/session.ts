import type { Person } from './person.ts';

/** A browser session as a store keeps it: nothing in it lets anybody act, and what decides stands in the sealed part. */
export interface StoredSession {
  /** SHA-256 of the session id in the cookie, base64url. */
  readonly digest: string;
  /** Public: `ses_…`. On record, safe to show; not the id in the cookie. */
  readonly id: string;
  readonly personId: string;
  /** SHA-256 of the identity provider's issuer and `sid`, base64url: what a back-channel logout looks for. */
  readonly providerDigest: string | undefined;
  /** Milliseconds since 1970: when it ends, whatever happens. */
  readonly endsAt: number;
  /** Milliseconds since 1970, a few seconds behind. */
  readonly lastSeenAt: number;
  /** Content, sealed; bound to the digest. */
  readonly sealed: Uint8Array;
}

/** Lets something that cannot set a header (a download by navigation, a WebSocket) go ahead, once. */
export interface Ticket {
  /** SHA-256 of the ticket, base64url. */
  readonly digest: string;
  readonly sessionDigest: string;
  readonly method: string;
  /** Path and query, as they will be asked for. */
  readonly target: string;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

/**
 * Where sessions are kept. What ended stays ended: no method but `add` can bring one back, whatever is in flight.
 * Every method throws GatewayError `store_unavailable` within a second when the store does not answer.
 */
export interface SessionStore {
  /** @throws GatewayError `conflict` when the digest or the id is taken. */
  add(session: StoredSession): Promise<void>;
  /** Whatever its times say: judging is the caller's work. */
  find(digest: string): Promise<StoredSession | undefined>;
  /** Notes uses, milliseconds since 1970, by digest; the newest stays, and what is not there stays away. */
  touch(seenAtByDigest: ReadonlyMap<string, number>): Promise<void>;
  /** Newest use first. */
  listByPerson(personId: string): Promise<StoredSession[]>;
  /** Newest use first, at most `limit`. */
  list(limit: number): Promise<StoredSession[]>;
  /** @returns the digests of what ended */
  end(
    which: { digest: string } | { id: string } | { personId: string } | { providerDigest: string },
  ): Promise<string[]>;
  /** Forgets sessions that ended before `nowEpochMs`, or were not seen since `seenBefore`, and tickets that ended. */
  sweep(nowEpochMs: number, seenBefore: number): Promise<number>;
  addTicket(ticket: Ticket): Promise<void>;
  /** Takes the ticket away, for good, whoever asks first; undefined when there is none, or it has ended. */
  takeTicket(digest: string, nowEpochMs: number): Promise<Ticket | undefined>;
}

/** A session that holds now. */
export interface LiveSession {
  readonly digest: string;
  readonly id: string;
  readonly person: Person;
  /** Milliseconds since 1970: when it ends if nothing more comes. */
  readonly endsAt: number;
}

/** A page of another origin that may call, for some teams. */
export interface Frontend {
  /** `https://app.example.com` */
  readonly origin: string;
  /** Slugs of the teams that it may act for. */
  readonly teams: readonly string[];
}

/** What a browser sent, as far as it decides. */
export interface BrowserRequest {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A browser caller who passed the gate. */
export interface BrowserCaller {
  readonly session: LiveSession;
  /** The listed frontend whose page asks; undefined: a page of the gateway's own origin, or no page. */
  readonly frontend: Frontend | undefined;
  /** Slug of the team that the ticket was asked for; undefined: no ticket, or none that named one. */
  readonly team?: string | undefined;
  /** The query as it came, without a ticket that was spent on it. */
  readonly query: string;
}

/** Browser callers, as the path of a call sees them. The only way from a cookie to a session, and it leads through the gate. */
export interface BrowserCallers {
  /** Whether a session cookie came with it, good or not. Costs next to nothing. */
  isBrowser(request: BrowserRequest): boolean;
  /**
   * Who sent this cookie, after the cross-site checks.
   *
   * @param target path and query as they came: what a ticket is bound to
   * @throws GatewayError `unauthenticated`, `csrf_refused`, `store_unavailable`
   */
  identify(request: BrowserRequest, target: { path: string; query: string }): Promise<BrowserCaller>;
  /**
   * Whether a session still holds; costs nothing while it was asked for lately (500 ms).
   *
   * @throws GatewayError `unauthenticated`, `store_unavailable`
   */
  check(digest: string): Promise<LiveSession>;
  /** Notes that a session was used; written down later, off the path of the call. */
  noteUse(digest: string, epochMs: number): void;
  /** Calls back when a session has ended, here or (within a second) elsewhere; before anybody is told so. */
  onEnded(listener: (digest: string) => void): void;
}
