import { formatRateLimit } from '../domain/budget.ts';
import type { MasonKey } from '../domain/mason-key.ts';
import type { Store } from '../store/open-store.ts';
import { freeBudgetName } from './key-budget.ts';

export interface KeyModel {
  readonly fingerprint: string;
  /** Sorted, with a space between. */
  readonly scopes: string;
  /** Name of the budget. */
  readonly budget: string;
  /** Mason's origin that it belongs to. */
  readonly origin: string;
}

export interface TeamModel {
  readonly name: string;
  /** Weights by name. */
  readonly apps: Map<string, number>;
  readonly keys: Map<string, KeyModel>;
}

export interface BudgetModel {
  /** `100/1s`, or `auto`. */
  readonly limit: string;
  readonly burst: number | 'auto';
  readonly spreadMs: number | 'measured';
}

/**
 * Teams as they are, or would be after some steps: acts are played on it before any is done, so that an order is found in which
 * each will be allowed. It knows what the acts know of keys and budgets, and no more.
 */
export class World {
  readonly teams = new Map<string, TeamModel>();
  readonly budgets = new Map<string, BudgetModel>();

  /** @throws GatewayError `store_unavailable` */
  static async of(store: Store): Promise<World> {
    const world = new World();
    const [teams, keys, budgets] = await Promise.all([store.teams.list(), store.keys.list(), store.budgets.list()]);
    const budgetNames = new Map(budgets.map(({ id, name }) => [id, name]));
    for (const { name, limit, burst, spreadMs } of budgets) {
      world.budgets.set(name, {
        limit: limit === undefined ? 'auto' : formatRateLimit(limit),
        burst: burst ?? 'auto',
        spreadMs: spreadMs ?? 'measured',
      });
    }
    for (const team of teams) {
      const apps = await store.apps.listByTeam(team.id);
      world.teams.set(team.slug, {
        name: team.name,
        apps: new Map(apps.map(({ name, weight }) => [name, weight])),
        keys: new Map(
          keys
            .filter(({ teamId }) => teamId === team.id)
            .map((key) => [key.name, keyModel(key, budgetNames.get(key.budgetId) ?? '?')]),
        ),
      });
    }
    return world;
  }

  key(team: string, name: string): KeyModel | undefined {
    return this.teams.get(team)?.keys.get(name);
  }

  *keys(): Iterable<{ team: string; name: string; key: KeyModel }> {
    for (const [team, { keys }] of this.teams) for (const [name, key] of keys) yield { team, name, key };
  }

  /** Why this key cannot come under that name, as `key.add` and `key.rotate` would say; undefined when it can. */
  obstacle(team: string, name: string, fingerprint: string, budget: string | undefined): string | undefined {
    for (const each of this.keys()) {
      if (each.key.fingerprint !== fingerprint || (each.team === team && each.name === name)) continue;
      if (each.team === team) return `this very key is there already, under the name ${each.name}`;
      if (budget !== undefined && each.key.budget !== budget) {
        return `this key is in use by ${each.team}/${each.name}, on the budget ${each.key.budget}, and one key has one budget: expected ${each.key.budget}, got ${budget}`;
      }
    }
    return undefined;
  }

  /** The budget that a new key comes to where none is asked for. */
  budgetFor(team: string, name: string, fingerprint: string): string {
    for (const { key } of this.keys()) if (key.fingerprint === fingerprint) return key.budget;
    return freeBudgetName(`${team}-${name}`, this.budgets);
  }

  /**
   * Puts a key in its place and on its budget, and every other with its fingerprint; budgets that are left go.
   *
   * @returns whether the budget was made for it
   */
  setKey(team: string, name: string, key: KeyModel): boolean {
    const isNew = !this.budgets.has(key.budget);
    if (isNew) this.budgets.set(key.budget, { limit: 'auto', burst: 'auto', spreadMs: 'measured' });
    const before = this.key(team, name)?.budget;
    this.teams.get(team)?.keys.set(name, key);
    for (const other of this.keys()) {
      if (other.key.fingerprint !== key.fingerprint) continue;
      this.teams.get(other.team)?.keys.set(other.name, { ...other.key, budget: key.budget });
    }
    this.#dropUnused(before);
    return isNew;
  }

  removeKey(team: string, name: string): void {
    const budget = this.key(team, name)?.budget;
    this.teams.get(team)?.keys.delete(name);
    this.#dropUnused(budget);
  }

  removeTeam(team: string): void {
    for (const name of this.teams.get(team)?.keys.keys() ?? []) this.removeKey(team, name);
    this.teams.delete(team);
  }

  #dropUnused(budget: string | undefined): void {
    if (budget === undefined) return;
    for (const { key } of this.keys()) if (key.budget === budget) return;
    this.budgets.delete(budget);
  }
}

function keyModel({ fingerprint, scopes, origin }: MasonKey, budget: string): KeyModel {
  return { fingerprint, scopes: scopeWords(scopes), budget, origin };
}

export function scopeWords(scopes: readonly string[]): string {
  return scopes.toSorted().join(' ');
}
