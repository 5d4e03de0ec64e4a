import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KeptSigningKey } from '../../src/domain/checkpoint.ts';
import { NAMES_MAX } from '../../src/domain/names.ts';
import { POSITION_CHARACTERS_MAX } from '../../src/domain/positions.ts';
import type { StorePair } from './store-contract.ts';

/** What every store promises of what is kept beside the record: runs, signing keys, positions, names. */
export function recordKeepingContract(name: string, open: () => Promise<StorePair>): void {
  describe(`${name} keeps the contract of what stands beside the record`, () => {
    let pair: StorePair;

    /** The handles in turn: what is done ten times at once comes from both gateways. */
    const tenTimes = <T>(act: (store: StorePair['store'], n: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: 10 }, (_, n) => act(n % 2 === 0 ? pair.store : pair.other, n)));

    beforeEach(async () => {
      pair = await open();
    });

    afterEach(async () => {
      await pair.close();
    });

    test('a run begins with its first beat, lives with each, and ends once', async () => {
      await pair.store.runs.beat(RUN, 1_000);
      await pair.store.runs.beat(RUN, 3_000);
      await pair.store.runs.beat(RUN, 2_000);
      await pair.store.runs.beat({ chain: 'two/1', gatewayId: 'two' }, 500);
      const live = { ...RUN, startedAt: 1_000, seenAt: 3_000, endedAt: undefined, closedAt: undefined };
      expect(await pair.other.runs.list()).toEqual([expect.objectContaining({ chain: 'two/1' }), live]);
      await pair.store.runs.end(RUN.chain, 4_000);
      await pair.store.runs.end(RUN.chain, 5_000);
      expect((await pair.other.runs.list())[1]).toEqual({ ...live, endedAt: 4_000 });
    });

    test('a dead run is taken by one of ten; a live, an ended, a closed and an unknown one by nobody', async () => {
      await pair.store.runs.beat(RUN, 1_000);
      const times = { seenBefore: 2_000, takenAfter: 0, at: 10_000 };
      const taken = await tenTimes(({ runs }, n) => runs.take(RUN.chain, `heir/${n}`, times));
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await pair.store.runs.take('nobody/1', 'heir/1', times)).toBe(false);
      await pair.store.runs.beat({ chain: 'live/1', gatewayId: 'live' }, 2_000);
      expect(await pair.store.runs.take('live/1', 'heir/1', times)).toBe(false);
      await pair.store.runs.beat({ chain: 'ended/1', gatewayId: 'ended' }, 1_000);
      await pair.store.runs.end('ended/1', 1_500);
      expect(await pair.store.runs.take('ended/1', 'heir/1', times)).toBe(false);
      await pair.store.runs.close(RUN.chain, `heir/${taken.indexOf(true)}`, 11_000);
      expect(await pair.store.runs.take(RUN.chain, 'heir/x', { ...times, takenAfter: 20_000 })).toBe(false);
    });

    test('who dies while closing a run is succeeded in turn, and closes nothing any more', async () => {
      await pair.store.runs.beat(RUN, 1_000);
      expect(await pair.store.runs.take(RUN.chain, 'heir/1', { seenBefore: 2_000, takenAfter: 0, at: 10_000 })).toBe(
        true,
      );
      const later = { seenBefore: 2_000, at: 70_000 };
      expect(await pair.other.runs.take(RUN.chain, 'heir/2', { ...later, takenAfter: 9_000 })).toBe(false);
      expect(await pair.store.runs.take(RUN.chain, 'heir/1', { ...later, at: 10_000, takenAfter: 9_000 })).toBe(true);
      expect(await pair.other.runs.take(RUN.chain, 'heir/2', { ...later, takenAfter: 10_000 })).toBe(true);
      await pair.store.runs.close(RUN.chain, 'heir/1', 71_000);
      expect((await pair.store.runs.list())[0]?.closedAt).toBeUndefined();
      await pair.other.runs.close(RUN.chain, 'heir/2', 72_000);
      expect((await pair.store.runs.list())[0]?.closedAt).toBe(72_000);
    });

    test('of ten gateways that make the first signing key at once one does; of ten that replace it, one', async () => {
      const first = await tenTimes(({ signingKeys }, n) => signingKeys.add(key(`first-${n}`)));
      expect(first.filter(Boolean)).toHaveLength(1);
      const winner = `first-${first.indexOf(true)}`;
      const next = await tenTimes(({ signingKeys }, n) => signingKeys.add(key(`next-${n}`, winner)));
      expect(next.filter(Boolean)).toHaveLength(1);
      expect(await pair.other.signingKeys.add(key('late', winner))).toBe(false);
      expect(await pair.other.signingKeys.list()).toEqual([key(winner), key(`next-${next.indexOf(true)}`, winner)]);
    });

    test('keys are listed as they were added, whatever their clocks said, and one is not added twice', async () => {
      expect(await pair.store.signingKeys.list()).toEqual([]);
      await pair.store.signingKeys.add({ ...key('b'), createdAt: 9_000 });
      await pair.other.signingKeys.add({ ...key('a', 'b'), createdAt: 1_000 });
      expect((await pair.store.signingKeys.list()).map(({ id }) => id)).toEqual(['b', 'a']);
      await expect(pair.store.signingKeys.add(key('b', 'a'))).rejects.toMatchObject({ code: 'conflict' });
    });

    test('a position is what was set last, and bounded', async () => {
      expect(await pair.store.positions.get('file')).toBeUndefined();
      await pair.store.positions.set('file', '1');
      await pair.other.positions.set('file', '{"a/1":2}');
      await pair.store.positions.set('webhook', 'x');
      expect(await pair.store.positions.get('file')).toBe('{"a/1":2}');
      await expect(pair.store.positions.set('file', 'x'.repeat(POSITION_CHARACTERS_MAX + 1))).rejects.toThrow(
        RangeError,
      );
    });

    test('a name outlives its person, follows them when they change it, and is gone when it is erased', async () => {
      await pair.store.names.set('per_1', 'Ada');
      await pair.other.names.set('per_1', 'Ada Lovelace');
      await pair.store.names.set('per_2', 'Grace');
      expect(await pair.store.names.get(['per_1', 'per_2', 'per_3'])).toEqual(
        new Map([
          ['per_1', 'Ada Lovelace'],
          ['per_2', 'Grace'],
        ]),
      );
      expect(await pair.store.names.erase('per_1')).toBe(true);
      expect(await pair.store.names.erase('per_1')).toBe(false);
      expect(await pair.other.names.get(['per_1', 'per_2'])).toEqual(new Map([['per_2', 'Grace']]));
      expect(await pair.other.names.get([])).toEqual(new Map());
      const many = Array.from({ length: NAMES_MAX + 1 }, (_, n) => `per_${n}`);
      await expect(pair.store.names.get(many)).rejects.toThrow(RangeError);
    });
  });
}

const RUN = { chain: 'one/01J', gatewayId: 'one' };

function key(id: string, signedBy?: string): KeptSigningKey {
  return {
    id,
    publicKey: `public-${id}`,
    sealed: new Uint8Array([0, 255, 7]),
    createdAt: 1_790_000_000_000,
    ...(signedBy === undefined ? {} : { signedBy: { keyId: signedBy, signature: `signed-${id}` } }),
  };
}
