import session from 'express-session';
import { GatewayError } from '../domain/errors.ts';
import type { NewSession } from './session-content.ts';

declare module 'express-session' {
  interface SessionData {
    begun: NewSession;
  }
}

/** Where sessions begin and end, by the id in the cookie. */
export interface SessionBook {
  start(cookieId: string, given: NewSession): Promise<void>;
  end(cookieId: string): Promise<void>;
}

/**
 * What express-session sees of the sessions: it writes a new one under an id that it drew a moment ago, and nothing else. It
 * reads none: from a cookie to a session there is one way, and that leads through the cross-site checks. It cannot write one
 * again either: a request in flight would bring back what a logout has ended (expressjs/session #632).
 */
export class ExpressSessionStore extends session.Store {
  readonly #book: SessionBook;
  readonly #expected = new Set<string>();

  constructor(book: SessionBook) {
    super();
    this.#book = book;
  }

  /** Lets one session be written under an id that was just drawn, once, until disposed of. */
  expect(cookieId: string): Disposable {
    this.#expected.add(cookieId);
    return { [Symbol.dispose]: () => void this.#expected.delete(cookieId) };
  }

  override get(_cookieId: string, callback: (error: unknown, data?: session.SessionData | null) => void): void {
    callback(null, null);
  }

  override set(cookieId: string, data: session.SessionData, callback: (error?: unknown) => void = () => {}): void {
    if (!this.#expected.delete(cookieId)) {
      callback(new GatewayError('unauthenticated', 'the session has ended: sign in again'));
      return;
    }
    this.#book.start(cookieId, data.begun).then(() => callback(), callback);
  }

  override destroy(cookieId: string, callback: (error?: unknown) => void = () => {}): void {
    this.#book.end(cookieId).then(() => callback(), callback);
  }
}
