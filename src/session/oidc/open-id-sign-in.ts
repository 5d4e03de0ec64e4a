import { type Request, type RequestHandler, type Response, Router } from 'express';
import { GatewayError } from '../../domain/errors.ts';
import type { Vault } from '../../vault/open-vault.ts';
import type { SignInHost, SignInProvider } from '../sign-in.ts';
import { beginSignIn } from './begin-sign-in.ts';
import { boundedFetch, providerAgent } from './bounded-fetch.ts';
import { endByProvider } from './end-by-provider.ts';
import { finishSignIn } from './finish-sign-in.ts';
import { FlowCookies } from './flow-cookies.ts';
import { IdentityProvider, type ProviderSettings } from './identity-provider.ts';
import type { OpenIdRooms } from './open-id-rooms.ts';
import { UsedOnce } from './used-once.ts';

export interface OpenIdOptions extends Pick<OpenIdRooms, 'publicUrl' | 'people' | 'teams' | 'clock' | 'newPersonId'> {
  /** At least one. */
  readonly providers: readonly ProviderSettings[];
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>;
}

export interface OpenIdSignIn extends AsyncDisposable {
  /** `GET /auth/login`, `GET /auth/callback`, `POST /auth/backchannel-logout`, for whoever keeps the sessions. */
  serve(host: SignInHost): SignInProvider;
}

/**
 * Signing in with OpenID Connect. No provider is asked for anything before somebody signs in: the gateway starts without them,
 * and whoever is signed in goes on without them. To be imported only where one is configured: openid-client and jose cost a
 * start 70 ms and 10 MB.
 */
export function openIdSignIn({ providers, vault, ...rooms }: OpenIdOptions): OpenIdSignIn {
  const { publicUrl, clock } = rooms;
  const agent = providerAgent();
  const fetch = boundedFetch(agent);
  const known = new Map(providers.map((settings) => [settings.id, new IdentityProvider(settings, fetch, clock)]));
  const flows = new FlowCookies(vault, clock, publicUrl.startsWith('https:'));
  const used = new UsedOnce(clock);
  return {
    serve: (host) => ({
      routes: () => routes({ ...rooms, providers: known, flows, used, host }),
      async endSessionUrl(issuer) {
        const provider = known.values().find((each) => each.isIssuer(issuer));
        return provider?.endSessionUrl(`${publicUrl}/`);
      },
    }),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function routes(rooms: OpenIdRooms): Router {
  const step =
    (take: (rooms: OpenIdRooms, req: Request, res: Response) => Promise<void>): RequestHandler =>
    (req, res) =>
      take(rooms, req, res);
  return Router({ caseSensitive: true, strict: true })
    .get('/auth/login', refuseHead, step(beginSignIn))
    .get('/auth/callback', refuseHead, step(finishSignIn))
    .post('/auth/backchannel-logout', step(endByProvider));
}

/** Express takes HEAD for GET; here that would begin something that nobody asked for. */
const refuseHead: RequestHandler = (req, _res, next) => {
  if (req.method !== 'HEAD') next();
  else throw new GatewayError('method_not_allowed', `${req.path}: expected GET, got HEAD`, { allow: ['GET'] });
};
