import type { Caller } from '../domain/caller.ts';
import { GatewayError } from '../domain/errors.ts';
import { checkRights } from './allow.ts';
import type { Call } from './call.ts';
import { keyNow } from './choose-key.ts';
import type { WalkRooms } from './walk.ts';

/**
 * Asked again when the turn comes, and before each retry: the token, the app, the team or the key may have gone while the
 * call waited. Costs little while the store's revision stands still, and gives no promise then.
 *
 * @throws GatewayError `unauthenticated`, `forbidden`, `no_key`, `store_unavailable`
 */
export function stillAllowed(rooms: WalkRooms, call: Call): void | Promise<void> {
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
  const caller = credential.caller(call);
  return caller instanceof Promise
    ? caller.then((found) => checkCaller(rooms, call, found))
    : checkCaller(rooms, call, caller);
}

function checkCaller(rooms: WalkRooms, call: Call, caller: Caller): void | Promise<void> {
  checkRights(caller, call.operation);
  if (call.key === undefined || call.isKeyReplaced) return;
  const key = keyNow(rooms.verdicts, caller, call.key);
  if (key instanceof Promise) {
    return key.then((found) => {
      call.key = found;
    });
  }
  call.key = key;
}
