import type { Caller } from '../domain/caller.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Call } from './call.ts';
import type { Credential } from './credential.ts';
import { SessionCredential } from './session-credential.ts';
import { TokenCredential } from './token-credential.ts';
import type { WalkRooms } from './walk.ts';

/**
 * Who calls: by a gateway token, or by the session cookie of a page. Never by both, and never by one because the other failed.
 *
 * @throws GatewayError `unauthenticated`, `forbidden`, `csrf_refused`, `invalid_request`, `too_many_tries`, `store_unavailable`
 */
export async function identify(rooms: WalkRooms, call: Call): Promise<Caller> {
  try {
    const credential = await credentialOf(rooms, call);
    call.credential = credential;
    return await credential.caller(call);
  } catch (error) {
    // A page whose session ended is no guesser, however many of its calls are refused at once.
    const isBad = error instanceof GatewayError && error.code === 'unauthenticated';
    if (isBad && call.req.headers.authorization !== undefined) rooms.tries.noteBad(call.address);
    throw error;
  }
}

async function credentialOf({ browsers, verdicts, clock }: WalkRooms, call: Call): Promise<Credential> {
  const { authorization } = call.req.headers;
  const isBrowser = browsers.isBrowser(call.req);
  if (authorization !== undefined) {
    if (!isBrowser) return new TokenCredential(authorization, verdicts, clock);
    throw new GatewayError('invalid_request', 'expected a gateway token or a session cookie, got both');
  }
  // Mason's documented words, which its clients know.
  if (!isBrowser) throw new GatewayError('unauthenticated', 'Required authorization token not found');
  const page = await browsers.identify(call.req, call.target);
  // Mason never hears of a ticket that was spent.
  call.target = { ...call.target, query: page.query };
  return new SessionCredential(page, browsers, verdicts, clock);
}
