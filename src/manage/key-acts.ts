import { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import type { ProbedKey } from '../domain/probed-key.ts';
import type { Scope } from '../domain/scope.ts';
import { lastFour, type Vault } from '../vault/open-vault.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';
import { ensureOwnBudget } from './budget-sharing.ts';
import { burst, masonKey, rateLimit, scopeList, slug, spreadMs } from './fields.ts';
import { budgetForKnownKey, budgetForNewKey, ensureSpreadFits, prepareBudget } from './key-budget.ts';
import { type KeyView, keyView, type NotedKey, notedKey, type UnlimitedBudgets } from './key-view.ts';
import { ensureStillThere, keyNamed, teamNamed, teamsNamed } from './look-up.ts';
import { newId } from './new-id.ts';
import type { Probe } from './probe.ts';

export interface KeyActs {
  /**
   * `{team, name, key, scopes, limit?, burst?, spreadMs?, budget?}`. A key that another team has too joins its budget; `budget`
   * joins the one of that name, or makes it.
   */
  'key.add': Act<NotedKey>;
  /** `{team?}` */
  'key.list': Act<{ data: readonly KeyView[] }>;
  /** `{team, name, scopes?, limit?, burst?, spreadMs?, budget?}`: all but the scopes is the budget's, and so for all keys on it. */
  'key.set': Act<NotedKey>;
  /** `{team, name}`: one harmless call with it, in its turn. */
  'key.test': Act<ProbedKey>;
  /** `{team, name}`: with the last key of a budget, the budget goes. */
  'key.remove': Act<{ removed: string }>;
}

export interface KeyActDeps extends ActDeps, UnlimitedBudgets {
  readonly vault: Vault;
  readonly scopes: { known(scope: Scope): boolean };
  readonly masonOrigin: string;
  readonly probe: Probe;
}

const named = z.strictObject({ team: slug, name: slug });

export function keyActs(deps: KeyActDeps): KeyActs {
  const { store, vault, clock, masonOrigin } = deps;
  const scopes = scopeList(deps.scopes.known, false);
  const onBudget = {
    limit: rateLimit.optional(),
    burst: burst.optional(),
    spreadMs: spreadMs.optional(),
    budget: slug.optional(),
  };

  return {
    'key.add': changing(
      deps,
      { name: 'key.add', need: 'team', input: named.extend({ key: masonKey, scopes, ...onBudget }) },
      async (input, { reach }) => {
        const team = await teamNamed(reach, input.team);
        const fingerprint = vault.fingerprint(input.key);
        const own = (await store.keys.listByTeam(team.id)).find(
          (key) => key.name === input.name || key.fingerprint === fingerprint,
        );
        if (own !== undefined) throw alreadyThere(team.slug, own, fingerprint);
        const twin = await store.keys.findByFingerprint(fingerprint);
        if (twin !== undefined && !reach.includes(twin.teamId)) throw usedElsewhere();
        const nowEpochMs = clock.epochMs();
        const choice = await budgetForNewKey(store, `${team.slug}-${input.name}`, twin, input, nowEpochMs, (budget) =>
          ensureOwnBudget(reach, budget),
        );
        ensureSpreadFits(choice.budget, input);
        const id = newId('key');
        const key: MasonKey = {
          id,
          teamId: team.id,
          name: input.name,
          origin: masonOrigin,
          scopes: input.scopes,
          budgetId: choice.budget.id,
          fingerprint,
          last4: lastFour(input.key),
          sealed: vault.seal({ teamId: team.id, keyId: id, origin: masonOrigin }, input.key, team.sealedDataKey),
          previous: undefined,
          createdAt: nowEpochMs,
          lastUsedAt: undefined,
        };
        return {
          team,
          details: { keyId: id, fingerprint, budget: choice.budget.name },
          async carryOut() {
            await prepareBudget(store, choice);
            try {
              await store.keys.add(key);
            } catch (error) {
              if (choice.isNew) await store.budgets.removeUnused(choice.budget.id);
              throw error;
            }
            return await notedKey(reach, key, team.slug, deps);
          },
        };
      },
    ),

    'key.list': looking(
      deps,
      { name: 'key.list', need: 'team', input: z.strictObject({ team: slug.optional() }) },
      async (input, { reach }) => {
        const budgets = new Map((await store.budgets.list()).map((budget) => [budget.id, budget]));
        const data: KeyView[] = [];
        for (const team of await teamsNamed(reach, input.team)) {
          for (const key of await store.keys.listByTeam(team.id)) {
            data.push(keyView(key, team.slug, budgets.get(key.budgetId)));
          }
        }
        return { answer: { data } };
      },
    ),

    'key.set': changing(
      deps,
      {
        name: 'key.set',
        need: 'team',
        input: named
          .extend({ scopes: scopes.optional(), ...onBudget })
          .refine(
            ({ scopes, limit, burst, spreadMs, budget }) =>
              [scopes, limit, burst, spreadMs, budget].some((each) => each !== undefined),
            { error: 'at least one of scopes, limit, burst, spreadMs, budget' },
          ),
      },
      async (input, { reach }) => {
        const team = await teamNamed(reach, input.team);
        const key = await keyNamed(reach, team, input.name);
        const choice = await budgetForKnownKey(store, key, input, clock.epochMs());
        if ([input.limit, input.burst, input.spreadMs, input.budget].some((each) => each !== undefined)) {
          const current = await store.budgets.findById(key.budgetId);
          for (const budget of [current, choice.isNew ? undefined : choice.budget]) {
            if (budget !== undefined) await ensureOwnBudget(reach, budget);
          }
          ensureSpreadFits(choice.budget, input);
        }
        return {
          team,
          details: { keyId: key.id, fingerprint: key.fingerprint, budget: choice.budget.name },
          async carryOut() {
            await prepareBudget(store, choice);
            if (choice.budget.id !== key.budgetId) {
              ensureStillThere(await store.keys.setBudget(key.id, choice.budget.id), `the key ${key.name}`);
              await store.budgets.removeUnused(key.budgetId);
            }
            if (input.scopes !== undefined) {
              ensureStillThere(await store.keys.setScopes(key.id, input.scopes), `the key ${key.name}`);
            }
            return await notedKey(reach, await keyNamed(reach, team, key.name), team.slug, deps);
          },
        };
      },
    ),

    'key.test': looking(deps, { name: 'key.test', need: 'team', input: named }, async (input, { reach }) => {
      const team = await teamNamed(reach, input.team);
      const key = await keyNamed(reach, team, input.name);
      ensureOfThisMason(key, masonOrigin);
      const binding = { teamId: team.id, keyId: key.id, origin: key.origin };
      const answer = await deps.probe({
        id: key.id,
        fingerprint: key.fingerprint,
        scopes: key.scopes,
        budgetId: key.budgetId,
        secret: vault.open(binding, key.sealed, team.sealedDataKey),
      });
      const status = answer.status === undefined ? {} : { masonStatus: answer.status };
      return { team, details: { fingerprint: key.fingerprint, verdict: answer.verdict, ...status }, answer };
    }),

    'key.remove': changing(deps, { name: 'key.remove', need: 'team', input: named }, async (input, { reach }) => {
      const team = await teamNamed(reach, input.team);
      const key = await keyNamed(reach, team, input.name);
      return {
        team,
        details: { keyId: key.id, fingerprint: key.fingerprint },
        async carryOut() {
          ensureStillThere(await store.keys.remove(key.id), `the key ${key.name}`);
          await store.budgets.removeUnused(key.budgetId);
          return { removed: key.name };
        },
      };
    }),
  };
}

/** Somebody who manages some teams only tried a key that another team has. */
export function usedElsewhere(): GatewayError {
  return new GatewayError(
    'conflict',
    'this key is in use by another team already, and Mason counts both as one: only an operator gives it to a second team',
  );
}

/** @throws GatewayError `conflict`: a key is never sent to another Mason than its own */
export function ensureOfThisMason(key: MasonKey, masonOrigin: string): void {
  if (key.origin === masonOrigin) return;
  throw new GatewayError(
    'conflict',
    `the key ${key.name} belongs to ${key.origin}, and this gateway speaks with ${masonOrigin}: it is not sent there`,
  );
}

function alreadyThere(team: string, own: MasonKey, fingerprint: string): GatewayError {
  return new GatewayError(
    'conflict',
    own.fingerprint === fingerprint
      ? `the team ${team} has this very key already, under the name ${own.name}`
      : `the team ${team} has a key ${own.name} already`,
  );
}
