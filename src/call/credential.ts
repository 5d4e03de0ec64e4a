import type { Caller } from '../domain/caller.ts';
import type { Call } from './call.ts';

/** What a call came with. */
export interface Credential {
  readonly kind: 'token' | 'session';
  /** Digest of the token or of the session: what a revocation looks for. */
  readonly digest: string;
  /**
   * Whom it names and what they may do, here and now. Notes on the call who was presented, accepted or not, and when the
   * right ends. Asked again when the call's turn comes, and when something changed: costs little while nothing did, and
   * gives no promise where there is nothing to wait for.
   *
   * @throws GatewayError `unauthenticated`, `forbidden`, `invalid_request`, `csrf_refused`, `store_unavailable`
   */
  caller(call: Call): Caller | Promise<Caller>;
}
