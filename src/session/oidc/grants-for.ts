import type { RoleGrant } from '../../domain/person.ts';
import { CALLING_ROLES, type Role } from '../../domain/role.ts';
import type { Scope } from '../../domain/scope.ts';

/** Gives a role to those of whom the identity provider says something. */
export interface RoleRule {
  /** A claim by name, `realm_access.roles` for one inside another, and the value that it is, or that is in its list. */
  readonly when: { readonly claim: string; readonly is: string };
  readonly role: Role;
  /** Slugs; none for an operator, or for an auditor of all teams. */
  readonly teams: readonly string[];
  /** Mason's scopes, for roles that call. */
  readonly scopes: readonly Scope[];
}

/**
 * What somebody may do, by what the identity provider says of them. Several rules add up. Teams that do not exist are
 * passed over: a rule may be written before its team is.
 */
export function grantsFor(
  claims: Readonly<Record<string, unknown>>,
  rules: readonly RoleRule[],
  teamIdOf: (slug: string) => string | undefined,
): RoleGrant[] {
  const grants = new Map<string, RoleGrant>();
  for (const { when, role, teams, scopes } of rules) {
    if (!says(claimAt(claims, when.claim), when.is)) continue;
    for (const teamId of teamIdsOf(role, teams, teamIdOf)) {
      const key = JSON.stringify([role, teamId]);
      const before = grants.get(key)?.scopes ?? [];
      grants.set(key, { role, teamId, scopes: role in CALLING_ROLES ? [...new Set([...before, ...scopes])] : [] });
    }
  }
  return [...grants.values()];
}

/** An empty list means all teams only where it was written empty: a rule whose teams are all gone gives nothing. */
function teamIdsOf(
  role: Role,
  teams: readonly string[],
  teamIdOf: (slug: string) => string | undefined,
): (string | undefined)[] {
  if (role === 'operator' || (role === 'auditor' && teams.length === 0)) return [undefined];
  return teams.map(teamIdOf).filter((id) => id !== undefined);
}

/** At each level the whole rest of the name comes first: `https://example.com/roles` is one name, dots and all. */
function claimAt(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const claims = value as Record<string, unknown>;
  if (Object.hasOwn(claims, name)) return claims[name];
  const dot = name.indexOf('.');
  const head = name.slice(0, dot);
  return dot > 0 && Object.hasOwn(claims, head) ? claimAt(claims[head], name.slice(dot + 1)) : undefined;
}

function says(value: unknown, expected: string): boolean {
  if (Array.isArray(value)) return value.some((element) => isText(element, expected));
  return isText(value, expected);
}

function isText(value: unknown, expected: string): boolean {
  return (
    (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') && `${value}` === expected
  );
}
