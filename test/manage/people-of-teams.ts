import type { Administrator, Authority } from '../../src/domain/authority.ts';
import type { Person, RoleGrant } from '../../src/domain/person.ts';
import type { Rights } from '../../src/domain/rights.ts';
import { type Management, START_MS } from './management.ts';

/** Somebody with a page, and this authority. */
export function somebody(authority: Partial<Authority>): Administrator {
  return {
    actor: { kind: 'person', personId: 'per_x', sessionId: 'ses_x', address: '192.0.2.7' },
    authority: { operates: false, manages: new Map(), audits: new Set(), ...authority },
  };
}

/** The lead of one team, by its id. */
export function leadOf(
  teamId: string,
  rights: Rights = { scopes: ['account:owner'], effectCeiling: 'destructive' },
): Administrator {
  return somebody({ manages: new Map([[teamId, rights]]), audits: new Set([teamId]) });
}

export async function teamId(m: Management, slug: string): Promise<string> {
  const team = await m.store.teams.findBySlug(slug);
  if (team === undefined) throw new Error(`there is no team ${slug}`);
  return team.id;
}

let people = 0;

/** Somebody who signed in at an identity provider, with so many live sessions. */
export async function signedIn(
  m: Management,
  grants: readonly RoleGrant[],
  { issuer = 'https://login.example.com', sessions = 1 } = {},
): Promise<Person & { sessionIds: readonly string[] }> {
  people += 1;
  const id = `per_${people}`;
  const at = START_MS;
  const person = await m.store.people.signIn({
    id,
    issuer,
    subject: `subject-${people}`,
    name: `Ada ${people}`,
    grants,
    at,
  });
  const sessionIds = Array.from({ length: sessions }, (_, n) => `ses_${people}x${n}`);
  for (const sessionId of sessionIds) {
    await m.store.sessions.add({
      digest: `digest-of-${sessionId}`,
      id: sessionId,
      personId: id,
      providerDigest: undefined,
      endsAt: at + 3_600_000,
      lastSeenAt: at,
      sealed: new Uint8Array([1]),
    });
  }
  return { ...person, sessionIds };
}
