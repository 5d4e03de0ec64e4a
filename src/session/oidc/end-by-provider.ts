import type { Request, Response } from 'express';
import { GatewayError } from '../../domain/errors.ts';
import { SECURITY_HEADERS } from '../../http/security-headers.ts';
import { providerDigest } from '../sign-in.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { LOGOUT_TOKEN_MS_MAX, type ProviderLogout, providerOf, readLogoutToken } from './logout-token.ts';
import type { OpenIdRooms } from './open-id-rooms.ts';
import { readForm } from './read-form.ts';
import { refusalOf } from './refusal-of.ts';

const REASON = 'logout at the provider';
const REASON_CHARACTERS_MAX = 256;

/**
 * `POST /auth/backchannel-logout`: the provider says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0).
 * Answers 200 when their sessions have ended, here and everywhere, or had ended before; 400 for a token that does not hold.
 * 503 when the store or the provider's keys cannot be had: then the same token may come again.
 */
export async function endByProvider(rooms: OpenIdRooms, req: Request, res: Response): Promise<void> {
  const [token, ...more] = (await readForm(req, res)).getAll('logout_token');
  if (token === undefined || more.length > 0) throw refuse(rooms, req, 'unknown', 'expected one "logout_token"');
  const logout = await read(rooms, req, token);
  const mark = JSON.stringify(['jti', logout.issuer, logout.jti]);
  if (!rooms.used.take(mark, LOGOUT_TOKEN_MS_MAX)) {
    throw refuse(rooms, req, logout.issuer, 'this token came before: its "jti" is known');
  }
  try {
    await end(rooms, logout);
  } catch (error) {
    rooms.used.giveBack(mark);
    throw error;
  }
  res.writeHead(200, { ...SECURITY_HEADERS, 'Content-Length': 0 }).end();
}

async function read(rooms: OpenIdRooms, req: Request, token: string): Promise<ProviderLogout> {
  let provider: IdentityProvider | undefined;
  try {
    provider = providerOf(token, rooms.providers.values());
    if (provider !== undefined) return await readLogoutToken(token, provider);
  } catch (thrown) {
    const { error, reason } = refusalOf(thrown);
    if (error.code !== 'invalid_request') throw error;
    throw refuse(rooms, req, provider?.settings.issuer ?? 'unknown', reason);
  }
  throw refuse(rooms, req, 'unknown', 'expected "iss" and "aud" of a provider in the configuration');
}

async function end({ host, people }: OpenIdRooms, { issuer, sid, subject }: ProviderLogout): Promise<void> {
  if (sid !== undefined) {
    await host.endSessions({ providerDigest: providerDigest(issuer, sid) }, REASON);
    return;
  }
  const person = (await people.list()).find((known) => known.issuer === issuer && known.subject === subject);
  if (person !== undefined) await host.endSessions({ personId: person.id }, REASON);
}

/** Puts it on record, and counts it against the address. */
function refuse({ host }: OpenIdRooms, req: Request, issuer: string, reason: string): GatewayError {
  const message = `the logout token does not hold: ${reason}`;
  host.noteRefused(req, { issuer, reason: message.slice(0, REASON_CHARACTERS_MAX) });
  return new GatewayError('invalid_request', message);
}
