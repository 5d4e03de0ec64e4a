import type { PersonCaller } from '../domain/caller.ts';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import { callingRights, callingTeams } from '../domain/person.ts';
import type { BrowserCaller, BrowserCallers, Frontend, LiveSession } from '../domain/session.ts';
import type { Call } from './call.ts';
import type { Credential } from './credential.ts';
import type { Verdicts } from './verdicts.ts';

/** Shares of the line between people of a team are equal. */
const WEIGHT = 1;

/** The session of somebody's page, once it came through the gate. */
export class SessionCredential implements Credential {
  readonly kind = 'session';
  readonly digest: string;
  readonly #browsers: BrowserCallers;
  readonly #verdicts: Verdicts;
  readonly #clock: Clock;
  readonly #frontend: Frontend | undefined;
  readonly #team: string | undefined;

  constructor({ session, frontend, team }: BrowserCaller, browsers: BrowserCallers, verdicts: Verdicts, clock: Clock) {
    this.digest = session.digest;
    this.#browsers = browsers;
    this.#verdicts = verdicts;
    this.#clock = clock;
    this.#frontend = frontend;
    this.#team = team;
  }

  async caller(call: Call): Promise<PersonCaller> {
    await this.#browsers.check(this.digest);
    // First it must hold; then this very use makes it last longer.
    this.#browsers.noteUse(this.digest, call.epochMs);
    const session = await this.#browsers.check(this.digest);
    call.presented = { kind: 'person', person: session.person, sessionId: session.id };
    call.rightEndsAfter(session.endsAt - this.#clock.epochMs());
    const named = call.caller?.team.slug ?? this.#team ?? call.req.headers['gateway-team'];
    const team = await this.#chooseTeam(session, named);
    const rights = callingRights(session.person.grants, team.id);
    if (rights === undefined) throw new GatewayError('forbidden', `you have no role in team ${team.slug} any more`);
    const { id, name } = session.person;
    const caller: PersonCaller = {
      kind: 'person',
      team,
      person: { id, name },
      sessionId: session.id,
      share: { id, weight: WEIGHT },
      urgencyMin: 0,
      ...rights,
    };
    call.presented = caller;
    return caller;
  }

  /** The team named, or the only one there is. */
  async #chooseTeam(
    { person }: LiveSession,
    named: string | string[] | undefined,
  ): Promise<{ id: string; slug: string }> {
    const slugs = await this.#verdicts.teamSlugs();
    const own = callingTeams(person.grants).flatMap((id) => {
      const slug = slugs.get(id);
      return slug === undefined ? [] : [{ id, slug }];
    });
    const frontend = this.#frontend;
    const open = frontend === undefined ? own : own.filter(({ slug }) => frontend.teams.includes(slug));
    const names = open.map(({ slug }) => slug).join(', ');
    if (open.length === 0) {
      const held = [...new Set(person.grants.map(({ role }) => role))].join(', ') || 'none';
      const reason =
        own.length === 0
          ? `calls need the role viewer, member or lead in a team; your roles are: ${held}`
          : `pages of ${frontend?.origin} may act for ${frontend?.teams.join(', ')} only, and you have no role there that calls`;
      throw new GatewayError('forbidden', reason);
    }
    if (named === undefined && open.length > 1) {
      throw new GatewayError('invalid_request', `expected "Gateway-Team: <team>" with one of your teams: ${names}`);
    }
    const chosen = named === undefined ? open[0] : open.find(({ slug }) => slug === named);
    if (chosen !== undefined) return chosen;
    throw new GatewayError(
      'forbidden',
      `"Gateway-Team: ${String(named).slice(0, 64)}" is none of the teams open to you here: ${names}`,
    );
  }
}
