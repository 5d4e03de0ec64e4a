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
export function takeTurn(rooms: WalkRooms, call: Call, place: Place): Promise<Joining | undefined> {
  const from = rooms.clock.now();
  const own = place.turn(call.signal);
  const key = place.asksForTurn ? joinKey(call) : undefined;
  const joining = key === undefined ? undefined : rooms.joins.wait(key, place);
  const wait = { place, joining, from };
  // An async function that stops here would hold twice as much, for each of thousands.
  return own.then(
    (turn) => goOn(rooms, call, wait, turn),
    (error: unknown) => goOn(rooms, call, wait, undefined, error),
  );
}

interface Wait {
  readonly place: Place;
  readonly joining: Joining | undefined;
  /** Monotonic instant. */
  readonly from: number;
}

/** The wait is over: by a turn, by an answer, which makes it leave the line, or by a refusal. */
function goOn(
  rooms: WalkRooms,
  call: Call,
  wait: Wait,
  turn: Turn | undefined,
  refusal?: unknown,
): Joining | undefined | Promise<Joining | undefined> {
  call.queueMs += rooms.clock.now() - wait.from;
  try {
    if (turn === undefined && wait.joining?.held === undefined) throw refusal;
    const asked = stillAllowed(rooms, call);
    if (asked === undefined) return go(rooms, call, wait, turn);
    return asked.then(() => go(rooms, call, wait, turn)).catch((error: unknown) => giveUp(rooms, wait, turn, error));
  } catch (error) {
    return giveUp(rooms, wait, turn, error);
  }
}

function go(rooms: WalkRooms, call: Call, { joining }: Wait, turn: Turn | undefined): Joining | undefined {
  if (call.signal.aborted) throw call.signal.reason;
  if (joining?.held !== undefined) {
    turn?.giveBack();
    return joining;
  }
  turn?.sent();
  if (joining !== undefined) rooms.joins.sent(joining);
  return joining;
}

function giveUp(rooms: WalkRooms, { place, joining }: Wait, turn: Turn | undefined, error: unknown): never {
  turn?.giveBack();
  place[Symbol.dispose]();
  if (joining !== undefined) rooms.joins.leave(joining);
  throw error;
}
