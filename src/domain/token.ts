import type { Effect } from './effect.ts';
import type { Scope } from './scope.ts';

/** A gateway token: belongs to one app of one team. The token itself is shown once; only its digest is kept. */
export interface Token {
  /** Public, stable through rotation: `tok_…`. On record, safe to show. */
  readonly id: string;
  readonly appId: string;
  readonly teamId: string;
  /** SHA-256 of the token, base64url. */
  readonly digest: string;
  /** After a rotation: the digest before, good until `graceUntil` (never beyond the expiry that it had). */
  readonly graceDigest: string | undefined;
  readonly graceUntil: number | undefined;
  readonly scopes: readonly Scope[];
  readonly effectCeiling: Effect;
  /** Address ranges in CIDR form from which it may be used; empty: any. */
  readonly addressRanges: readonly string[];
  /** The most urgent `Priority: u=` that it may ask for: 0 (any) to 7. */
  readonly urgencyMin: number;
  readonly createdAt: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly revokedAt: number | undefined;
  readonly lastUsedAt: number | undefined;
}

/** What identifying a caller needs, in one look-up. */
export interface TokenGrant {
  readonly token: Token;
  readonly app: { readonly id: string; readonly name: string; readonly weight: number };
  readonly team: { readonly id: string; readonly slug: string };
}

export interface Tokens {
  /** @throws GatewayError `not_found` when app or team are gone. */
  add(token: Token): Promise<void>;
  /** By digest or grace digest; revoked and expired ones too: judging is the caller's work. */
  findGrant(digest: string): Promise<TokenGrant | undefined>;
  findById(id: string): Promise<Token | undefined>;
  listByTeam(teamId: string): Promise<Token[]>;
  /** Replaces the digest; the old one stays good until `graceUntil`. False when there is none, or it is revoked. */
  rotate(id: string, change: { digest: string; graceUntil: number | undefined; expiresAt: number }): Promise<boolean>;
  /** False when there is none, or it is revoked already. */
  revoke(id: string, at: number): Promise<boolean>;
  /** Notes uses, milliseconds since 1970; the newest stays. No change in the sense of the store's revision. */
  touch(usedAtById: ReadonlyMap<string, number>): Promise<void>;
}
