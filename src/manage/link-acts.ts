import { hash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Scope } from '../domain/scope.ts';
import { type Act, type ActDeps, changing } from './act.ts';
import { title } from './fields.ts';
import { newId } from './new-id.ts';
import { grantViews, grantWords, type RoleGrantView, resolveGrants, roleGrants } from './role-grant-fields.ts';

/** A sign-in link at the only moment when it is shown. */
export interface ShownLink {
  readonly id: string;
  /** 256 random bits, base64url. */
  readonly secret: string;
  /** Below the gateway's public address. The secret stands behind the "#": browsers send it to nobody, and no log has it. */
  readonly path: string;
  /** The whole link; null where no gateway runs, and none is configured to be reached anywhere. */
  readonly url: string | null;
  readonly name: string;
  readonly grants: readonly RoleGrantView[];
  /** ISO time. */
  readonly endsAt: string;
}

export interface LinkActs {
  /** `{name?, grants}`: signs somebody in as that, once, within ten minutes. */
  'link.create': Act<ShownLink>;
}

const LINK_MS = 600_000;
const SECRET_BYTES = 32;

export interface LinkActDeps extends ActDeps {
  readonly scopes: { known(scope: Scope): boolean };
  readonly publicAddress: () => string | undefined;
}

export function linkActs(deps: LinkActDeps): LinkActs {
  const { store, clock } = deps;
  return {
    'link.create': changing(
      deps,
      {
        name: 'link.create',
        need: 'operator',
        unrecorded: ['name'],
        input: z.strictObject({
          name: title.optional(),
          grants: roleGrants(deps.scopes.known).min(1, { error: 'at least one role' }),
        }),
      },
      async (input, { reach }) => {
        const grants = await resolveGrants(reach, input.grants);
        const views = grantViews(grants, await store.teams.list());
        const id = newId('lnk');
        const name = input.name ?? 'by sign-in link';
        const createdAt = clock.epochMs();
        const endsAt = createdAt + LINK_MS;
        const secret = randomBytes(SECRET_BYTES).toString('base64url');
        return {
          details: { linkId: id, roles: grantWords(views) },
          async carryOut() {
            const address = deps.publicAddress();
            const digest = hash('sha256', secret, 'base64url');
            await store.links.add({ id, digest, name, grants, createdAt, endsAt });
            return {
              id,
              secret,
              path: `/auth/link#${secret}`,
              url: address === undefined ? null : `${address}/auth/link#${secret}`,
              name,
              grants: views,
              endsAt: new Date(endsAt).toISOString(),
            };
          },
        };
      },
    ),
  };
}
