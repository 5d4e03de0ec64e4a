import { type Effect, isWithin } from './effect.ts';
import type { Rights } from './rights.ts';
import { CALLING_ROLES, type Role } from './role.ts';
import type { Scope } from './scope.ts';

/** One role of a person's. */
export interface RoleGrant {
  readonly role: Role;
  /** Undefined: for all teams; only operators and auditors may be that. */
  readonly teamId: string | undefined;
  /** For roles that call: the Mason scopes they are limited to. `account:owner` is all. */
  readonly scopes: readonly Scope[];
}

/** The issuer of people whom an operator gave a link. */
export const LINK_ISSUER = 'sign-in-link';

/** Somebody who signs in. Known by issuer and subject, never by an e-mail address (OpenID Connect Core section 5.7). */
export interface Person {
  /** Public, stable: `per_…`. On record, safe to show. */
  readonly id: string;
  /** The identity provider's issuer identifier; {@link LINK_ISSUER} for those whom an operator gave a link. */
  readonly issuer: string;
  /** `sub`, at most 255 characters. */
  readonly subject: string;
  /** For people to read, at most 120 characters; decides nothing. */
  readonly name: string;
  readonly grants: readonly RoleGrant[];
  /** Whether an operator set the grants by hand: then signing in does not replace them. */
  readonly pinned: boolean;
  /** Milliseconds since 1970; set while an operator keeps this person out. */
  readonly disabledAt: number | undefined;
  readonly createdAt: number;
  readonly lastSignInAt: number | undefined;
}

export interface People {
  /**
   * Notes a sign-in: makes the person, or updates name, grants (unless pinned) and time of one known by issuer and subject; and
   * what the id is called, for those who read the record (`names.ts`).
   *
   * @returns the person as it stands now, disabled or not
   */
  signIn(given: {
    /** Taken for a person who is new. */
    readonly id: string;
    readonly issuer: string;
    readonly subject: string;
    readonly name: string;
    readonly grants: readonly RoleGrant[];
    readonly at: number;
  }): Promise<Person>;
  findById(id: string): Promise<Person | undefined>;
  /** By name, then id. */
  list(): Promise<Person[]>;
  /** Sets the grants by hand (`pinned`), or leaves them to the next sign-in. False when there is none. */
  setGrants(id: string, grants: readonly RoleGrant[], pinned: boolean): Promise<boolean>;
  /** Keeps out from `at` on, or lets in again (undefined). False when there is none. */
  setDisabled(id: string, at: number | undefined): Promise<boolean>;
  /** False when there is none. */
  remove(id: string): Promise<boolean>;
  /** Removes the person, and what the id was called (`names.ts`), at once. False when there was neither. */
  erase(id: string): Promise<boolean>;
}

/** A link that signs somebody in, once. */
export interface SignInLink {
  /** Public: `lnk_…`. Becomes the person's subject. */
  readonly id: string;
  /** SHA-256 of the secret, base64url. */
  readonly digest: string;
  readonly name: string;
  readonly grants: readonly RoleGrant[];
  readonly createdAt: number;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

export interface SignInLinks {
  add(link: SignInLink): Promise<void>;
  /** Takes the link away, for good, whoever asks first; undefined when there is none, or it has ended. */
  take(digest: string, nowEpochMs: number): Promise<SignInLink | undefined>;
}

/** What a person may do at Mason for a team: undefined for who has no role there that calls. The highest role counts. */
export function callingRights(grants: readonly RoleGrant[], teamId: string): Rights | undefined {
  let best: Rights | undefined;
  for (const { role, teamId: grantedFor, scopes } of grants) {
    if (grantedFor !== teamId || !isCallingRole(role)) continue;
    const effectCeiling: Effect = CALLING_ROLES[role];
    if (best === undefined || !isWithin(effectCeiling, best.effectCeiling)) best = { scopes, effectCeiling };
    else if (effectCeiling === best.effectCeiling) {
      best = { effectCeiling, scopes: [...new Set([...best.scopes, ...scopes])] };
    }
  }
  return best;
}

/** Ids of the teams that a person may call for. */
export function callingTeams(grants: readonly RoleGrant[]): string[] {
  return [
    ...new Set(grants.flatMap(({ role, teamId }) => (teamId !== undefined && isCallingRole(role) ? [teamId] : []))),
  ];
}

function isCallingRole(role: Role): role is keyof typeof CALLING_ROLES {
  return Object.hasOwn(CALLING_ROLES, role);
}
