import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatewayError } from '../../src/domain/errors.ts';
import { Secret } from '../../src/domain/secret.ts';
import { type Management, OPERATOR, openManagement } from './management.ts';

interface KeyFile {
  readonly key?: string;
  readonly scopes: readonly string[];
  readonly limit?: string;
  readonly burst?: number | 'auto';
  readonly spreadMs?: number | 'measured';
  readonly budget?: string;
}

interface TeamFile {
  readonly name?: string;
  readonly apps?: Readonly<Record<string, { weight?: number }>>;
  readonly keys?: Readonly<Record<string, KeyFile>>;
}

type File = Readonly<Record<string, TeamFile>>;

const scopes = fc.subarray(['fleet:read', 'fleet:admin', 'notify:reboot'], { minLength: 1 });
const apps = fc.dictionary(fc.constantFrom('x', 'y'), fc.record({ weight: fc.integer({ min: 1, max: 3 }) }));
const teamNames = fc.constantFrom('a', 'b', 'c');

/** Files in which all is said and nothing stands against anything else: there is always a way. */
const plainFile: fc.Arbitrary<File> = fc
  .record({
    limit: fc.constantFrom('5/1s', '100/1s', 'unknown'),
    teams: fc.dictionary(
      teamNames,
      fc.record({
        name: fc.constantFrom('Name', 'Other'),
        apps,
        keys: fc.dictionary(
          fc.constantFrom('k', 'l'),
          fc.record({
            version: fc.nat(2),
            scopes,
            shares: fc.boolean(),
            burst: fc.constantFrom(1, 2, 'auto' as const),
            spreadMs: fc.constantFrom(0, 100, 'measured' as const),
          }),
        ),
      }),
    ),
  })
  .map(({ limit, teams }) =>
    mapValues(teams, (team, slug) => ({
      ...team,
      keys: mapValues(team.keys, ({ version, shares, burst, spreadMs, scopes }, name) => ({
        key: `secret-${slug}-${name}-${version}`,
        scopes,
        limit,
        ...(shares ? { budget: 'shared' } : { budget: `${slug}-${name}-own`, burst, spreadMs }),
      })),
    })),
  );

/** Files with few secrets and budgets for many keys, and much unsaid: some ask for what cannot be. */
const wildFile: fc.Arbitrary<File> = fc.dictionary(
  teamNames,
  fc
    .record({
      name: fc.constantFrom('Name', undefined),
      apps: fc.option(apps, { nil: undefined }),
      keys: fc.dictionary(
        fc.constantFrom('k', 'l'),
        fc
          .record({
            key: fc.option(fc.constantFrom('secret-1', 'secret-2', 'secret-3', 'secret-4', 'secret-5'), {
              nil: undefined,
              freq: 8,
            }),
            scopes,
            limit: fc.constantFrom('5/1s', undefined, undefined, undefined, undefined, undefined),
            burst: fc.constantFrom(3, undefined, undefined, undefined, undefined, undefined),
            spreadMs: fc.constantFrom(70, 700, undefined, undefined, undefined, undefined),
            budget: fc.constantFrom('p', 'a-k', undefined, undefined, undefined, undefined),
          })
          .map(present),
      ),
    })
    .map(present),
);

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the fields that are undefined. */
function present<T extends object>(given: T): Present<T> & Pick<T, Extract<keyof T, 'scopes'>> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Present<T> & T;
}

function mapValues<A, B>(from: Readonly<Record<string, A>>, change: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(value, name)]));
}

/** Teams as the lists show them, apart from what changes by itself. */
async function seen(m: Management) {
  const [teams, appList, keys, budgets] = await Promise.all([
    m.acts['team.list'](OPERATOR),
    m.acts['app.list'](OPERATOR),
    m.acts['key.list'](OPERATOR),
    m.acts['budget.list'](OPERATOR),
  ]);
  return { teams: teams.data, apps: appList.data, keys: keys.data, budgets: budgets.data };
}

/** That everything is as the file says, and with prune that there is nothing else. */
async function expectReached(
  m: Management,
  file: File,
  prune: boolean,
  fingerprintOf: (key: string) => string,
): Promise<void> {
  const now = await seen(m);
  if (prune) expect(now.teams.map(({ slug }) => slug).sort()).toEqual(Object.keys(file).sort());
  for (const [slug, team] of Object.entries(file)) {
    const there = now.teams.find((each) => each.slug === slug);
    expect(there).toMatchObject(team.name === undefined ? { slug } : { slug, name: team.name });
    const appsThere = now.apps.filter((app) => app.team === slug);
    if (prune && team.apps !== undefined)
      expect(appsThere.map(({ name }) => name).sort()).toEqual(Object.keys(team.apps).sort());
    for (const [name, app] of Object.entries(team.apps ?? {})) {
      expect(appsThere).toContainEqual(expect.objectContaining({ name, ...app }));
    }
    const keysThere = now.keys.filter((key) => key.team === slug);
    if (prune && team.keys !== undefined)
      expect(keysThere.map(({ name }) => name).sort()).toEqual(Object.keys(team.keys).sort());
    for (const [name, { key, scopes, limit, burst, spreadMs, budget }] of Object.entries(team.keys ?? {})) {
      const keyThere = keysThere.find((each) => each.name === name);
      expect(keyThere?.scopes.toSorted()).toEqual(scopes.toSorted());
      expect(keyThere).toMatchObject({
        ...(key === undefined ? {} : { fingerprint: fingerprintOf(key) }),
        ...(limit === undefined ? {} : { limit: limit === 'unknown' ? null : limit }),
        ...(burst === undefined ? {} : { burst: burst === 'auto' ? null : burst }),
        ...(spreadMs === undefined ? {} : { spreadMs: spreadMs === 'measured' ? null : spreadMs }),
        ...(budget === undefined ? {} : { budget }),
      });
    }
  }
  for (const budget of now.budgets) expect(budget.keys).not.toEqual([]);
  const budgetsByKey = Map.groupBy(now.keys, (key) => key.fingerprint);
  for (const [, same] of budgetsByKey) expect(new Set(same.map((key) => key.budget)).size).toBe(1);
}

/** @returns whether it was possible; when not, that nothing changed was seen to */
async function applied(m: Management, file: File, prune: boolean): Promise<boolean> {
  const before = await m.store.revision();
  try {
    const dry = await m.acts.apply(OPERATOR, { teams: file, prune, dryRun: true });
    expect(await m.store.revision()).toBe(before);
    const { steps } = await m.acts.apply(OPERATOR, { teams: file, prune });
    expect(steps).toEqual(dry.steps);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'invalid_request') throw error;
    expect(await m.store.revision()).toBe(before);
    return false;
  }
  await expectReached(m, file, prune, (key) => m.vault.fingerprint(new Secret(key)));
  expect((await m.acts.apply(OPERATOR, { teams: file, prune })).steps).toEqual([]);
  return true;
}

test('100 sequences of files end in the state of the last one, whatever was before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plainFile, { minLength: 1, maxLength: 3 }), async (files) => {
      const m = await openManagement();
      try {
        for (const file of files) expect(await applied(m, file, true)).toBe(true);
      } finally {
        await m.close();
      }
    }),
    { numRuns: 100 },
  );
}, 120_000);

test('what cannot be is refused before anything is done, and what can be is reached', async () => {
  let [reached, asked] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(wildFile, fc.boolean()), { minLength: 1, maxLength: 5 }), async (files) => {
      const m = await openManagement();
      try {
        for (const [file, prune] of files) {
          asked += 1;
          if (await applied(m, file, prune)) reached += 1;
        }
      } finally {
        await m.close();
      }
    }),
    { numRuns: 100 },
  );
  // Else it would have looked at one kind of file only.
  expect(reached).toBeGreaterThan(asked / 10);
  expect(reached).toBeLessThan(asked);
}, 120_000);
