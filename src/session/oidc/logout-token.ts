import { decodeJwt } from 'jose';
import { GatewayError } from '../../domain/errors.ts';
import type { IdentityProvider } from './identity-provider.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** A logout is told at once; what is older was kept by somebody. */
const AGE_S_MAX = 300;
/** How long a token could come again: its age, and twice what the clocks may differ by. */
export const LOGOUT_TOKEN_MS_MAX = (AGE_S_MAX + 60) * 1_000;
const ID_CHARACTERS_MAX = 255;

/** Whose sessions end: those of the provider's session, or, where it names none, all of that subject. */
export interface ProviderLogout {
  readonly issuer: string;
  readonly jti: string;
  readonly sid: string | undefined;
  readonly subject: string | undefined;
}

/** Which of the providers a token says that it comes from and is for. Nothing is proven by it yet. */
export function providerOf(token: string, providers: Iterable<IdentityProvider>): IdentityProvider | undefined {
  const { iss = '', aud = [] } = decodeJwt(token);
  for (const provider of providers) {
    if (provider.isIssuer(iss) && [aud].flat().includes(provider.settings.clientId)) return provider;
  }
  return undefined;
}

/**
 * Reads a logout token by the rules of OpenID Connect Back-Channel Logout 1.0 section 2.6. The type `logout+jwt`, which that
 * text recommends, is asked for (OWASP ASVS 5.0 10.5.5), so that no other token can be taken for one.
 *
 * @throws JOSEError, or GatewayError: `invalid_request`, `sign_in_unavailable` when the provider's keys cannot be had
 */
export async function readLogoutToken(token: string, provider: IdentityProvider): Promise<ProviderLogout> {
  const claims = await provider.verify(token, {
    typ: 'logout+jwt',
    maxTokenAge: AGE_S_MAX,
    requiredClaims: ['iat', 'exp', 'jti', 'events'],
  });
  const { iss = '', jti, sub, sid, events } = claims;
  if (!isObject(events) || !Object.hasOwn(events, EVENT) || !isObject(events[EVENT])) {
    throw invalid(`expected "events" to have the member ${EVENT}`);
  }
  if ('nonce' in claims) throw invalid('expected no "nonce": that is what an ID token has');
  if (!isId(jti)) throw invalid('expected "jti" to be a text of 1 to 255 characters');
  if ((sub !== undefined && !isId(sub)) || (sid !== undefined && !isId(sid))) {
    throw invalid('expected "sub" and "sid" to be texts of 1 to 255 characters');
  }
  if (sub === undefined && sid === undefined) throw invalid('expected "sub", "sid" or both, got neither');
  return { issuer: iss, jti, sid, subject: sub };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= ID_CHARACTERS_MAX;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): GatewayError {
  return new GatewayError('invalid_request', message);
}
