import type { Scope } from './scope.ts';
import type { Secret } from './secret.ts';

/** A Mason API key of a team's, sealed. Write-only: nobody reads the key itself back. */
export interface MasonKey {
  readonly id: string;
  readonly teamId: string;
  /** Unique within the team; `[a-z0-9-]`, 1 to 63 characters. */
  readonly name: string;
  /** Mason's origin (`https://api.bymason.com`) that the key belongs to; part of what the seal binds. */
  readonly origin: string;
  readonly scopes: readonly Scope[];
  readonly budgetId: string;
  /** Keyed digest of the key: equal on every gateway for the same key, tells nothing about it. */
  readonly fingerprint: string;
  /** The key's last four characters, for people to tell keys apart; empty for keys of fewer than twelve. */
  readonly last4: string;
  readonly sealed: Uint8Array;
  /** The key before the last rotation: used once more where Mason does not take the new one. */
  readonly previous: PreviousKey | undefined;
  readonly createdAt: number;
  readonly lastUsedAt: number | undefined;
}

/** A key that was replaced: same row, same budget, sealed with the same binding. */
export interface PreviousKey {
  readonly fingerprint: string;
  readonly last4: string;
  readonly sealed: Uint8Array;
  /** Milliseconds since 1970. */
  readonly replacedAt: number;
}

/** A key ready for use: what a call needs to know of it, opened. */
export interface OpenedKey {
  readonly id: string;
  readonly fingerprint: string;
  readonly scopes: readonly Scope[];
  readonly budgetId: string;
  readonly secret: Secret;
  /** What a call falls back on, once, when Mason does not accept the key; only for a day after the rotation. */
  readonly previous?: { readonly fingerprint: string; readonly secret: Secret } | undefined;
}

export interface MasonKeys {
  /**
   * @throws GatewayError `conflict` when the team has a key of that name, or a key of that fingerprint is on another budget;
   * `not_found` when team or budget are gone.
   */
  add(key: MasonKey): Promise<void>;
  listByTeam(teamId: string): Promise<MasonKey[]>;
  list(): Promise<MasonKey[]>;
  findByName(teamId: string, name: string): Promise<MasonKey | undefined>;
  findByFingerprint(fingerprint: string): Promise<MasonKey | undefined>;
  setScopes(id: string, scopes: readonly Scope[]): Promise<boolean>;
  /** Moves the key, and every other with its fingerprint: one key has one budget. */
  setBudget(id: string, budgetId: string): Promise<boolean>;
  /** Puts a new key in the place of the one there, which becomes `previous`. False when there is none. */
  rotate(id: string, fresh: { fingerprint: string; last4: string; sealed: Uint8Array }, at: number): Promise<boolean>;
  /** Forgets the previous key. False when there is none. */
  forgetPrevious(id: string): Promise<boolean>;
  /** Notes uses, milliseconds since 1970; the newest stays. No change in the sense of the store's revision. */
  touch(usedAtById: ReadonlyMap<string, number>): Promise<void>;
  remove(id: string): Promise<boolean>;
}
