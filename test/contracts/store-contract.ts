import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/domain/app.ts';
import type { Budget, BudgetTuning } from '../../src/domain/budget.ts';
import type { MasonKey } from '../../src/domain/mason-key.ts';
import type { Team } from '../../src/domain/team.ts';
import type { Token } from '../../src/domain/token.ts';
import type { Store } from '../../src/store/open-store.ts';

/** Two connections to one fresh store, as two gateways have; `close` throws everything away. */
export interface StorePair {
  readonly store: Store;
  readonly other: Store;
  close(): Promise<void>;
}

/** What every store promises, whatever stands behind it. */
export function storeContract(name: string, open: () => Promise<StorePair>): void {
  describe(`${name} keeps the contract of the store`, () => {
    let pair: StorePair;
    let store: Store;

    beforeEach(async () => {
      pair = await open();
      store = pair.store;
    });

    afterEach(async () => {
      await pair.close();
    });

    test('gives back exactly what was put in, seen by the other gateway too', async () => {
      await fill(store);
      for (const seen of [store, pair.other]) {
        expect(await seen.teams.findBySlug('acme')).toEqual(TEAM);
        expect(await seen.teams.findById(TEAM.id)).toEqual(TEAM);
        expect(await seen.teams.list()).toEqual([TEAM]);
        expect(await seen.apps.findByName(TEAM.id, 'dashboard')).toEqual(APP);
        expect(await seen.apps.findById(APP.id)).toEqual(APP);
        expect(await seen.apps.listByTeam(TEAM.id)).toEqual([APP]);
        expect(await seen.budgets.findByName('acme-main')).toEqual(BUDGET);
        expect(await seen.budgets.findById(BUDGET.id)).toEqual(BUDGET);
        expect(await seen.keys.findByName(TEAM.id, 'main')).toEqual(KEY);
        expect(await seen.keys.findByFingerprint('fp-1')).toEqual(KEY);
        expect(await seen.keys.listByTeam(TEAM.id)).toEqual([KEY]);
        expect(await seen.keys.list()).toEqual([KEY]);
        expect(await seen.tokens.findById(TOKEN.id)).toEqual(TOKEN);
        expect(await seen.tokens.listByTeam(TEAM.id)).toEqual([TOKEN]);
      }
    });

    test('what is not there is undefined or false, never an error', async () => {
      expect(await store.teams.findBySlug('nobody')).toBeUndefined();
      expect(await store.teams.findById('nobody')).toBeUndefined();
      expect(await store.teams.setName('nobody', 'Nobody')).toBe(false);
      expect(await store.teams.remove('nobody')).toBe(false);
      expect(await store.apps.findById('nothing')).toBeUndefined();
      expect(await store.apps.setWeight('nothing', 2)).toBe(false);
      expect(await store.apps.remove('nothing')).toBe(false);
      expect(await store.budgets.findById('nothing')).toBeUndefined();
      expect(await store.budgets.tune('nothing', UNTUNED)).toBe(false);
      expect(await store.budgets.removeUnused('nothing')).toBe(false);
      expect(await store.keys.findByFingerprint('nothing')).toBeUndefined();
      expect(await store.keys.setScopes('nothing', [])).toBe(false);
      expect(await store.keys.setBudget('nothing', 'nothing')).toBe(false);
      expect(await store.keys.rotate('nothing', FRESH, 1)).toBe(false);
      expect(await store.keys.forgetPrevious('nothing')).toBe(false);
      expect(await store.keys.remove('nothing')).toBe(false);
      expect(await store.tokens.findGrant('nothing')).toBeUndefined();
      expect(await store.tokens.revoke('nothing', 1)).toBe(false);
      expect(await store.tokens.rotate('nothing', { digest: 'd', graceUntil: undefined, expiresAt: 1 })).toBe(false);
      expect(await store.revision()).toBe(0);
    });

    test('a second thing of the same name is a conflict that names it, and leaves the first alone', async () => {
      await fill(store);
      const revision = await store.revision();
      await expect(store.teams.add({ ...TEAM, id: 'team_2', name: 'Other' })).rejects.toMatchObject({
        name: 'GatewayError',
        code: 'conflict',
        message: 'there is a team acme already',
      });
      await expect(store.apps.add({ ...APP, id: 'app_2' })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('dashboard'),
      });
      await expect(store.budgets.add({ ...BUDGET, id: 'budget_2' })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('acme-main'),
      });
      await expect(store.keys.add({ ...KEY, id: 'key_2', fingerprint: 'fp-2' })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('main'),
      });
      expect(await store.teams.list()).toEqual([TEAM]);
      expect(await store.revision()).toBe(revision);
    });

    test('a team changes its name, and nothing else of it changes', async () => {
      await fill(store);
      expect(await store.teams.setName(TEAM.id, 'Acme Holding')).toBe(true);
      expect(await pair.other.teams.list()).toEqual([{ ...TEAM, name: 'Acme Holding' }]);
    });

    test('lists are sorted by bytes, whatever language the database speaks', async () => {
      await store.teams.add(TEAM);
      const names = ['b', 'B', 'a', '_', 'ä', 'A-2', 'A10', 'é'];
      for (const name of names) await store.apps.add({ ...APP, id: `app_${name}`, name });
      const listed = (await pair.other.apps.listByTeam(TEAM.id)).map(({ name }) => name);
      expect(listed).toEqual(names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))));
    });

    test('two teams may use the same names for their apps and keys', async () => {
      await fill(store);
      await store.teams.add({ ...TEAM, id: 'team_2', slug: 'beta' });
      await store.apps.add({ ...APP, id: 'app_2', teamId: 'team_2' });
      await store.keys.add({ ...KEY, id: 'key_2', teamId: 'team_2' });
      expect((await store.apps.findByName('team_2', 'dashboard'))?.id).toBe('app_2');
      expect((await store.apps.findByName(TEAM.id, 'dashboard'))?.id).toBe(APP.id);
    });

    test('nothing is added to a team that was removed meanwhile', async () => {
      await fill(store);
      await pair.other.teams.remove(TEAM.id);
      await expect(store.apps.add({ ...APP, id: 'app_2', name: 'late' })).rejects.toMatchObject({ code: 'not_found' });
    });

    test('a removed team takes its keys, apps and tokens with it: its tokens are nobody at once', async () => {
      await fill(store);
      expect(await store.teams.remove(TEAM.id)).toBe(true);
      expect(await pair.other.tokens.findGrant(TOKEN.digest)).toBeUndefined();
      expect(await store.tokens.findById(TOKEN.id)).toBeUndefined();
      expect(await store.apps.findById(APP.id)).toBeUndefined();
      expect(await store.keys.list()).toEqual([]);
      expect(await store.budgets.list()).toEqual([BUDGET]);
    });

    test('a removed app takes its tokens with it', async () => {
      await fill(store);
      expect(await store.apps.remove(APP.id)).toBe(true);
      expect(await store.tokens.findGrant(TOKEN.digest)).toBeUndefined();
      expect(await store.teams.list()).toEqual([TEAM]);
    });

    test('a budget in use is not removed; unused, it is', async () => {
      await fill(store);
      expect(await store.budgets.removeUnused(BUDGET.id)).toBe(false);
      await store.keys.remove(KEY.id);
      expect(await store.budgets.removeUnused(BUDGET.id)).toBe(true);
      expect(await store.budgets.list()).toEqual([]);
    });

    test('what is learnt of a limit reaches the other gateway, is forgotten for good, and goes with its budget', async () => {
      await fill(store);
      const limits = [store.learnedLimits, pair.other.learnedLimits] as const;
      const learnt = { state: '{"a":1}', generation: 0, writer: 'one', writtenAt: 5 };
      expect(await limits[0].find(BUDGET.id)).toBeUndefined();
      const before = await store.revision();
      expect(await limits[0].keep(BUDGET.id, learnt, false)).toBe(true);
      expect(await store.revision()).toBe(before);
      expect(await limits[1].find(BUDGET.id)).toEqual(learnt);
      expect(await limits[1].keep(BUDGET.id, { ...learnt, writer: 'two' }, true)).toBe(true);
      expect(await store.revision()).toBe(before + 1);
      await limits[0].forget(BUDGET.id, 6);
      expect(await store.revision()).toBe(before + 2);
      expect(await limits[1].keep(BUDGET.id, learnt, true)).toBe(false);
      expect(await limits[1].find(BUDGET.id)).toMatchObject({ state: '', generation: 1 });
      expect(await limits[1].keep(BUDGET.id, { ...learnt, generation: 1 }, false)).toBe(true);
      await store.keys.remove(KEY.id);
      await store.budgets.removeUnused(BUDGET.id);
      expect(await limits[0].find(BUDGET.id)).toBeUndefined();
      expect(await limits[0].keep(BUDGET.id, learnt, true)).toBe(false);
    });

    test('a limit, a burst and a spread are given, changed and forgotten', async () => {
      await fill(store);
      const limit = { calls: 600, windowMs: 60_000 };
      for (const tuning of [{ limit, burst: undefined, spreadMs: 0 }, { ...UNTUNED, burst: 2 }, UNTUNED]) {
        const before = await store.revision();
        expect(await store.budgets.tune(BUDGET.id, tuning)).toBe(true);
        expect(await pair.other.budgets.findById(BUDGET.id)).toEqual({ ...BUDGET, ...tuning });
        // By which every gateway hears of it.
        expect(await pair.other.revision()).toBe(before + 1);
      }
    });

    test('one Mason key never gets two budgets, which would send twice what Mason takes', async () => {
      await fill(store);
      const second: Budget = { ...BUDGET, id: 'budget_2', name: 'second' };
      await store.teams.add({ ...TEAM, id: 'team_2', slug: 'beta' });
      await store.budgets.add(second);
      const twin: MasonKey = { ...KEY, id: 'key_2', teamId: 'team_2' };
      await expect(store.keys.add({ ...twin, budgetId: second.id })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('acme-main'),
      });
      await store.keys.add(twin);
      expect(await store.keys.setBudget(KEY.id, second.id)).toBe(true);
      expect((await store.keys.list()).map((key) => key.budgetId)).toEqual([second.id, second.id]);
    });

    test('a rotated key stands in the place of the old one, which is still there, for the other gateway too', async () => {
      await fill(store);
      expect(await store.keys.rotate(KEY.id, FRESH, 5_000)).toBe(true);
      const first = { fingerprint: KEY.fingerprint, last4: KEY.last4, sealed: KEY.sealed, replacedAt: 5_000 };
      expect(await pair.other.keys.findByName(TEAM.id, 'main')).toEqual({ ...KEY, ...FRESH, previous: first });
      expect((await pair.other.keys.findByFingerprint(FRESH.fingerprint))?.id).toBe(KEY.id);
      expect(await pair.other.keys.findByFingerprint(KEY.fingerprint)).toBeUndefined();
      await pair.other.keys.rotate(KEY.id, { ...FRESH, fingerprint: 'fp-3' }, 6_000);
      expect((await store.keys.findByName(TEAM.id, 'main'))?.previous).toEqual({ ...FRESH, replacedAt: 6_000 });
    });

    test('a previous key is forgotten once, and the one in use stays', async () => {
      await fill(store);
      expect(await store.keys.forgetPrevious(KEY.id)).toBe(false);
      await store.keys.rotate(KEY.id, FRESH, 5_000);
      expect(await pair.other.keys.forgetPrevious(KEY.id)).toBe(true);
      expect(await store.keys.forgetPrevious(KEY.id)).toBe(false);
      expect(await store.keys.list()).toEqual([{ ...KEY, ...FRESH, previous: undefined }]);
    });

    test('two who rotate a key at once leave one in use and the other before it, neither torn', async () => {
      await fill(store);
      const second = { fingerprint: 'fp-3', last4: 'ijkl', sealed: new Uint8Array([9]) };
      await Promise.all([store.keys.rotate(KEY.id, FRESH, 5_000), pair.other.keys.rotate(KEY.id, second, 5_000)]);
      const [key] = await store.keys.list();
      const [active, before] = key?.fingerprint === 'fp-3' ? [second, FRESH] : [FRESH, second];
      expect(key).toEqual({ ...KEY, ...active, previous: { ...before, replacedAt: 5_000 } });
    });

    test('a key is not rotated to one that another budget counts: nothing changes', async () => {
      await fill(store);
      await store.teams.add({ ...TEAM, id: 'team_2', slug: 'beta' });
      await store.budgets.add({ ...BUDGET, id: 'budget_2', name: 'second' });
      await store.keys.add({ ...KEY, ...FRESH, id: 'key_2', teamId: 'team_2', budgetId: 'budget_2' });
      const revision = await store.revision();
      await expect(store.keys.rotate(KEY.id, FRESH, 5_000)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('second'),
      });
      expect(await store.keys.findByName(TEAM.id, 'main')).toEqual(KEY);
      expect(await store.revision()).toBe(revision);
    });

    test('a token is found by its digest with its app and team, revoked or not', async () => {
      await fill(store);
      expect(await store.tokens.findGrant(TOKEN.digest)).toEqual({
        token: TOKEN,
        app: { id: APP.id, name: 'dashboard', weight: 2 },
        team: { id: TEAM.id, slug: 'acme' },
      });
      expect(await store.tokens.revoke(TOKEN.id, 5_000)).toBe(true);
      expect((await pair.other.tokens.findGrant(TOKEN.digest))?.token.revokedAt).toBe(5_000);
      expect(await store.tokens.revoke(TOKEN.id, 6_000)).toBe(false);
      expect((await store.tokens.findById(TOKEN.id))?.revokedAt).toBe(5_000);
    });

    test('after a rotation both digests lead to the token; after the next the oldest does not', async () => {
      await fill(store);
      await store.tokens.rotate(TOKEN.id, { digest: 'digest-2', graceUntil: 7_000, expiresAt: 20_000 });
      const rotated: Token = {
        ...TOKEN,
        digest: 'digest-2',
        graceDigest: TOKEN.digest,
        graceUntil: 7_000,
        expiresAt: 20_000,
      };
      expect((await store.tokens.findGrant('digest-2'))?.token).toEqual(rotated);
      expect((await store.tokens.findGrant(TOKEN.digest))?.token).toEqual(rotated);
      await store.tokens.rotate(TOKEN.id, { digest: 'digest-3', graceUntil: undefined, expiresAt: 20_000 });
      expect(await store.tokens.findGrant(TOKEN.digest)).toBeUndefined();
      expect(await store.tokens.findGrant('digest-2')).toBeUndefined();
      expect((await store.tokens.findGrant('digest-3'))?.token.graceDigest).toBeUndefined();
    });

    test('a revoked token is not rotated back to life', async () => {
      await fill(store);
      await store.tokens.revoke(TOKEN.id, 5_000);
      expect(await store.tokens.rotate(TOKEN.id, { digest: 'x', graceUntil: undefined, expiresAt: 9_000 })).toBe(false);
      expect(await store.tokens.findGrant('x')).toBeUndefined();
    });

    test('of uses reported in any order the newest stays, and none of them wakes the other gateways', async () => {
      await fill(store);
      const revision = await store.revision();
      await store.tokens.touch(new Map([[TOKEN.id, 9_000]]));
      await store.tokens.touch(
        new Map([
          [TOKEN.id, 8_000],
          ['gone', 1],
        ]),
      );
      await store.keys.touch(new Map([[KEY.id, 7_000]]));
      await store.keys.touch(new Map());
      expect((await store.tokens.findById(TOKEN.id))?.lastUsedAt).toBe(9_000);
      expect((await store.keys.findByName(TEAM.id, 'main'))?.lastUsedAt).toBe(7_000);
      expect(await store.revision()).toBe(revision);
    });

    test('every change moves the revision, which the other gateway sees; what changes nothing does not', async () => {
      await fill(store);
      const changes: (() => Promise<unknown>)[] = [
        () => store.teams.setName(TEAM.id, 'Acme Holding'),
        () => store.apps.setWeight(APP.id, 3),
        () => store.budgets.tune(BUDGET.id, UNTUNED),
        () => store.keys.setScopes(KEY.id, ['fleet:admin']),
        () => store.tokens.rotate(TOKEN.id, { digest: 'd2', graceUntil: undefined, expiresAt: 9 }),
        () => store.tokens.revoke(TOKEN.id, 1),
        () => store.keys.rotate(KEY.id, FRESH, 1),
        () => store.keys.forgetPrevious(KEY.id),
        () => store.keys.remove(KEY.id),
        () => store.budgets.removeUnused(BUDGET.id),
        () => store.apps.remove(APP.id),
        () => store.teams.remove(TEAM.id),
      ];
      for (const change of changes) {
        const before = await pair.other.revision();
        await change();
        expect(await pair.other.revision()).toBe(before + 1);
        await change();
        // Names, weights, limits, scopes and keys are set again to the same; the rest finds nothing to do.
        expect(await pair.other.revision()).toBeLessThanOrEqual(before + 2);
      }
      const last = await store.revision();
      await store.teams.remove(TEAM.id);
      expect(await store.revision()).toBe(last);
    });

    test('two gateways that write at the same time wait for each other, and lose nothing', async () => {
      await store.teams.add(TEAM);
      const writes = Array.from({ length: 40 }, (_, n) =>
        (n % 2 === 0 ? store : pair.other).apps.add({ ...APP, id: `app_${n}`, name: `app-${n}` }),
      );
      await Promise.all(writes);
      expect(await store.apps.listByTeam(TEAM.id)).toHaveLength(40);
      expect(await store.revision()).toBe(41);
    });

    test('a setting is what the last one set, and of several first ones all see one', async () => {
      expect(await store.settings.get('instance')).toBeUndefined();
      const seen = await Promise.all([
        store.settings.setIfAbsent('instance', 'a'),
        pair.other.settings.setIfAbsent('instance', 'b'),
      ]);
      expect(seen[0]).toBe(seen[1]);
      await pair.other.settings.set('instance', 'c');
      expect(await store.settings.get('instance')).toBe('c');
    });

    test('a closed store says so at once', async () => {
      await store.close();
      await store.close();
      await expect(store.teams.list()).rejects.toMatchObject({ code: 'store_unavailable', retryAfterMs: 1_000 });
      await expect(store.teams.add(TEAM)).rejects.toMatchObject({ code: 'store_unavailable' });
    });
  });
}

async function fill(store: Store): Promise<void> {
  await store.teams.add(TEAM);
  await store.apps.add(APP);
  await store.budgets.add(BUDGET);
  await store.keys.add(KEY);
  await store.tokens.add(TOKEN);
}

const TEAM: Team = {
  id: 'team_1',
  slug: 'acme',
  name: 'Acme Ltd — “Ümläut”',
  createdAt: 1_790_000_000_123,
  sealedDataKey: new Uint8Array([0, 255, 1, 254]),
};

const APP: App = { id: 'app_1', teamId: 'team_1', name: 'dashboard', weight: 2, createdAt: 1_790_000_000_124 };

const BUDGET: Budget = {
  id: 'budget_1',
  name: 'acme-main',
  limit: { calls: 100, windowMs: 1_000 },
  burst: 3,
  spreadMs: 40,
  createdAt: 1_790_000_000_125,
};

const UNTUNED: BudgetTuning = { limit: undefined, burst: undefined, spreadMs: undefined };

const KEY: MasonKey = {
  id: 'key_1',
  teamId: 'team_1',
  name: 'main',
  origin: 'https://api.bymason.com',
  scopes: ['fleet:read', 'fleet:deploy'],
  budgetId: 'budget_1',
  fingerprint: 'fp-1',
  last4: 'abcd',
  sealed: new Uint8Array([1, 0, 2]),
  previous: undefined,
  createdAt: 1_790_000_000_126,
  lastUsedAt: undefined,
};

const FRESH = { fingerprint: 'fp-2', last4: 'efgh', sealed: new Uint8Array([3, 0, 255]) };

const TOKEN: Token = {
  id: 'tok_1',
  appId: 'app_1',
  teamId: 'team_1',
  digest: 'digest-1',
  graceDigest: undefined,
  graceUntil: undefined,
  scopes: ['fleet:read'],
  effectCeiling: 'change',
  addressRanges: ['10.0.0.0/8', '2001:db8::/32'],
  urgencyMin: 2,
  createdAt: 1_790_000_000_127,
  expiresAt: 1_797_776_000_000,
  revokedAt: undefined,
  lastUsedAt: undefined,
};
