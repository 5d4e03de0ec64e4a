import type { Request, Response } from 'express';
import type { JWTPayload } from 'jose';
import { type ErrorCode, GatewayError } from '../../domain/errors.ts';
import type { Person } from '../../domain/person.ts';
import { SECURITY_HEADERS } from '../../http/security-headers.ts';
import { displayName } from './display-name.ts';
import { FLOW_MS_MAX, type Flow } from './flow-cookies.ts';
import { grantsFor } from './grants-for.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { type OpenIdRooms, redirectUriOf } from './open-id-rooms.ts';
import { refusalOf } from './refusal-of.ts';

/** OpenID Connect Core section 2. */
const SUBJECT_CHARACTERS_MAX = 255;

/**
 * `GET /auth/callback`: the provider sent the browser back. Each state counts once, whatever becomes of it; whoever is not
 * let in hears why in one sentence, and it is on record.
 */
export async function finishSignIn(rooms: OpenIdRooms, req: Request, res: Response): Promise<void> {
  const callback = new URL(redirectUriOf(rooms.publicUrl));
  callback.search = new URL(req.url, rooms.publicUrl).search;
  const { flow, provider } = takeFlow(rooms, req, res, callback.searchParams.get('state') ?? '');
  const claims = await redeem(rooms, req, provider, callback, flow);
  const { iss: issuer = '', sub: subject = '', sid } = claims;
  if (subject.length === 0 || subject.length > SUBJECT_CHARACTERS_MAX) {
    throw refuse(rooms, req, issuer, 'expected "sub" to have 1 to 255 characters');
  }
  const teamIds = new Map((await rooms.teams.list()).map(({ slug, id }) => [slug, id]));
  const person = await rooms.people.signIn({
    id: rooms.newPersonId(),
    issuer,
    subject,
    name: displayName(claims, subject),
    grants: grantsFor(claims, provider.settings.rules, (slug) => teamIds.get(slug)),
    at: rooms.clock.epochMs(),
  });
  // Whoever is kept out, startSession does not let in.
  if (person.grants.length === 0 && person.disabledAt === undefined) throw unknownHere(rooms, req, person);
  const providerSid =
    typeof sid === 'string' && sid.length > 0 && sid.length <= SUBJECT_CHARACTERS_MAX ? sid : undefined;
  await rooms.host.startSession(req, res, { person, issuer, providerSid });
  res.writeHead(303, { ...SECURITY_HEADERS, Location: flow.returnTo, 'Content-Length': 0 }).end();
}

function takeFlow(
  rooms: OpenIdRooms,
  req: Request,
  res: Response,
  state: string,
): { readonly flow: Flow; readonly provider: IdentityProvider } {
  const flow = rooms.flows.take(req, res, state);
  const provider = flow && rooms.providers.get(flow.provider);
  if (flow === undefined || provider === undefined) {
    throw refuse(
      rooms,
      req,
      'unknown',
      'this browser did not begin this sign-in, or began it more than ten minutes ago',
    );
  }
  if (!rooms.used.take(`state ${flow.state}`, FLOW_MS_MAX)) {
    throw refuse(rooms, req, provider.settings.issuer, 'this sign-in came back before');
  }
  return { flow, provider };
}

async function redeem(
  rooms: OpenIdRooms,
  req: Request,
  provider: IdentityProvider,
  callback: URL,
  flow: Flow,
): Promise<JWTPayload> {
  try {
    return await provider.redeem(callback, flow);
  } catch (thrown) {
    const { error, reason } = refusalOf(thrown);
    // An absent provider is nobody's bad try.
    if (error.code === 'invalid_request') rooms.host.noteRefused(req, { issuer: provider.settings.issuer, reason });
    throw error;
  }
}

function unknownHere(rooms: OpenIdRooms, req: Request, { name, issuer }: Person): GatewayError {
  rooms.host.noteRefused(req, { issuer, reason: 'no rule of this gateway gives this person a role' });
  return new GatewayError(
    'forbidden',
    `no rule of this gateway gives ${name} a role: ask an operator for a role, or for a group that has one`,
  );
}

/** Puts it on record, and counts it against the address. */
function refuse(
  { host }: OpenIdRooms,
  req: Request,
  issuer: string,
  reason: string,
  code: ErrorCode = 'invalid_request',
): GatewayError {
  host.noteRefused(req, { issuer, reason });
  return new GatewayError(code, code === 'invalid_request' ? `${reason}: start again at /auth/login` : reason);
}
