import { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';
import type { RoleGrant } from '../domain/person.ts';
import { CALLING_ROLES, ROLES, type Role } from '../domain/role.ts';
import type { Scope } from '../domain/scope.ts';
import type { Team } from '../domain/team.ts';
import { scopeList, slug } from './fields.ts';
import { teamNamed } from './look-up.ts';
import type { Reach } from './reach.ts';

/** One role as it is given and shown. */
export interface RoleGrantView {
  readonly role: Role;
  /** Null: for all teams. */
  readonly team: string | null;
  /** The Mason scopes that it is limited to; of roles that call. */
  readonly scopes: readonly Scope[];
}

const GRANTS_MAX = 64;
/** All that the role allows. */
const NO_LIMIT: readonly Scope[] = ['account:owner'];

/** `[{role, team?, scopes?}]`; none: somebody who may nothing. What would lead nowhere is refused. */
export function roleGrants(known: (scope: Scope) => boolean) {
  const grant = z
    .strictObject({
      role: z.enum(ROLES, { error: `one of ${ROLES.join(', ')}` }),
      team: slug.optional(),
      scopes: scopeList(known, false).optional(),
    })
    .superRefine(({ role, team, scopes }, context) => {
      const wrong = (field: string, message: string): void => {
        context.addIssue({ code: 'custom', path: [field], message });
      };
      if (role === 'operator' && team !== undefined) wrong('team', 'no team for an operator, who has all');
      if (isCalling(role) && team === undefined) wrong('team', `the team in which somebody becomes ${role}`);
      if (!isCalling(role) && scopes !== undefined)
        wrong('scopes', `no scopes for the role ${role}, which calls nothing`);
    });
  return z
    .array(grant, { error: 'a list of {role, team?, scopes?}' })
    .max(GRANTS_MAX, { error: `at most ${GRANTS_MAX} roles` });
}

type GivenGrant = z.output<ReturnType<typeof roleGrants>>[number];

/** @throws GatewayError `not_found` for a team that is not there */
export async function resolveGrants(reach: Reach, given: readonly GivenGrant[]): Promise<readonly RoleGrant[]> {
  const grants: RoleGrant[] = [];
  for (const { role, team, scopes } of given) {
    const teamId = team === undefined ? undefined : (await teamNamed(reach, team)).id;
    if (grants.some((grant) => grant.role === role && grant.teamId === teamId)) {
      throw new GatewayError(
        'invalid_request',
        `grants: expected each role of a team once, got ${wordsFor(role, team)} again`,
      );
    }
    grants.push({ role, teamId, scopes: isCalling(role) ? (scopes ?? NO_LIMIT) : [] });
  }
  return grants;
}

/** Without roles in teams that are gone: they lead nowhere. */
export function grantViews(grants: readonly RoleGrant[], teams: readonly Team[]): readonly RoleGrantView[] {
  const slugs = new Map(teams.map((team) => [team.id, team.slug]));
  return grants.flatMap(({ role, teamId, scopes }): RoleGrantView[] => {
    if (teamId === undefined) return [{ role, team: null, scopes }];
    const team = slugs.get(teamId);
    return team === undefined ? [] : [{ role, team, scopes }];
  });
}

/** `lead@acme operator`, as it stands on record. */
export function grantWords(grants: readonly RoleGrantView[]): string {
  return grants.map(({ role, team }) => wordsFor(role, team ?? undefined)).join(' ') || 'none';
}

function wordsFor(role: Role, team: string | undefined): string {
  return team === undefined ? role : `${role}@${team}`;
}

function isCalling(role: Role): boolean {
  return Object.hasOwn(CALLING_ROLES, role);
}
