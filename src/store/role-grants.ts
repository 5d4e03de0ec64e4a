import type { RoleGrant } from '../domain/person.ts';

/**
 * Roles as they stand in a text column. Teams are named by id, and nothing cleans up behind a team that was removed: a grant
 * for it leads nowhere, because ids are never given out again.
 */
export function fromGrants(grants: readonly RoleGrant[]): string {
  // One order of fields, so that equal grants are equal text.
  return JSON.stringify(grants.map(({ role, teamId, scopes }) => ({ role, teamId, scopes })));
}

/** The inverse of {@link fromGrants}. Only what it wrote comes here. */
export function toGrants(text: string): readonly RoleGrant[] {
  return (JSON.parse(text) as RoleGrant[]).map(({ role, teamId, scopes }) => ({ role, teamId, scopes }));
}
