import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RoleGrant, SignInLink } from '../../src/domain/person.ts';
import type { Store } from '../../src/store/open-store.ts';
import { session } from './session-store-contract.ts';
import type { StorePair } from './store-contract.ts';

/** What every store promises about people and the links that sign them in. */
export function peopleContract(name: string, open: () => Promise<StorePair>): void {
  describe(`${name} keeps the contract of people`, () => {
    let pair: StorePair;
    let store: Store;

    const handle = (n: number): Store => (n % 2 === 0 ? store : pair.other);
    const times = <T>(count: number, act: (n: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: count }, (_, n) => act(n)));

    beforeEach(async () => {
      pair = await open();
      store = pair.store;
    });

    afterEach(async () => {
      await pair.close();
    });

    test('who signs in for the first time is there, as given, for the other gateway too', async () => {
      const person = await store.people.signIn(ADA);
      expect(person).toEqual({
        id: 'per_1',
        issuer: ADA.issuer,
        subject: ADA.subject,
        name: ADA.name,
        grants: GRANTS,
        pinned: false,
        disabledAt: undefined,
        createdAt: 1_000,
        lastSignInAt: 1_000,
      });
      expect(await pair.other.people.findById('per_1')).toEqual(person);
      expect(await pair.other.people.list()).toEqual([person]);
    });

    test('who comes again is the same person, with the name, roles and time of today', async () => {
      await store.people.signIn(ADA);
      const again = await pair.other.people.signIn({
        ...ADA,
        id: 'per_2',
        name: 'Ada L.',
        grants: [VIEWER],
        at: 2_000,
      });
      expect(again).toMatchObject({
        id: 'per_1',
        name: 'Ada L.',
        grants: [VIEWER],
        createdAt: 1_000,
        lastSignInAt: 2_000,
      });
      expect(await store.people.list()).toEqual([again]);
    });

    test('another identity provider’s subject of the same name is somebody else', async () => {
      await store.people.signIn(ADA);
      await store.people.signIn({ ...ADA, id: 'per_2', issuer: 'https://other.example', name: 'Aaron' });
      expect((await store.people.list()).map(({ id }) => id)).toEqual(['per_2', 'per_1']);
    });

    test('of ten first sign-ins of one person at once, one makes the person, and all get it', async () => {
      const people = await times(10, (n) => handle(n).people.signIn({ ...ADA, id: `per_${n}`, at: 1_000 + n }));
      expect(new Set(people.map(({ id }) => id)).size).toBe(1);
      expect((await store.people.list()).map(({ lastSignInAt }) => lastSignInAt)).toEqual([1_009]);
    });

    test('roles set by hand stay through sign-ins, until they are left to them again', async () => {
      await store.people.signIn(ADA);
      expect(await store.people.setGrants('per_1', [VIEWER], true)).toBe(true);
      const pinned = await pair.other.people.signIn({ ...ADA, name: 'Ada again', at: 2_000 });
      expect(pinned).toMatchObject({ name: 'Ada again', grants: [VIEWER], pinned: true });
      await store.people.setGrants('per_1', [VIEWER], false);
      expect((await store.people.signIn({ ...ADA, at: 3_000 })).grants).toEqual(GRANTS);
    });

    test('who is kept out stays out, however often they sign in, until let in again', async () => {
      await store.people.signIn(ADA);
      expect(await store.people.setDisabled('per_1', 1_500)).toBe(true);
      expect((await pair.other.people.signIn({ ...ADA, at: 2_000 })).disabledAt).toBe(1_500);
      expect((await pair.other.people.findById('per_1'))?.disabledAt).toBe(1_500);
      await store.people.setDisabled('per_1', undefined);
      expect((await store.people.findById('per_1'))?.disabledAt).toBeUndefined();
    });

    test('a change of rights reaches every gateway; a sign-in that changes nothing disturbs none', async () => {
      const moved = async (act: () => Promise<unknown>): Promise<number> => {
        const before = await pair.other.revision();
        await act();
        return (await pair.other.revision()) - before;
      };
      expect(await moved(() => store.people.signIn(ADA))).toBe(1);
      expect(await moved(() => store.people.signIn({ ...ADA, at: 2_000 }))).toBe(0);
      expect(await moved(() => store.people.signIn({ ...ADA, at: 3_000, name: 'Countess' }))).toBe(1);
      expect(await moved(() => store.people.signIn({ ...ADA, at: 4_000, name: 'Countess', grants: [] }))).toBe(1);
      expect(await moved(() => store.people.setGrants('per_1', [VIEWER], true))).toBe(1);
      expect(await moved(() => store.people.signIn({ ...ADA, at: 5_000, name: 'Countess' }))).toBe(0);
      expect(await moved(() => store.people.setDisabled('per_1', 6_000))).toBe(1);
      expect(await moved(() => store.people.setDisabled('per_1', undefined))).toBe(1);
      expect(await moved(() => store.people.remove('per_1'))).toBe(1);
      expect(await moved(() => store.people.remove('per_1'))).toBe(0);
    });

    test('nobody of that id: undefined or false, and nobody is disturbed', async () => {
      expect(await store.people.findById('per_1')).toBeUndefined();
      expect(await store.people.setGrants('per_1', [], true)).toBe(false);
      expect(await store.people.setDisabled('per_1', 1)).toBe(false);
      expect(await store.people.remove('per_1')).toBe(false);
      expect(await store.people.list()).toEqual([]);
      expect(await store.revision()).toBe(0);
    });

    test('a clock that is behind does not turn the last sign-in back', async () => {
      await store.people.signIn({ ...ADA, at: 5_000 });
      expect((await pair.other.people.signIn({ ...ADA, at: 4_000 })).lastSignInAt).toBe(5_000);
    });

    test('removing a person ends no session by itself: whoever removes them must', async () => {
      await store.people.signIn(ADA);
      await store.sessions.add(session('a'));
      await store.people.remove('per_1');
      expect(await store.sessions.listByPerson('per_1')).toHaveLength(1);
    });

    test('what an id was called outlives the person, until both are erased at once', async () => {
      await store.people.signIn(ADA);
      await pair.other.people.signIn({ ...ADA, name: 'Countess', at: 2_000 });
      await store.people.remove('per_1');
      expect(await pair.other.names.get(['per_1'])).toEqual(new Map([['per_1', 'Countess']]));
      await store.people.signIn(ADA);
      expect(await store.people.erase('per_1')).toBe(true);
      expect([await store.people.list(), (await pair.other.names.get(['per_1'])).size]).toEqual([[], 0]);
      expect(await store.people.erase('per_1')).toBe(false);
    });

    test('sessions and tickets come and go without disturbing other gateways', async () => {
      await store.sessions.add(session('a'));
      await store.sessions.touch(new Map([['digest-a', 9_000]]));
      await store.sessions.end({ digest: 'digest-a' });
      await store.sessions.sweep(1, 1);
      expect(await store.revision()).toBe(0);
    });

    test('a link signs in once: of twenty who follow it at once over two gateways, one gets in', async () => {
      await store.links.add(LINK);
      const taken = await times(20, (n) => handle(n).links.take(LINK.digest, 2_000));
      expect(taken.filter((each) => each !== undefined)).toEqual([LINK]);
      expect(await store.links.take(LINK.digest, 2_000)).toBeUndefined();
      expect(await store.revision()).toBe(0);
    });

    test('a link whose time is over signs nobody in, not even by a clock that is behind', async () => {
      await store.links.add(LINK);
      expect(await store.links.take(LINK.digest, LINK.endsAt)).toBeUndefined();
      expect(await pair.other.links.take(LINK.digest, 2_000)).toBeUndefined();
      expect(await store.links.take('another', 2_000)).toBeUndefined();
    });

    test('links that nobody followed are forgotten with the next one; those that still hold are not', async () => {
      const holding: SignInLink = { ...LINK, id: 'lnk_2', digest: 'link-digest-2', endsAt: 700_000 };
      await store.links.add(LINK);
      await store.links.add(holding);
      await pair.other.links.add({
        ...LINK,
        id: 'lnk_3',
        digest: 'link-digest-3',
        createdAt: LINK.endsAt,
        endsAt: 900_000,
      });
      expect(await store.links.take(LINK.digest, 2_000)).toBeUndefined();
      expect(await store.links.take(holding.digest, 2_000)).toEqual(holding);
    });

    test('two links never share a secret', async () => {
      await store.links.add(LINK);
      await expect(store.links.add({ ...LINK, id: 'lnk_2' })).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.links.take(LINK.digest, 2_000)).toEqual(LINK);
    });
  });
}

const VIEWER: RoleGrant = { role: 'viewer', teamId: 'team_2', scopes: ['fleet:read'] };
const GRANTS: readonly RoleGrant[] = [
  { role: 'lead', teamId: 'team_1', scopes: ['account:owner'] },
  { role: 'auditor', teamId: undefined, scopes: [] },
];

const ADA = {
  id: 'per_1',
  issuer: 'https://id.example',
  subject: 'ada|“1”',
  name: 'Ada “Ümläut” Lovelace',
  grants: GRANTS,
  at: 1_000,
};

const LINK: SignInLink = {
  id: 'lnk_1',
  digest: 'link-digest-1',
  name: 'Ada',
  grants: GRANTS,
  createdAt: 1_000,
  endsAt: 601_000,
};
