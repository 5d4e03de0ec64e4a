import type { Request, Response } from 'express';
import { GatewayError } from '../../domain/errors.ts';
import { SECURITY_HEADERS } from '../../http/security-headers.ts';
import { returnPath } from '../sign-in.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { type OpenIdRooms, redirectUriOf } from './open-id-rooms.ts';
import { providerPage } from './provider-page.ts';

/**
 * `GET /auth/login?returnTo=&provider=`: sends the browser to the identity provider, or, when there are several and none is
 * named, asks which.
 */
export async function beginSignIn(rooms: OpenIdRooms, req: Request, res: Response): Promise<void> {
  const query = new URL(req.url, rooms.publicUrl).searchParams;
  const returnTo = returnPath(query.get('returnTo'));
  const provider = chosen(rooms, query.get('provider'));
  if (provider === undefined) {
    const page = providerPage(
      [...rooms.providers.values()].map(({ settings }) => settings),
      returnTo,
    );
    res.writeHead(200, page.headers).end(page.html);
    return;
  }
  const flow = rooms.flows.newFlow(provider.settings.id, returnTo);
  const location = await provider.authorizationUrl(redirectUriOf(rooms.publicUrl), flow);
  rooms.flows.keep(req, res, flow);
  res.writeHead(303, { ...SECURITY_HEADERS, Location: location, 'Content-Length': 0 }).end();
}

/** Undefined when somebody has to choose. */
function chosen({ providers }: OpenIdRooms, id: string | null): IdentityProvider | undefined {
  const [only, ...others] = providers.values();
  if (id === null) return others.length === 0 ? only : undefined;
  const provider = providers.get(id);
  if (provider !== undefined) return provider;
  throw new GatewayError(
    'not_found',
    `there is no such identity provider; there are ${[...providers.keys()].join(', ')}`,
  );
}
