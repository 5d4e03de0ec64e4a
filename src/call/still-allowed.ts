import { GatewayError } from '../domain/errors.ts';
import { checkRights } from './allow.ts';
import type { Call } from './call.ts';
import { keyNow } from './choose-key.ts';
import type { WalkRooms } from './walk.ts';

/**
 * Asked again when the turn comes, and before each retry: the token, the app, the team or the key may have gone while the
 * call waited. Costs nothing while the store's revision stands still.
 *
 * @throws GatewayError `unauthenticated`, `forbidden`, `no_key`, `store_unavailable`
 */
export async function stillAllowed(rooms: WalkRooms, call: Call): Promise<void> {
  const { credential } = call;
  if (credential === undefined) {
    throw new Error('a call takes a turn before its caller is known');
  }
  if (call.changes && !rooms.verdicts.fresh) {
    throw new GatewayError(
      'store_unavailable',
      'the store of teams and tokens does not answer: no changes until it does',
    );
  }
  const caller = await credential.caller(call);
  checkRights(caller, call.operation);
  if (call.key === undefined || call.isKeyReplaced) return;
  call.key = await keyNow(rooms.verdicts, caller, call.key);
}
