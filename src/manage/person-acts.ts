import { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';
import { LINK_ISSUER, type Person } from '../domain/person.ts';
import type { Scope } from '../domain/scope.ts';
import type { Team } from '../domain/team.ts';
import { type Act, type ActDeps, changing, looking, type Scene } from './act.ts';
import type { EndSessions } from './end-sessions.ts';
import { personId, slug } from './fields.ts';
import { ensureStillThere, personWithId, teamNamed } from './look-up.ts';
import { grantViews, grantWords, type RoleGrantView, resolveGrants, roleGrants } from './role-grant-fields.ts';

/** Somebody who signs in, as operators see them. */
export interface PersonView {
  readonly id: string;
  /** For people to read; decides nothing. */
  readonly name: string;
  readonly issuer: string;
  readonly subject: string;
  readonly grants: readonly RoleGrantView[];
  /** Whether the grants were set by hand; else they come with each sign-in. */
  readonly pinned: boolean;
  /** ISO times. */
  readonly disabledAt: string | null;
  readonly createdAt: string;
  readonly lastSignInAt: string | null;
}

/** A person after a change that ended their sessions. */
export type EndedPerson = PersonView & { readonly sessionsEnded: number };

export interface PersonActs {
  /** `{team?}` */
  'person.list': Act<{ data: readonly PersonView[] }>;
  /**
   * `{id, grants}`: `[{role, team?, scopes?}]` by hand, from now on, sessions that live included; or `"claims"`: what the next
   * sign-in brings, for which the sessions end.
   */
  'person.set': Act<EndedPerson>;
  /** `{id}`: kept out, with every session, until enabled. */
  'person.disable': Act<EndedPerson>;
  /** `{id}` */
  'person.enable': Act<PersonView>;
  /** `{id}`: forgotten, with every session; signing in makes the person anew. What they were called the record still tells. */
  'person.remove': Act<{ removed: string; sessionsEnded: number }>;
  /** `{id}`: as removed, now or before; and what they were called is gone too. The record keeps the id, which names nobody. */
  'person.erase': Act<{ erased: string; sessionsEnded: number }>;
}

export interface PersonActDeps extends ActDeps {
  readonly scopes: { known(scope: Scope): boolean };
  readonly endSessions: EndSessions;
}

export function personActs(deps: PersonActDeps): PersonActs {
  const { store, clock, endSessions } = deps;
  const one = z.strictObject({ id: personId });

  const viewNow = async ({ reach }: Scene, id: string): Promise<PersonView> =>
    personView(await personWithId(reach, id), await store.teams.list());

  return {
    'person.list': looking(
      deps,
      { name: 'person.list', need: 'operator', input: z.strictObject({ team: slug.optional() }) },
      async (input, { reach }) => {
        const team = input.team === undefined ? undefined : await teamNamed(reach, input.team);
        const [people, teams] = await Promise.all([store.people.list(), store.teams.list()]);
        const isOfTeam = ({ grants }: Person): boolean => grants.some(({ teamId }) => teamId === team?.id);
        const found = team === undefined ? people : people.filter(isOfTeam);
        return { answer: { data: found.map((person) => personView(person, teams)) } };
      },
    ),

    'person.set': changing(
      deps,
      {
        name: 'person.set',
        need: 'operator',
        input: z.strictObject({
          id: personId,
          grants: z.union([z.literal('claims'), roleGrants(deps.scopes.known)], {
            error: 'a list of {role, team?, scopes?}, or "claims"',
          }),
        }),
      },
      async (input, scene) => {
        const person = await personWithId(scene.reach, input.id);
        const byClaims = input.grants === 'claims';
        if (byClaims && person.issuer === LINK_ISSUER) {
          throw new GatewayError(
            'conflict',
            `${person.id} came by a link, which brings no claims: set the roles by hand`,
          );
        }
        const grants = input.grants === 'claims' ? person.grants : await resolveGrants(scene.reach, input.grants);
        const teams = await store.teams.list();
        return {
          details: {
            rolesBefore: grantWords(grantViews(person.grants, teams)),
            roles: byClaims ? 'by claims' : grantWords(grantViews(grants, teams)),
          },
          async carryOut() {
            ensureStillThere(await store.people.setGrants(person.id, grants, !byClaims), `the person ${person.id}`);
            // What was given by hand shall not last until a session ends by itself; what is given by hand holds at once.
            const sessionsEnded = byClaims ? await endSessions({ personId: person.id }, 'roles left to claims') : 0;
            return { ...(await viewNow(scene, person.id)), sessionsEnded };
          },
        };
      },
    ),

    'person.disable': changing(
      deps,
      { name: 'person.disable', need: 'operator', input: one },
      async ({ id }, scene) => {
        const person = await personWithId(scene.reach, id);
        return {
          async carryOut() {
            const at = person.disabledAt ?? clock.epochMs();
            ensureStillThere(await store.people.setDisabled(id, at), `the person ${id}`);
            const sessionsEnded = await endSessions({ personId: id }, 'person disabled');
            return { ...(await viewNow(scene, id)), sessionsEnded };
          },
        };
      },
    ),

    'person.enable': changing(deps, { name: 'person.enable', need: 'operator', input: one }, async ({ id }, scene) => {
      await personWithId(scene.reach, id);
      return {
        async carryOut() {
          ensureStillThere(await store.people.setDisabled(id, undefined), `the person ${id}`);
          return await viewNow(scene, id);
        },
      };
    }),

    'person.remove': changing(
      deps,
      { name: 'person.remove', need: 'operator', input: one },
      async ({ id }, { reach }) => {
        const person = await personWithId(reach, id);
        return {
          details: { roles: grantWords(grantViews(person.grants, await store.teams.list())) },
          async carryOut() {
            ensureStillThere(await store.people.remove(id), `the person ${id}`);
            return { removed: id, sessionsEnded: await endSessions({ personId: id }, 'person removed') };
          },
        };
      },
    ),

    'person.erase': changing(deps, { name: 'person.erase', need: 'operator', input: one }, async ({ id }) => {
      // Also who died over it is completed: sessions may be left of somebody who is erased otherwise.
      const isKnown =
        (await store.people.findById(id)) !== undefined ||
        (await store.names.get([id])).size > 0 ||
        (await store.sessions.listByPerson(id)).length > 0;
      if (!isKnown) throw new GatewayError('not_found', `there is no person ${id}, and no name of theirs`);
      return {
        async carryOut() {
          await store.people.erase(id);
          return { erased: id, sessionsEnded: await endSessions({ personId: id }, 'person erased') };
        },
      };
    }),
  };
}

function personView(person: Person, teams: readonly Team[]): PersonView {
  const { id, name, issuer, subject, pinned, disabledAt, createdAt, lastSignInAt } = person;
  return {
    id,
    name,
    issuer,
    subject,
    grants: grantViews(person.grants, teams),
    pinned,
    disabledAt: disabledAt === undefined ? null : new Date(disabledAt).toISOString(),
    createdAt: new Date(createdAt).toISOString(),
    lastSignInAt: lastSignInAt === undefined ? null : new Date(lastSignInAt).toISOString(),
  };
}
