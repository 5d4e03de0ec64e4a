import { GatewayError } from '../domain/errors.ts';
import { checkRights } from './allow.ts';
import type { Call } from './call.ts';
import { checkGrant } from './identify.ts';
import type { WalkRooms } from './walk.ts';

/**
 * Asked again when the turn comes, and before each retry: the token, the app, the team or the key may have gone while the
 * call waited. Costs nothing while the store's revision stands still.
 *
 * @throws GatewayError `unauthenticated`, `forbidden`, `no_key`, `store_unavailable`
 */
export async function stillAllowed(rooms: WalkRooms, call: Call): Promise<void> {
  const { credential, caller, key } = call;
  if (credential === undefined || caller === undefined || key === undefined) {
    throw new Error('a call takes a turn before its caller and key are known');
  }
  if (call.changes && !rooms.verdicts.fresh) {
    throw new GatewayError(
      'store_unavailable',
      'the store of teams and tokens does not answer: no changes until it does',
    );
  }
  const grant = await rooms.verdicts.grant(credential);
  checkGrant(grant, credential, call.address, rooms.clock.epochMs());
  checkRights(grant.caller, call.operation);
  const keys = await rooms.verdicts.teamKeys(caller.team.id);
  if (!keys.some(({ id }) => id === key.id)) {
    throw new GatewayError('no_key', `the Mason key chosen for this call was removed from team ${caller.team.slug}`);
  }
}
