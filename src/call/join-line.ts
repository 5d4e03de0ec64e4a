import type { Caller } from '../domain/caller.ts';
import type { Lane, Place } from '../domain/lane.ts';
import type { Call } from './call.ts';
import { urgency, waitMs } from './preferences.ts';
import type { WalkRooms } from './walk.ts';

/** What a waiting call costs besides its body: sockets, headers, promises; measured, rounded up. */
const CALL_BYTES = 3_000;

/**
 * What may pass between joining and being ready: a change's intent is written, on a busy disk too. It is no waiting in the
 * line, so that `wait=0` has it as well.
 */
const OWN_MS = 250;

/**
 * Takes a place in the line of the key's budget. From here the call knows the budget, and its answer will tell.
 *
 * @throws GatewayError `queue_full`, `deadline_unreachable`, `invalid_request` (a `Prefer` that cannot be read)
 */
export function joinLine(rooms: WalkRooms, call: Call, caller: Caller, lane: Lane): Place {
  const { waitDefaultMs, waitMaxMs, totalMs } = rooms.bounds;
  const wait = waitMs(call.req.headers, waitDefaultMs, waitMaxMs);
  const { id: appId, weight } = caller.share;
  call.lane = lane;
  call.deadlineAt = rooms.clock.now() + Math.max(wait, OWN_MS);
  const place = lane.join({
    appId,
    weight,
    urgency: urgency(call.req.headers, caller.urgencyMin),
    deadlineAt: call.deadlineAt,
    heldBytes: CALL_BYTES + (call.body?.length ?? 0),
  });
  call.endsAfter(wait + totalMs);
  return place;
}
