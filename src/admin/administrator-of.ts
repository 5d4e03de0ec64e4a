import type { Request } from 'express';
import type { Strangers } from '../call/strangers.ts';
import type { Grant, Verdicts } from '../call/verdicts.ts';
import { type Authority, authorityOf } from '../domain/authority.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Actor, AdminEvent } from '../domain/event.ts';
import type { AuditRecord } from '../domain/record.ts';
import type { Scope } from '../domain/scope.ts';
import type { BrowserCallers } from '../domain/session.ts';
import { errorAnswer } from '../http/errors.ts';
import { type Asker, type Identify, targetOf } from './asker.ts';
import { type TokenRooms, tokenGrant } from './token-grant.ts';

export interface AdministratorRooms extends TokenRooms {
  readonly verdicts: TokenRooms['verdicts'] & Pick<Verdicts, 'fresh'>;
  readonly browsers: BrowserCallers;
  readonly record: Pick<AuditRecord, 'append'>;
  readonly strangers: Pick<Strangers, 'admit'>;
}

const PATH_CHARACTERS_MAX = 256;

/** Who was found, before it is known whether they may. */
type Found = Pick<AdminEvent, 'actor' | 'teamId' | 'team'>;

/**
 * Who asks on the public door: a token with a `gateway:*` scope, or somebody's page of this origin. Never by both, never by one
 * because the other failed, and never by what was remembered while the store did not answer. Refusals stand on record.
 */
export function administratorOf(rooms: AdministratorRooms): Identify {
  return async (req, requestId) => {
    const found: { who: Found } = { who: { actor: { kind: 'unknown', address: rooms.addressOf(req) } } };
    try {
      return await identify(rooms, req, (who) => {
        found.who = who;
      });
    } catch (error) {
      if (found.who.actor.kind === 'unknown' && !rooms.strangers.admit(rooms.addressOf(req))) throw error;
      rooms.record.append({
        kind: 'admin',
        requestId,
        at: rooms.clock.epochMs(),
        ...found.who,
        act: 'management.refused',
        details: { method: req.method, path: targetOf(req).path.slice(0, PATH_CHARACTERS_MAX) },
        result: 'failed',
        errorCode: errorAnswer(error).code,
      });
      throw error;
    }
  };
}

async function identify(rooms: AdministratorRooms, req: Request, note: (who: Found) => void): Promise<Asker> {
  const { authorization } = req.headers;
  const isBrowser = rooms.browsers.isBrowser(req);
  if (authorization !== undefined && isBrowser) {
    throw new GatewayError('invalid_request', 'expected a gateway token or a session cookie, got both');
  }
  if (authorization === undefined && !isBrowser) {
    throw new GatewayError(
      'unauthenticated',
      'expected "Authorization: Bearer <gateway token>", or the cookie of a page that signed in; got neither',
    );
  }
  if (!rooms.verdicts.fresh) {
    throw new GatewayError(
      'store_unavailable',
      'the store of teams and tokens does not answer: nothing is managed until it does',
    );
  }
  return authorization === undefined ? byPage(rooms, req, note) : byToken(rooms, req, authorization, note);
}

async function byToken(
  rooms: AdministratorRooms,
  req: Request,
  authorization: string,
  note: (who: Found) => void,
): Promise<Asker> {
  const address = rooms.addressOf(req);
  const { grant } = await tokenGrant(rooms, authorization, address);
  const { app, team, tokenId } = grant.caller;
  const actor: Actor = { kind: 'app', appId: app.id, app: app.name, tokenId, address };
  note({ actor, teamId: team.id, team: team.slug });
  return { by: { actor, authority: authorityOfToken(grant) }, query: targetOf(req).query };
}

async function byPage(rooms: AdministratorRooms, req: Request, note: (who: Found) => void): Promise<Asker> {
  const { session, frontend, query } = await rooms.browsers.identify(req, targetOf(req));
  const { person } = session;
  const actor: Actor = {
    kind: 'person',
    personId: person.id,
    sessionId: session.id,
    address: rooms.addressOf(req),
  };
  note({ actor });
  if (frontend !== undefined) {
    throw new GatewayError(
      'forbidden',
      `pages of ${frontend.origin} may call for their teams and not manage: only pages of the gateway's own origin may, since ` +
        'whoever can change such a page could otherwise hand out tokens',
    );
  }
  const authority = authorityOf(person);
  if (isNone(authority)) {
    const held = [...new Set(person.grants.map(({ role }) => role))].join(', ') || 'none';
    throw new GatewayError('forbidden', `managing needs the role lead, auditor or operator; your roles are: ${held}`);
  }
  rooms.browsers.noteUse(session.digest, rooms.clock.epochMs());
  return { by: { actor, authority }, query };
}

function isNone({ operates, manages, audits }: Authority): boolean {
  return !operates && manages.size === 0 && audits !== 'all' && audits.size === 0;
}

/**
 * `gateway:admin` manages the token's own team, with no more than the token itself may do, and reads its record; `gateway:audit`
 * reads it; `gateway:usage` sees the team's usage.
 *
 * @throws GatewayError `forbidden`
 */
function authorityOfToken({ caller: { team, scopes, effectCeiling } }: Grant): Authority {
  const own = scopes.filter(isOurs);
  const manages = own.includes('gateway:admin');
  const audits = manages || own.includes('gateway:audit');
  if (!audits && !own.includes('gateway:usage')) {
    throw new GatewayError(
      'forbidden',
      `managing needs a token with the scope gateway:admin, gateway:audit or gateway:usage; the token holds ${scopes.join(', ') || 'none'}`,
    );
  }
  const rights = { scopes: scopes.filter((scope) => !isOurs(scope)), effectCeiling };
  return {
    operates: false,
    manages: new Map(manages ? [[team.id, rights]] : []),
    audits: new Set(audits ? [team.id] : []),
    usage: new Set([team.id]),
  };
}

function isOurs(scope: Scope): boolean {
  return scope.startsWith('gateway:');
}
