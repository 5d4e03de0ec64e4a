import type { Caller } from '../domain/caller.ts';
import { isWithin } from '../domain/effect.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import { covers } from '../mason/scopes.ts';
import type { Call } from './call.ts';

/**
 * Whether this caller may do this: by the caller's own scopes and ceiling, never by what the team's key could do.
 *
 * @throws GatewayError `forbidden` naming what is needed and what is held; `confirmation_required`
 */
export function allow(call: Call, caller: Caller): void {
  const { operation } = call;
  checkRights(caller, operation);
  if (operation.confirm !== undefined && call.req.headers['gateway-confirm'] !== operation.confirm) {
    throw new GatewayError(
      'confirmation_required',
      `${operation.id} cannot be undone: say so with the header "Gateway-Confirm: ${operation.confirm}"`,
    );
  }
}

/** @throws GatewayError `forbidden` */
export function checkRights(caller: Caller, operation: Operation): void {
  if (!covers(caller.scopes, operation.scope)) {
    throw new GatewayError(
      'forbidden',
      `${operation.id} needs the scope ${operation.scope}; ${holder(caller)} ${caller.scopes.join(', ') || 'none'}`,
    );
  }
  if (!isWithin(operation.effect, caller.effectCeiling)) {
    throw new GatewayError(
      'forbidden',
      `${operation.id} is ${operation.effect}; ${allower(caller)} effects up to "${caller.effectCeiling}"`,
    );
  }
}

function holder({ kind, team }: Caller): string {
  return kind === 'app' ? 'the token holds' : `your role in team ${team.slug} holds`;
}

function allower({ kind, team }: Caller): string {
  return kind === 'app' ? 'the token allows' : `your role in team ${team.slug} allows`;
}
