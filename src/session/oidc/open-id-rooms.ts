import type { Clock } from '../../domain/clock.ts';
import type { People } from '../../domain/person.ts';
import type { Teams } from '../../domain/team.ts';
import type { SignInHost } from '../sign-in.ts';
import type { FlowCookies } from './flow-cookies.ts';
import type { IdentityProvider } from './identity-provider.ts';
import type { UsedOnce } from './used-once.ts';

/** What the steps of a sign-in work with. */
export interface OpenIdRooms {
  /** Origin that browsers see. */
  readonly publicUrl: string;
  /** By id, in the order of the configuration; at least one. */
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  readonly flows: FlowCookies;
  /** States that came back, and logout tokens. */
  readonly used: UsedOnce;
  readonly host: SignInHost;
  readonly people: People;
  readonly teams: Teams;
  readonly clock: Clock;
  /** A public id for somebody who is new: `per_…`. */
  readonly newPersonId: () => string;
}

/** The one address to which providers send browsers back. They compare it character by character (RFC 9700 section 2.1). */
export function redirectUriOf(publicUrl: string): string {
  return `${publicUrl}/auth/callback`;
}
