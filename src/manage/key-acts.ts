import { z } from 'zod';
import type { RateLimit } from '../domain/budget.ts';
import { GatewayError } from '../domain/errors.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import type { Scope } from '../domain/scope.ts';
import { Secret } from '../domain/secret.ts';
import type { Store } from '../store/open-store.ts';
import { lastFour, type Vault } from '../vault/open-vault.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';
import { rateLimit, scopeList, slug, text, wholeNumber } from './fields.ts';
import { budgetForKnownKey, budgetForNewKey, prepareBudget } from './key-budget.ts';
import { budgetNotes, type KeyView, keyView } from './key-view.ts';
import { ensureStillThere, keyNamed, teamNamed, teamsNamed } from './look-up.ts';
import { newId } from './new-id.ts';
import type { Probe, ProbeResult } from './probe.ts';

/** A key with what an operator should hear about it. */
export type NotedKey = KeyView & { readonly notes: readonly string[] };

export interface KeyActs {
  /**
   * `{team, name, key, scopes, limit?, burst?, budget?}`. A key that another team has too joins its budget; `budget` joins the
   * one of that name, or makes it.
   */
  'key.add': Act<NotedKey>;
  /** `{team?}` */
  'key.list': Act<{ data: readonly KeyView[] }>;
  /** `{team, name, scopes?, limit?, burst?, budget?}`: limit and burst are the budget's, and so for all keys on it. */
  'key.set': Act<NotedKey>;
  /** `{team, name}`: one harmless call with it, in its turn. */
  'key.test': Act<ProbeResult>;
  /** `{team, name}`: with the last key of a budget, the budget goes. */
  'key.remove': Act<{ removed: string }>;
}

export interface KeyActDeps extends ActDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly scopes: { known(scope: Scope): boolean };
  readonly masonOrigin: string;
  readonly probe: Probe;
  /** What the lane takes where nobody gave a limit. */
  readonly assumedLimit: RateLimit;
}

// Nobody publishes what Mason's keys look like: only what could not stand in a header is refused (RFC 9110 section 5.5).
const masonKey = text("a Mason API key: one line, as Mason's web app shows it", (value) =>
  /^[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]{0,4094}[\x21-\x7e\x80-\xff])?$/.test(value),
);
const burst = wholeNumber(1, 1_000_000);
const named = z.strictObject({ team: slug, name: slug });

export function keyActs(deps: KeyActDeps): KeyActs {
  const { store, vault, clock, masonOrigin } = deps;
  const scopes = scopeList(deps.scopes.known, false);

  const noted = async (key: MasonKey, team: string): Promise<NotedKey> => {
    const budget = await store.budgets.findById(key.budgetId);
    const [keys, teams] = await Promise.all([store.keys.list(), store.teams.list()]);
    const slugs = new Map(teams.map((each) => [each.id, each.slug]));
    const others = keys
      .filter((other) => other.budgetId === key.budgetId && other.id !== key.id)
      .map((other) => `${slugs.get(other.teamId) ?? '?'}/${other.name}`);
    return { ...keyView(key, team, budget), notes: budget ? budgetNotes(budget, others, deps.assumedLimit) : [] };
  };

  return {
    'key.add': changing(
      deps,
      'key.add',
      named.extend({
        key: masonKey.transform((value) => new Secret(value)),
        scopes,
        limit: rateLimit.optional(),
        burst: burst.optional(),
        budget: slug.optional(),
      }),
      async (input) => {
        const team = await teamNamed(store, input.team);
        const fingerprint = vault.fingerprint(input.key);
        const own = (await store.keys.listByTeam(team.id)).find(
          (key) => key.name === input.name || key.fingerprint === fingerprint,
        );
        if (own !== undefined) throw alreadyThere(team.slug, own, fingerprint);
        const twin = await store.keys.findByFingerprint(fingerprint);
        const nowEpochMs = clock.epochMs();
        const choice = await budgetForNewKey(store, `${team.slug}-${input.name}`, twin, input, nowEpochMs);
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
            return await noted(key, team.slug);
          },
        };
      },
    ),

    'key.list': looking(deps, 'key.list', z.strictObject({ team: slug.optional() }), async (input) => {
      const budgets = new Map((await store.budgets.list()).map((budget) => [budget.id, budget]));
      const data: KeyView[] = [];
      for (const team of await teamsNamed(store, input.team)) {
        for (const key of await store.keys.listByTeam(team.id)) {
          data.push(keyView(key, team.slug, budgets.get(key.budgetId)));
        }
      }
      return { answer: { data } };
    }),

    'key.set': changing(
      deps,
      'key.set',
      named
        .extend({
          scopes: scopes.optional(),
          limit: rateLimit.optional(),
          burst: burst.optional(),
          budget: slug.optional(),
        })
        .refine(
          ({ scopes, limit, burst, budget }) => [scopes, limit, burst, budget].some((each) => each !== undefined),
          {
            error: 'at least one of scopes, limit, burst, budget',
          },
        ),
      async (input) => {
        const team = await teamNamed(store, input.team);
        const key = await keyNamed(store, team, input.name);
        const choice = await budgetForKnownKey(store, key, input, clock.epochMs());
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
            return await noted(await keyNamed(store, team, key.name), team.slug);
          },
        };
      },
    ),

    'key.test': looking(deps, 'key.test', named, async (input) => {
      const team = await teamNamed(store, input.team);
      const key = await keyNamed(store, team, input.name);
      if (key.origin !== masonOrigin) {
        throw new GatewayError(
          'conflict',
          `the key ${key.name} belongs to ${key.origin}, and this gateway speaks with ${masonOrigin}: it is not sent there`,
        );
      }
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

    'key.remove': changing(deps, 'key.remove', named, async (input) => {
      const team = await teamNamed(store, input.team);
      const key = await keyNamed(store, team, input.name);
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

function alreadyThere(team: string, own: MasonKey, fingerprint: string): GatewayError {
  return new GatewayError(
    'conflict',
    own.fingerprint === fingerprint
      ? `the team ${team} has this very key already, under the name ${own.name}`
      : `the team ${team} has a key ${own.name} already`,
  );
}
