import type { App } from '../domain/app.ts';
import { GatewayError } from '../domain/errors.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import type { Team } from '../domain/team.ts';
import type { Token } from '../domain/token.ts';
import type { Store } from '../store/open-store.ts';

/** @throws GatewayError `not_found` */
export async function teamNamed(store: Store, slug: string): Promise<Team> {
  const team = await store.teams.findBySlug(slug);
  if (team !== undefined) return team;
  throw new GatewayError('not_found', `there is no team ${slug}`);
}

/** The team of that name, or every team where no name is given. @throws GatewayError `not_found` */
export async function teamsNamed(store: Store, slug: string | undefined): Promise<readonly Team[]> {
  return slug === undefined ? await store.teams.list() : [await teamNamed(store, slug)];
}

/** @throws GatewayError `not_found` */
export async function appNamed(store: Store, team: Team, name: string): Promise<App> {
  const app = await store.apps.findByName(team.id, name);
  if (app !== undefined) return app;
  throw new GatewayError('not_found', `the team ${team.slug} has no app ${name}`);
}

/** @throws GatewayError `not_found` */
export async function keyNamed(store: Store, team: Team, name: string): Promise<MasonKey> {
  const key = await store.keys.findByName(team.id, name);
  if (key !== undefined) return key;
  throw new GatewayError('not_found', `the team ${team.slug} has no key ${name}`);
}

/** @throws GatewayError `not_found` */
export async function tokenWithId(store: Store, id: string): Promise<Token> {
  const token = await store.tokens.findById(id);
  if (token !== undefined) return token;
  throw new GatewayError('not_found', `there is no token ${id}`);
}

/** Removed by somebody else between the looking and the doing. */
export function ensureStillThere(found: boolean, what: string): void {
  if (!found) throw new GatewayError('not_found', `${what} was removed or revoked meanwhile: nothing was changed`);
}
