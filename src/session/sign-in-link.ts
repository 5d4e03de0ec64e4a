import { hash } from 'node:crypto';
import { Router } from 'express';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { People, SignInLinks } from '../domain/person.ts';
import { answerJson } from '../http/answer.ts';
import { readJson } from './read-json.ts';
import type { SignInDesk } from './sign-in-desk.ts';

/** Issuer of those whom an operator gave a link. */
export const LINK_ISSUER = 'sign-in-link';
const SECRET_CHARACTERS_MAX = 256;

export interface SignInLinkOptions {
  readonly links: Pick<SignInLinks, 'take'>;
  readonly people: Pick<People, 'signIn'>;
  readonly desk: SignInDesk;
  readonly clock: Clock;
  /** A new public id, `per_…`. */
  newPersonId(): string;
}

/** Signing in with a link that an operator made: once. The secret comes in the body, so that it stands in no log. */
export function signInLinkRoutes({ links, people, desk, clock, newPersonId }: SignInLinkOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router.post('/auth/link', async (req, res) => {
    // Before the link is used up.
    desk.requireTransport(req);
    const { secret } = await readJson(req, res);
    const at = clock.epochMs();
    const isOne = typeof secret === 'string' && secret.length <= SECRET_CHARACTERS_MAX;
    const link = isOne ? await links.take(hash('sha256', secret, 'base64url'), at) : undefined;
    if (link === undefined || link.endsAt <= at) {
      desk.noteRefused(req, { issuer: LINK_ISSUER, reason: 'unknown, used or ended' });
      throw new GatewayError(
        'unauthenticated',
        'the sign-in link is not known, was used already, or is too old: ask for a new one',
      );
    }
    const { id: subject, name, grants } = link;
    const person = await people.signIn({ id: newPersonId(), issuer: LINK_ISSUER, subject, name, grants, at });
    await desk.startSession(req, res, { person, issuer: LINK_ISSUER });
    answerJson(res, 200, { next: '/auth/account' });
  });

  return router;
}
