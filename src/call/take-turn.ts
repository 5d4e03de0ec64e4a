import type { Place, Turn } from '../domain/lane.ts';
import type { Call } from './call.ts';
import { joinKey } from './join-key.ts';
import type { Joining } from './joins.ts';
import { stillAllowed } from './still-allowed.ts';
import type { WalkRooms } from './walk.ts';

/**
 * Waits for a turn, and beside it for the answer to an equal call, whichever comes first. What was allowed when the call came
 * may not be any more by then.
 *
 * @returns what it is joined with: by its `held` it needs no turn of its own. Undefined when it is joined with nothing
 * @throws GatewayError as {@link Place.turn} and {@link stillAllowed} do
 */
export async function takeTurn(rooms: WalkRooms, call: Call, place: Place): Promise<Joining | undefined> {
  const from = rooms.clock.now();
  const own = place.turn(call.signal);
  const key = place.asksForTurn ? joinKey(call) : undefined;
  const joining = key === undefined ? undefined : rooms.joins.wait(key);
  try {
    let turn: Turn | undefined;
    try {
      turn = await (joining === undefined ? own : joining.turnOrAnswer(own));
    } finally {
      call.queueMs += rooms.clock.now() - from;
    }
    await stillAllowed(rooms, call);
    if (call.signal.aborted) throw call.signal.reason;
    if (joining?.held !== undefined) {
      leaveLine(place, own);
      return joining;
    }
    turn?.sent();
  } catch (error) {
    leaveLine(place, own);
    if (joining !== undefined) rooms.joins.leave(joining);
    throw error;
  }
  if (joining !== undefined) rooms.joins.sent(joining);
  return joining;
}

/** The turn may have come already, or come this very instant. */
function leaveLine(place: Place, own: Promise<Turn>): void {
  place[Symbol.dispose]();
  own.then(
    (turn) => turn.giveBack(),
    () => {},
  );
}
