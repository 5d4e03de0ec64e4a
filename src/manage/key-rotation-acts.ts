import { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import { lastFour } from '../vault/open-vault.ts';
import { type Act, changing } from './act.ts';
import { describeSharing, sharingOf } from './budget-sharing.ts';
import { masonKey, slug } from './fields.ts';
import { ensureOfThisMason, type KeyActDeps, usedElsewhere } from './key-acts.ts';
import { type KeyView, keyView, type NotedKey, notedKey } from './key-view.ts';
import { ensureStillThere, keyNamed, teamNamed } from './look-up.ts';
import { ensureAlive } from './probe.ts';
import type { Reach } from './reach.ts';

export interface KeyRotationActs {
  /**
   * `{team, name, key}`: puts a new key in the place of the one there, once Mason has taken it: tried in its turn, on the same
   * budget. The one before stays, sealed, for calls to fall back on.
   */
  'key.rotate': Act<NotedKey>;
  /** `{team, name}`: the key before the last rotation is gone at once. */
  'key.forget': Act<KeyView>;
}

const named = z.strictObject({ team: slug, name: slug });

export function keyRotationActs(deps: KeyActDeps): KeyRotationActs {
  const { store, vault, clock, masonOrigin } = deps;
  return {
    'key.rotate': changing(
      deps,
      { name: 'key.rotate', need: 'team', input: named.extend({ key: masonKey }) },
      async (input, { reach }) => {
        const team = await teamNamed(reach, input.team);
        const key = await keyNamed(reach, team, input.name);
        ensureOfThisMason(key, masonOrigin);
        const fingerprint = vault.fingerprint(input.key);
        await ensureFree(reach, key, fingerprint);
        const binding = { teamId: team.id, keyId: key.id, origin: key.origin };
        const sealed = vault.seal(binding, input.key, team.sealedDataKey);
        return {
          team,
          details: { keyId: key.id, fingerprint, fingerprintBefore: key.fingerprint },
          async carryOut() {
            const { id, scopes, budgetId } = key;
            await ensureAlive(deps, { id, fingerprint, scopes, budgetId, secret: input.key });
            const fresh = { fingerprint, last4: lastFour(input.key), sealed };
            ensureStillThere(await store.keys.rotate(key.id, fresh, clock.epochMs()), `the key ${key.name}`);
            const rotated = await keyNamed(reach, team, key.name);
            return await notedKey(reach, rotated, team.slug, deps, await left(reach, key));
          },
        };
      },
    ),

    'key.forget': changing(deps, { name: 'key.forget', need: 'team', input: named }, async (input, { reach }) => {
      const team = await teamNamed(reach, input.team);
      const key = await keyNamed(reach, team, input.name);
      if (key.previous === undefined) {
        throw new GatewayError('not_found', `the key ${key.name} of the team ${team.slug} has no key before it`);
      }
      return {
        team,
        details: { keyId: key.id, forgotten: key.previous.fingerprint },
        async carryOut() {
          ensureStillThere(await store.keys.forgetPrevious(key.id), `the key before ${key.name}`);
          return keyView(await keyNamed(reach, team, key.name), team.slug, await store.budgets.findById(key.budgetId));
        },
      };
    }),
  };
}

/** @throws GatewayError `conflict` when the new key is in use already: here, in this team, or on another budget */
async function ensureFree(reach: Reach, key: MasonKey, fingerprint: string): Promise<void> {
  if (key.fingerprint === fingerprint) {
    throw new GatewayError('conflict', `the key ${key.name} is this very key already: nothing was changed`);
  }
  const own = (await reach.store.keys.listByTeam(key.teamId)).find((other) => other.fingerprint === fingerprint);
  if (own !== undefined) {
    throw new GatewayError('conflict', `the team has this very key already, under the name ${own.name}`);
  }
  const twin = await reach.store.keys.findByFingerprint(fingerprint);
  if (twin === undefined || twin.budgetId === key.budgetId) return;
  if (!reach.includes(twin.teamId)) throw usedElsewhere();
  const budget = await reach.store.budgets.findById(twin.budgetId);
  throw new GatewayError(
    'conflict',
    `this key is in use already, on the budget ${budget?.name ?? '?'}, and one key has one budget: move ${key.name} there first ` +
      'with "key set --budget"',
  );
}

/** Whoever has the key that was replaced, and goes on with it. */
async function left(reach: Reach, replaced: MasonKey): Promise<string[]> {
  const others = await sharingOf(
    reach,
    ({ id, fingerprint }) => fingerprint === replaced.fingerprint && id !== replaced.id,
  );
  const described = describeSharing(others);
  return described === undefined
    ? []
    : [`the key that was replaced is still in use by ${described}: rotate it there too`];
}
