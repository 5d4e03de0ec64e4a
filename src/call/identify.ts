import type { Caller } from '../domain/caller.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Call } from './call.ts';
import { SessionCredential } from './session-credential.ts';
import { TokenCredential } from './token-credential.ts';
import type { WalkRooms } from './walk.ts';

/**
 * Who calls: by a gateway token, or by the session cookie of a page. Never by both, and never by one because the other failed.
 *
 * @returns a promise only where somebody must be asked
 * @throws GatewayError `unauthenticated`, `forbidden`, `csrf_refused`, `invalid_request`, `too_many_tries`, `store_unavailable`
 */
export function identify(rooms: WalkRooms, call: Call): Caller | Promise<Caller> {
  const { authorization } = call.req.headers;
  const isBrowser = rooms.browsers.isBrowser(call.req);
  if (authorization === undefined) {
    if (isBrowser) return bySession(rooms, call);
    // Mason's documented words, which its clients know.
    throw new GatewayError('unauthenticated', 'Required authorization token not found');
  }
  if (isBrowser) {
    throw new GatewayError('invalid_request', 'expected a gateway token or a session cookie, got both');
  }
  try {
    const caller = byToken(rooms, call, authorization);
    return caller instanceof Promise ? caller.catch((error: unknown) => refused(rooms, call, error)) : caller;
  } catch (error) {
    return refused(rooms, call, error);
  }
}

function byToken({ verdicts, clock }: WalkRooms, call: Call, authorization: string): Caller | Promise<Caller> {
  call.credential = new TokenCredential(authorization, verdicts, clock);
  return call.credential.caller(call);
}

/** Counts bad tries of tokens only: a page whose session ended is no guesser, however many of its calls are refused at once. */
function refused({ tries }: WalkRooms, call: Call, error: unknown): never {
  if (error instanceof GatewayError && error.code === 'unauthenticated') tries.noteBad(call.address);
  throw error;
}

async function bySession({ browsers, verdicts, clock }: WalkRooms, call: Call): Promise<Caller> {
  const page = await browsers.identify(call.req, call.target);
  // Mason never hears of a ticket that was spent.
  call.target = { ...call.target, query: page.query };
  const credential = new SessionCredential(page, browsers, verdicts, clock);
  call.credential = credential;
  return await credential.caller(call);
}
