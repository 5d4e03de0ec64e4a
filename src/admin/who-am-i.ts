import type { IncomingMessage } from 'node:http';
import type { BudgetStatus, TeamStatus } from '../call/team-status.ts';
import type { Effect } from '../domain/effect.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Scope } from '../domain/scope.ts';
import { type TokenRooms, tokenGrant } from './token-grant.ts';

export interface WhoAmIRooms extends TokenRooms {
  /** @throws GatewayError `store_unavailable` */
  readonly teamStatus: (teamId: string, share: { readonly id: string; readonly weight: number }) => Promise<TeamStatus>;
}

/** What a token is and may do, for whoever holds it. No secrets. */
export interface WhoAmI {
  readonly kind: 'app';
  readonly team: string;
  readonly app: string;
  /** Public id of the token. */
  readonly tokenId: string;
  readonly scopes: readonly Scope[];
  /** The strongest effect that it may have. */
  readonly effects: Effect;
  /** Address ranges from which it may be used; empty: any. */
  readonly from: readonly string[];
  /** The most urgent `Priority: u=` that it may ask for. */
  readonly urgency: number;
  /** ISO time: the end of the secret that was presented, which after a rotation is the end of its grace. */
  readonly expiresAt: string;
  readonly secondsLeft: number;
  /** Of the team's keys, each with this app's share now. */
  readonly budgets: readonly BudgetStatus[];
}

/**
 * Answers `GET /auth/whoami` for tokens, with whatever scopes.
 *
 * @throws GatewayError `unauthenticated`, `forbidden`, `too_many_tries`, `store_unavailable`
 */
export function whoAmI(rooms: WhoAmIRooms): (req: IncomingMessage) => Promise<WhoAmI> {
  return async (req) => {
    const { authorization } = req.headers;
    if (authorization === undefined) {
      throw new GatewayError(
        'unauthenticated',
        'expected "Authorization: Bearer <gateway token>"; a page that signed in asks GET /auth/session',
      );
    }
    const { grant, endsAt } = await tokenGrant(rooms, authorization, rooms.addressOf(req));
    const { caller, token } = grant;
    const { budgets } = await rooms.teamStatus(caller.team.id, caller.share);
    return {
      kind: 'app',
      team: caller.team.slug,
      app: caller.app.name,
      tokenId: caller.tokenId,
      scopes: caller.scopes,
      effects: caller.effectCeiling,
      from: token.addressRanges,
      urgency: caller.urgencyMin,
      expiresAt: new Date(endsAt).toISOString(),
      secondsLeft: Math.max(0, Math.floor((endsAt - rooms.clock.epochMs()) / 1_000)),
      budgets,
    };
  };
}
