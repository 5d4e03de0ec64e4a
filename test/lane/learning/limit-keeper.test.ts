import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LimitKeeper } from '../../../src/lane/learning/limit-keeper.ts';
import { openStore, type Store } from '../../../src/store/open-store.ts';
import { eventually } from '../../support/eventually.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

let directory: string;
let store: Store;
let clock: VirtualClock;
let problems: unknown[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'limits-'));
  store = await openStore({ file: join(directory, 'gateway.db') });
  await store.budgets.add({
    id: 'b',
    name: 'b',
    limit: undefined,
    burst: undefined,
    spreadMs: undefined,
    createdAt: 0,
  });
  clock = new VirtualClock();
  problems = [];
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

function makeKeeper(gatewayId: string): LimitKeeper {
  return new LimitKeeper(store.learnedLimits, clock, {
    gatewayId,
    pauseMsMax: 60_000,
    onProblem: (error) => problems.push(error),
  });
}

/** Three calls that were taken, and one that was refused. */
function learn(keeper: LimitKeeper): void {
  const learner = keeper.learnerOf('b');
  const now = clock.now();
  for (let i = 0; i < 3; i++) learner.sent(now, true);
  learner.sent(now, true);
  learner.heard({ sentAt: now, refused: true, askedMs: 1_000, stated: [] }, now);
  keeper.note('b', true);
}

const limitOf = (keeper: LimitKeeper) => keeper.learnerOf('b').tuning(undefined).limit;

describe('what was learnt of a limit', () => {
  test('outlives the gateway, also one that is killed a few seconds later', async () => {
    const killed = makeKeeper('one');
    await killed.look('b');
    const first = limitOf(killed);
    learn(killed);
    await clock.advance(6_000);
    const kept = await eventually('what was learnt in the store', () => store.learnedLimits.find('b'));
    expect(kept.writer).toBe('one');
    const next = makeKeeper('one');
    await next.look('b');
    expect(limitOf(next)).toEqual(limitOf(killed));
    expect(limitOf(next)).not.toEqual(first);
  });

  test('is written at the end, and seldom before: a busy budget costs the store next to nothing', async () => {
    const keeper = makeKeeper('one');
    await keeper.look('b');
    learn(keeper);
    await keeper[Symbol.asyncDispose]();
    expect(await store.learnedLimits.find('b')).toBeDefined();
    let writes = 0;
    const counted = new LimitKeeper(
      {
        find: async () => undefined,
        forget: async () => {},
        keep: async () => {
          writes++;
          return true;
        },
      },
      clock,
      { gatewayId: 'two', pauseMsMax: 60_000, onProblem: () => {} },
    );
    for (let second = 0; second < 120; second++) {
      counted.learnerOf('b').sent(clock.now(), false);
      counted.note('b', false);
      await clock.advance(1_000);
    }
    expect(writes).toBeGreaterThan(1);
    expect(writes).toBeLessThan(6);
  });

  test('reaches the others: a refusal moves the revision, mere counting does not', async () => {
    const [one, two] = [makeKeeper('one'), makeKeeper('two')];
    await one.look('b');
    await two.look('b');
    const before = await store.revision();
    learn(one);
    await one[Symbol.asyncDispose]();
    expect(await store.revision()).toBe(before + 1);
    expect(await two.look('b')).toBe(true);
    expect(limitOf(two)).toEqual(limitOf(one));
    expect(await two.look('b')).toBe(false);
    one.note('b', false);
    await one[Symbol.asyncDispose]();
    expect(await store.revision()).toBe(before + 1);
  });

  test('once forgotten does not come back with what a gateway writes that has not heard of it', async () => {
    const keeper = makeKeeper('one');
    await keeper.look('b');
    const first = limitOf(keeper);
    learn(keeper);
    await store.learnedLimits.forget('b', clock.epochMs());
    await keeper[Symbol.asyncDispose]();
    expect(await store.learnedLimits.find('b')).toMatchObject({ state: '', generation: 1 });
    expect(await keeper.look('b')).toBe(true);
    expect(limitOf(keeper)).toEqual(first);
    learn(keeper);
    await keeper[Symbol.asyncDispose]();
    expect(await store.learnedLimits.find('b')).toMatchObject({ writer: 'one', generation: 1 });
  });

  test('goes with its budget, and is nobody’s error then', async () => {
    const keeper = makeKeeper('one');
    await keeper.look('b');
    learn(keeper);
    await keeper[Symbol.asyncDispose]();
    await store.budgets.removeUnused('b');
    expect(await store.learnedLimits.find('b')).toBeUndefined();
    learn(keeper);
    await keeper[Symbol.asyncDispose]();
    expect(problems).toEqual([]);
    await expect(store.learnedLimits.forget('b', 0)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('that is too long is refused: nothing unbounded goes into the store', async () => {
    const learning = { state: 'x'.repeat(32_769), generation: 0, writer: 'one', writtenAt: 0 };
    await expect(store.learnedLimits.keep('b', learning, false)).rejects.toThrow(RangeError);
  });

  test('is learnt on while the store does not answer', async () => {
    const keeper = makeKeeper('one');
    await keeper.look('b');
    await store.close();
    learn(keeper);
    await keeper[Symbol.asyncDispose]();
    expect(problems).toMatchObject([{ code: 'store_unavailable' }]);
    expect(keeper.learnerOf('b').refusalsSeen).toBe(1);
  });
});
