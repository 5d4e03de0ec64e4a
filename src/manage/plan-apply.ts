import { type BudgetTuning, formatRateLimit, parseRateLimit } from '../domain/budget.ts';
import { GatewayError } from '../domain/errors.ts';
import { type Desired, differences } from './apply-differences.ts';
import type { DesiredKey } from './apply-input.ts';
import type { Difference, PlannedStep } from './apply-step.ts';
import { spreadProblem } from './key-budget.ts';
import type { BudgetModel, World } from './world.ts';

/** Moving one key moves all that are the same, which may take what was done before back: then there is more to do. */
const ROUNDS_MAX = 4;

interface NamedKey {
  readonly team: string;
  readonly name: string;
  /** `teams.acme.keys.main` */
  readonly where: string;
  readonly given: DesiredKey;
}

/**
 * Finds the steps from the world as it is to the one that is asked for, in an order in which each is allowed. None where it is so
 * already.
 *
 * @param world is taken there
 * @throws GatewayError `invalid_request` with every reason why there is no way, each with its place in the file
 */
export function planApply(world: World, desired: Desired): readonly PlannedStep[] {
  const keys = keysOf(desired);
  refuse(keys.flatMap((key) => keyProblems(world, desired, key)));
  refuse(budgetProblems(world, desired, keys));
  const budgetsBefore = new Map(world.budgets);
  const steps: PlannedStep[] = [];
  for (let round = 0; ; round += 1) {
    const found = differences(world, desired);
    if (found.length === 0) break;
    if (round === ROUNDS_MAX)
      refuse(found.map(({ where }) => `${where}: expected what all of the file can have at once`));
    steps.push(...inOrder(world, found));
  }
  return withLimits(world, budgetsBefore, keys, steps);
}

/** Whatever can be done next is, until all is done: a key waits for the one that has its place. */
function inOrder(world: World, found: readonly Difference[]): PlannedStep[] {
  const steps: PlannedStep[] = [];
  const pending = [...found];
  while (pending.length > 0) {
    const next = pending.findIndex(({ obstacle }) => obstacle?.(world) === undefined);
    if (next < 0) refuse(pending.map(({ where, obstacle }) => `${where}: ${obstacle?.(world)}`));
    const step = pending.splice(next, 1)[0]?.play(world);
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

/** Limits belong to budgets, and it is known now which key is on which: those that are made are made with theirs. */
function withLimits(
  world: World,
  before: World['budgets'],
  keys: readonly NamedKey[],
  steps: readonly PlannedStep[],
): readonly PlannedStep[] {
  const wishes = wishesOf(world, keys);
  const makers = new Map(steps.flatMap((step) => (step.makes === undefined ? [] : [[step.makes, step] as const])));
  const changes: PlannedStep[] = [];
  for (const [name, wish] of wishes) {
    const is = before.get(name);
    if (makers.has(name) || is === undefined) continue;
    const said: Wish = Object.fromEntries(
      Object.entries(wish).filter(([field, value]) => value !== is[field as keyof Wish]),
    );
    if (Object.keys(said).length === 0) continue;
    const says = `change the budget ${name}: ${wishWords(said)} (was: ${wishWords(is)})`;
    changes.push({ act: 'budget.set', on: name, says, input: { name, ...said } });
  }
  const made = steps.map((step) => {
    const wish = step.makes !== undefined && makers.get(step.makes) === step ? wishes.get(step.makes) : undefined;
    if (wish === undefined) return step;
    return { ...step, says: `${step.says}, ${wishWords(wish)}`, input: { ...step.input, ...wish } };
  });
  return [...changes, ...made];
}

/** What a file says of a budget. */
type Wish = Partial<BudgetModel>;

function wishesOf(world: World, keys: readonly NamedKey[]): Map<string, Wish> {
  const wishes = new Map<string, Wish>();
  /** Which key says the spread of a budget, or anything of it. */
  const saidAt = new Map<string, string>();
  const problems: string[] = [];
  for (const { team, name, where, given } of keys) {
    const budget = world.key(team, name)?.budget;
    const wish = wishOf(given);
    if (budget === undefined || Object.keys(wish).length === 0) continue;
    const known = wishes.get(budget) ?? {};
    for (const field of Object.keys(wish) as (keyof Wish)[]) {
      if (known[field] === undefined || known[field] === wish[field]) continue;
      problems.push(
        `${where}.${field}: expected one ${field} for all keys on the budget ${budget}, got ${wish[field]} beside ${known[field]}`,
      );
    }
    wishes.set(budget, { ...known, ...wish });
    if (wish.spreadMs !== undefined || !saidAt.has(budget)) saidAt.set(budget, where);
  }
  for (const [budget, wish] of wishes) {
    const problem = spreadProblem(tuningOf({ ...world.budgets.get(budget), ...wish }), wish.spreadMs !== undefined);
    if (problem !== undefined) problems.push(`${saidAt.get(budget)}.spreadMs: ${problem}`);
  }
  refuse(problems);
  return wishes;
}

function tuningOf({ limit = 'auto', spreadMs }: Wish): Pick<BudgetTuning, 'limit' | 'spreadMs'> {
  return { limit: parseRateLimit(limit), spreadMs: spreadMs === 'measured' ? undefined : spreadMs };
}

function wishOf({ limit, burst, spreadMs }: DesiredKey): Wish {
  return {
    ...(limit === undefined ? {} : { limit: limit === null ? 'auto' : formatRateLimit(limit) }),
    ...(burst === undefined ? {} : { burst: burst ?? 'auto' }),
    ...(spreadMs === undefined ? {} : { spreadMs: spreadMs ?? 'measured' }),
  };
}

function wishWords({ limit, burst, spreadMs }: Wish): string {
  const words = [];
  if (limit !== undefined) words.push(`limit ${limit}`);
  if (burst !== undefined) words.push(`burst ${burst}`);
  if (spreadMs !== undefined) words.push(`spread ${spreadMs === 'measured' ? spreadMs : `${spreadMs} ms`}`);
  return words.join(', ');
}

function keysOf({ teams }: Desired): NamedKey[] {
  return Object.entries(teams).flatMap(([team, { keys }]) =>
    Object.entries(keys ?? {}).map(([name, given]) => ({ team, name, where: `teams.${team}.keys.${name}`, given })),
  );
}

function keyProblems(world: World, desired: Desired, { team, name, where }: NamedKey): string[] {
  const there = world.key(team, name);
  const fingerprint = desired.fingerprints.get(`${team}/${name}`);
  if (there === undefined) {
    return fingerprint === undefined
      ? [`${where}.key: expected a Mason API key, since there is none yet, got nothing`]
      : [];
  }
  if (fingerprint === undefined || fingerprint === there.fingerprint || there.origin === desired.masonOrigin) return [];
  return [
    `${where}.key: the key there belongs to ${there.origin}, and this gateway speaks with ${desired.masonOrigin}`,
  ];
}

/** Where the same key stands twice, it must be on one budget. */
function budgetProblems(world: World, { fingerprints }: Desired, keys: readonly NamedKey[]): string[] {
  const first = new Map<string, { where: string; budget: string }>();
  return keys.flatMap(({ team, name, where, given: { budget } }) => {
    const fingerprint = fingerprints.get(`${team}/${name}`) ?? world.key(team, name)?.fingerprint;
    if (fingerprint === undefined || budget === undefined) return [];
    const twin = first.get(fingerprint);
    if (twin === undefined) first.set(fingerprint, { where, budget });
    if (twin === undefined || twin.budget === budget) return [];
    return [`${where}.budget: expected ${twin.budget}, since it is the same key as ${twin.where}, got ${budget}`];
  });
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new GatewayError('invalid_request', problems.join('; '));
}
