import type { AnswerFacts } from './answer-facts.ts';

/** RFC 9218: 0 goes first, 7 last; 3 when nobody says. */
export type Urgency = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

export interface ClientOptions {
  /** Where the gateway is: `https://gateway.example.com`, without `/v1`. In a browser also a path of the page's own origin: `/`. */
  readonly baseUrl: string;
  /**
   * The gateway token, or a function that gives the one of now: asked before each call, so that it can rotate; the time that
   * it takes is its own. Without a token, the session cookie of a browser stands for who calls.
   */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** Slug of the team to call for: needed by people with several teams. */
  readonly team?: string | undefined;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  /** Milliseconds that a call may take in all, 30,000 when not given. See {@link CallOptions.deadlineMs}. */
  readonly deadlineMs?: number | undefined;
  readonly urgency?: Urgency | undefined;
  /** Value of `X-Requested-By`, the header that no page of another site can send; says who it is to whoever reads along. */
  readonly requestedBy?: string | undefined;
  /** Hears of every answer, good or bad, before the call settles: to show the budget, to log request ids. */
  readonly onAnswer?: ((facts: AnswerFacts) => void) | undefined;
}

/** What may be said of one call, in place of what was said of the client. */
export interface CallOptions {
  /**
   * Milliseconds that the call may take in all, at least 1; over a list, all its pages together. A quarter of it, at most
   * 5,000, is left for Mason; the rest is how long the call stands in the line (`Prefer: wait`), so that what cannot go in
   * time is refused at once instead of broken off midway.
   */
  readonly deadlineMs?: number | undefined;
  readonly urgency?: Urgency | undefined;
  readonly team?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Passed to Mason unchanged. */
  readonly idempotencyKey?: string | undefined;
}

/** The word that says that one means it: what it allows cannot be undone. */
export interface Confirmed<Word extends string> {
  readonly confirm: Word;
}
