import { type Authority, authorityOf } from '../domain/authority.ts';
import type { Effect } from '../domain/effect.ts';
import { callingRights } from '../domain/person.ts';
import type { Role } from '../domain/role.ts';
import type { Scope } from '../domain/scope.ts';
import type { BrowserCaller } from '../domain/session.ts';

/** Budget and health of a team's keys, as JSON; never a secret. */
export type TeamStatus = object;

export interface TeamLookUp {
  /** The slugs of all teams, by id. */
  teamSlugs(): Promise<ReadonlyMap<string, string>>;
  /** Of one team, with what the person's share of its budgets is. */
  teamStatus(teamId: string, share: { readonly id: string; readonly weight: number }): Promise<TeamStatus>;
}

/** What a person is to a team, and may do. */
export interface TeamView {
  readonly id: string;
  readonly slug: string;
  readonly roles: readonly Role[];
  /** What they may call Mason for; null: nothing. */
  readonly calls: { readonly scopes: readonly Scope[]; readonly effects: Effect } | null;
  /** Whether they manage its apps, tokens and keys. */
  readonly manages: boolean;
  /** Whether they read its record. */
  readonly audits: boolean;
  readonly status: TeamStatus | null;
}

/** What a signed-in page is told of itself: nothing in it is a credential. */
export interface SessionView {
  readonly kind: 'person';
  readonly person: { readonly id: string; readonly name: string };
  /** Public id of the session. */
  readonly session: string;
  /** Whole seconds until it ends if nothing more comes. */
  readonly secondsLeft: number;
  /** Whether they manage everything. */
  readonly operates: boolean;
  readonly teams: readonly TeamView[];
}

const NOTHING: Authority = { operates: false, manages: new Map(), audits: new Set() };

/**
 * @param caller pages of a listed frontend are told of the teams that it may act for, and may call only: they manage nothing
 * @throws GatewayError `store_unavailable`
 */
export async function sessionView(caller: BrowserCaller, lookUp: TeamLookUp, nowEpochMs: number): Promise<SessionView> {
  const { session, frontend } = caller;
  const { id, name } = session.person;
  const authority = frontend === undefined ? authorityOf(session.person) : NOTHING;
  const slugs = await lookUp.teamSlugs();
  const teams = [...slugs]
    .filter(([, slug]) => frontend === undefined || frontend.teams.includes(slug))
    .map(([teamId, slug]) => teamOf(caller, authority, teamId, slug))
    .filter(({ roles, manages, audits }) => roles.length > 0 || manages || audits);
  const share = { id, weight: 1 };
  const statuses = await Promise.all(teams.map((team) => lookUp.teamStatus(team.id, share)));
  return {
    kind: 'person',
    person: { id, name },
    session: session.id,
    secondsLeft: Math.max(0, Math.floor((session.endsAt - nowEpochMs) / 1_000)),
    operates: authority.operates,
    teams: teams.map((team, index) => ({ ...team, status: statuses[index] ?? null })),
  };
}

function teamOf(
  { session: { person } }: BrowserCaller,
  authority: Authority,
  id: string,
  slug: string,
): Omit<TeamView, 'status'> {
  const rights = callingRights(person.grants, id);
  return {
    id,
    slug,
    roles: person.grants.filter(({ teamId }) => teamId === id).map(({ role }) => role),
    calls: rights === undefined ? null : { scopes: rights.scopes, effects: rights.effectCeiling },
    manages: authority.operates || authority.manages.has(id),
    audits: authority.audits === 'all' || authority.audits.has(id),
  };
}
