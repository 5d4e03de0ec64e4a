import type { App } from '../domain/app.ts';
import { GatewayError } from '../domain/errors.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import type { Person } from '../domain/person.ts';
import type { Team } from '../domain/team.ts';
import type { Token } from '../domain/token.ts';
import type { Reach } from './reach.ts';

/*
 * The only way to things by name. What is outside somebody's reach fails exactly as what is not there, so that nobody finds out
 * by asking.
 */

/** @throws GatewayError `not_found` */
export async function teamNamed({ store, includes }: Reach, slug: string): Promise<Team> {
  const team = await store.teams.findBySlug(slug);
  if (team !== undefined && includes(team.id)) return team;
  throw new GatewayError('not_found', `there is no team ${slug}`);
}

/** The team of that name, or every team within reach where no name is given. @throws GatewayError `not_found` */
export async function teamsNamed(reach: Reach, slug: string | undefined): Promise<readonly Team[]> {
  if (slug !== undefined) return [await teamNamed(reach, slug)];
  return (await reach.store.teams.list()).filter((team) => reach.includes(team.id));
}

/** @throws GatewayError `not_found` */
export async function appNamed({ store }: Reach, team: Team, name: string): Promise<App> {
  const app = await store.apps.findByName(team.id, name);
  if (app !== undefined) return app;
  throw new GatewayError('not_found', `the team ${team.slug} has no app ${name}`);
}

/** @throws GatewayError `not_found` */
export async function keyNamed({ store }: Reach, team: Team, name: string): Promise<MasonKey> {
  const key = await store.keys.findByName(team.id, name);
  if (key !== undefined) return key;
  throw new GatewayError('not_found', `the team ${team.slug} has no key ${name}`);
}

/** @throws GatewayError `not_found` */
export async function tokenWithId({ store, includes }: Reach, id: string): Promise<Token> {
  const token = await store.tokens.findById(id);
  if (token !== undefined && includes(token.teamId)) return token;
  throw noToken(id);
}

/** For operators: people belong to no team. @throws GatewayError `not_found` */
export async function personWithId({ store }: Reach, id: string): Promise<Person> {
  const person = await store.people.findById(id);
  if (person !== undefined) return person;
  throw new GatewayError('not_found', `there is no person ${id}`);
}

export function noToken(id: string): GatewayError {
  return new GatewayError('not_found', `there is no token ${id}`);
}

/** Removed by somebody else between the looking and the doing. */
export function ensureStillThere(found: boolean, what: string): void {
  if (!found) throw new GatewayError('not_found', `${what} was removed or revoked meanwhile: nothing was changed`);
}
