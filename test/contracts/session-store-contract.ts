import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SessionStore, StoredSession, Ticket } from '../../src/domain/session.ts';

/** Two handles on one fresh store of sessions, as two gateways have; `close` throws everything away. */
export interface SessionStorePair {
  readonly store: SessionStore;
  readonly other: SessionStore;
  /** Every value that is kept of sessions and tickets, as a thief of the data sees it. */
  held(): Promise<readonly unknown[]>;
  /** Takes away from `store` what it keeps things in. */
  cutOff(): Promise<void>;
  close(): Promise<void>;
}

/** What every store of sessions promises, whatever stands behind it. */
export function sessionStoreContract(name: string, open: () => Promise<SessionStorePair>): void {
  describe(`${name} keeps the contract of the session store`, () => {
    let pair: SessionStorePair;
    let store: SessionStore;

    /** The handles in turn: what is done twenty times at once comes from both gateways. */
    const handle = (n: number): SessionStore => (n % 2 === 0 ? store : pair.other);
    const times = <T>(count: number, act: (n: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: count }, (_, n) => act(n)));

    beforeEach(async () => {
      pair = await open();
      store = pair.store;
    });

    afterEach(async () => {
      await pair.close();
    });

    test('gives back exactly what was put in, to the other gateway too', async () => {
      const local = session('b', { providerDigest: undefined, lastSeenAt: 999 });
      await store.add(session('a'));
      await pair.other.add(local);
      for (const seen of [store, pair.other]) {
        expect(await seen.find('digest-a')).toEqual(session('a'));
        expect(await seen.find('digest-b')).toEqual(local);
        expect(await seen.list(10)).toEqual([session('a'), local]);
      }
    });

    test('what is not there is nothing, never an error, and does not come to be', async () => {
      expect(await store.find('digest-a')).toBeUndefined();
      await store.touch(new Map([['digest-a', 5]]));
      await store.touch(new Map());
      expect(await store.end({ digest: 'digest-a' })).toEqual([]);
      expect(await store.end({ id: 'ses_a' })).toEqual([]);
      expect(await store.end({ personId: 'per_1' })).toEqual([]);
      expect(await store.end({ providerDigest: 'provider-1' })).toEqual([]);
      expect(await store.takeTicket('nothing', 1)).toBeUndefined();
      expect(await store.sweep(1, 1)).toBe(0);
      expect(await store.listByPerson('per_1')).toEqual([]);
      expect(await store.list(10)).toEqual([]);
    });

    test('a session is not overwritten by another of its digest or its id', async () => {
      await store.add(session('a'));
      for (const twin of [session('a', { id: 'ses_other' }), session('b', { id: 'ses_a' })]) {
        await expect(pair.other.add(twin)).rejects.toMatchObject({ name: 'GatewayError', code: 'conflict' });
      }
      expect(await store.list(10)).toEqual([session('a')]);
    });

    test('it does not judge: a session whose time is over is found until somebody ends it or sweeps', async () => {
      const over = session('a', { endsAt: 1, lastSeenAt: 1 });
      await store.add(over);
      expect(await store.find('digest-a')).toEqual(over);
    });

    test('of uses that gateways report in any order, the newest stays', async () => {
      await store.add(session('a', { lastSeenAt: 1_000 }));
      await store.touch(new Map([['digest-a', 3_000]]));
      await pair.other.touch(
        new Map([
          ['digest-a', 2_000],
          ['digest-gone', 9_000],
        ]),
      );
      expect(await store.find('digest-a')).toEqual(session('a', { lastSeenAt: 3_000 }));
    });

    test('a page goes on asking while its user signs out: nothing that it had in flight brings the session back', async () => {
      for (let round = 0; round < 5; round++) {
        await store.add(session('a'));
        await times(21, async (n) => {
          if (n === 10) await handle(round).end({ digest: 'digest-a' });
          else await handle(n).touch(new Map([['digest-a', 2_000 + n]]));
        });
        expect(await store.find('digest-a')).toBeUndefined();
        await times(4, (n) => handle(n).touch(new Map([['digest-a', 9_000 + n]])));
        expect(await pair.other.find('digest-a')).toBeUndefined();
        expect(await pair.other.list(10)).toEqual([]);
      }
    });

    test('of ten who end it at once, all are answered, and one is told that it did', async () => {
      await store.add(session('a'));
      const which = [{ digest: 'digest-a' }, { id: 'ses_a' }, { personId: 'per_1' }, { providerDigest: 'provider-1' }];
      const ended = await times(10, (n) => handle(n).end(which[n % which.length] ?? { id: 'ses_a' }));
      expect(ended.flat()).toEqual(['digest-a']);
    });

    test('a session that is swept while others touch it stays away', async () => {
      await store.add(session('a', { endsAt: 500 }));
      await times(11, async (n) => {
        if (n === 5) await handle(n).sweep(1_000, 0);
        else await handle(n).touch(new Map([['digest-a', 2_000 + n]]));
      });
      expect(await store.find('digest-a')).toBeUndefined();
    });

    test('ends by digest, public id, person or identity provider, says which, and leaves all others alone', async () => {
      const all = [
        session('a'),
        session('b'),
        session('c', { personId: 'per_2' }),
        session('d', { personId: 'per_2', providerDigest: 'provider-2' }),
        session('e', { personId: 'per_3', providerDigest: undefined }),
      ];
      for (const each of all) await store.add(each);
      expect(await store.end({ id: 'ses_a' })).toEqual(['digest-a']);
      expect((await store.end({ providerDigest: 'provider-1' })).sort()).toEqual(['digest-b', 'digest-c']);
      await store.add(session('f'));
      await store.add(session('g'));
      expect((await pair.other.end({ personId: 'per_1' })).sort()).toEqual(['digest-f', 'digest-g']);
      expect(await store.end({ digest: 'digest-d' })).toEqual(['digest-d']);
      expect(await store.list(10)).toEqual([all[4]]);
    });

    test('the list is bounded, the newest use first; a person’s is that person’s only', async () => {
      for (const [n, letter] of [...'abcde'].entries()) {
        await store.add(session(letter, { lastSeenAt: 1_000 + n, personId: n % 2 === 0 ? 'per_even' : 'per_odd' }));
      }
      await store.touch(new Map([['digest-b', 5_000]]));
      expect((await store.list(3)).map(({ id }) => id)).toEqual(['ses_b', 'ses_e', 'ses_d']);
      expect((await pair.other.listByPerson('per_odd')).map(({ id }) => id)).toEqual(['ses_b', 'ses_d']);
      expect(await store.list(0)).toEqual([]);
    });

    test('forgets what ended, and what was not seen for long, and nothing else', async () => {
      await store.add(session('ended', { endsAt: 4_999, lastSeenAt: 4_998 }));
      await store.add(session('idle', { endsAt: 9_000, lastSeenAt: 2_999 }));
      await store.add(session('both', { endsAt: 1, lastSeenAt: 1 }));
      await store.add(session('alive', { endsAt: 5_001, lastSeenAt: 3_000 }));
      expect(await store.sweep(5_000, 3_000)).toBe(3);
      expect((await pair.other.list(10)).map(({ id }) => id)).toEqual(['ses_alive']);
      expect(await store.sweep(5_000, 3_000)).toBe(0);
    });

    test('people who sign in at the same time all have their session', async () => {
      await times(20, (n) => handle(n).add(session(String(n))));
      expect(await store.list(100)).toHaveLength(20);
    });

    test('a ticket opens once, for the first of twenty who come with it to both gateways', async () => {
      await store.add(session('a'));
      await store.addTicket(ticket('t'));
      const taken = await times(20, (n) => handle(n).takeTicket('ticket-t', 1_000));
      expect(taken.filter((each) => each !== undefined)).toEqual([ticket('t')]);
      expect(await store.takeTicket('ticket-t', 1_000)).toBeUndefined();
    });

    test('a ticket whose time is over opens nothing, not even for a clock that is behind', async () => {
      await store.add(session('a'));
      await store.addTicket(ticket('t', { endsAt: 2_000 }));
      expect(await store.takeTicket('ticket-t', 2_000)).toBeUndefined();
      expect(await pair.other.takeTicket('ticket-t', 1_000)).toBeUndefined();
    });

    test('a ticket goes with its session, and is none when the session had ended before it came', async () => {
      await store.add(session('a'));
      await store.add(session('b'));
      await store.addTicket(ticket('of-a'));
      await store.addTicket(ticket('of-b', { sessionDigest: 'digest-b' }));
      await pair.other.end({ digest: 'digest-a' });
      await store.addTicket(ticket('late'));
      expect(await store.takeTicket('ticket-of-a', 1_000)).toBeUndefined();
      expect(await store.takeTicket('ticket-late', 1_000)).toBeUndefined();
      expect(await store.takeTicket('ticket-of-b', 1_000)).toBeDefined();
    });

    test('sweeping takes tickets that ended, and leaves the others', async () => {
      await store.add(session('a'));
      await store.addTicket(ticket('old', { endsAt: 1_000 }));
      await store.addTicket(ticket('new', { endsAt: 9_000 }));
      await store.sweep(5_000, 0);
      expect(await pair.held()).not.toContain('ticket-old');
      expect(await store.takeTicket('ticket-old', 500)).toBeUndefined();
      expect(await store.takeTicket('ticket-new', 5_000)).toBeDefined();
    });

    test('who steals the data cannot act: it holds digests and sealed bytes, as they were given, and nothing more', async () => {
      const cookie = randomBytes(32).toString('base64url');
      const secret = randomBytes(32).toString('base64url');
      const given = session('a', { digest: digestOf(cookie), sealed: new Uint8Array(randomBytes(64)) });
      const way = ticket('t', { digest: digestOf(secret), sessionDigest: given.digest });
      await store.add(given);
      await store.addTicket(way);
      const expected = [...Object.values(given), ...Object.values(way)].map(comparable);
      const held = (await pair.held()).map(comparable);
      expect(held).toEqual(expect.arrayContaining([given.digest, way.digest]));
      expect(held.filter((value) => !expected.includes(value))).toEqual([]);
      expect(held.filter((value) => value.includes(cookie) || value.includes(secret))).toEqual([]);
      await store.end({ digest: given.digest });
      expect(await pair.held()).toEqual([]);
    });

    test('whatever two gateways do one after the other, both see what one book-keeper would have', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(1)), { maxLength: 30 }), async (script) => {
          await store.sweep(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
          const book = new Map<string, StoredSession>();
          for (const [act, which] of script) {
            const answer = await perform(handle(which), act);
            expect(answer).toEqual(keepBook(book, act));
            const newestFirst = [...book.values()].sort(
              (a, b) => b.lastSeenAt - a.lastSeenAt || (a.id < b.id ? -1 : 1),
            );
            expect(await handle(which + 1).list(100)).toEqual(newestFirst);
          }
        }),
        { numRuns: 25 },
      );
    });

    test('cut off from what it keeps things in, every question is answered with store_unavailable', async () => {
      await store.add(session('a'));
      await pair.cutOff();
      const questions: (() => Promise<unknown>)[] = [
        () => store.add(session('b')),
        () => store.find('digest-a'),
        () => store.touch(new Map([['digest-a', 1]])),
        () => store.listByPerson('per_1'),
        () => store.list(1),
        () => store.end({ digest: 'digest-a' }),
        () => store.sweep(1, 1),
        () => store.addTicket(ticket('t')),
        () => store.takeTicket('ticket-t', 1),
      ];
      for (const ask of questions) {
        await expect(ask()).rejects.toMatchObject({ code: 'store_unavailable', retryAfterMs: 1_000 });
      }
      expect(await pair.other.find('digest-a')).toEqual(session('a'));
    });
  });
}

export function session(letter: string, change: Partial<StoredSession> = {}): StoredSession {
  return {
    digest: `digest-${letter}`,
    id: `ses_${letter}`,
    personId: 'per_1',
    providerDigest: 'provider-1',
    endsAt: 1_800_000_000_000,
    lastSeenAt: 1_000,
    sealed: new Uint8Array([0, 255, 1]),
    ...change,
  };
}

function ticket(letter: string, change: Partial<Ticket> = {}): Ticket {
  return {
    digest: `ticket-${letter}`,
    sessionDigest: 'digest-a',
    method: 'GET',
    target: '/v1/default/artifact?name=“ä”',
    endsAt: 30_000,
    ...change,
  };
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function comparable(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}

type Step =
  | { do: 'add'; session: StoredSession }
  | { do: 'touch'; digest: string; at: number }
  | { do: 'end'; which: Parameters<SessionStore['end']>[0] }
  | { do: 'sweep'; now: number; seenBefore: number };

const letter = fc.constantFrom('a', 'b', 'c');
const instant = fc.integer({ min: 1, max: 9 });
const personId = fc.constantFrom('per_1', 'per_2');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('add' as const),
    session: fc
      .tuple(letter, fc.record({ personId, endsAt: instant, lastSeenAt: instant }))
      .map(([name, change]) => session(name, change)),
  }),
  fc.record({ do: fc.constant('touch' as const), digest: letter.map((name) => `digest-${name}`), at: instant }),
  fc.record({
    do: fc.constant('end' as const),
    which: fc.oneof(
      letter.map((name) => ({ digest: `digest-${name}` })),
      letter.map((name) => ({ id: `ses_${name}` })),
      personId.map((id) => ({ personId: id })),
    ),
  }),
  fc.record({ do: fc.constant('sweep' as const), now: instant, seenBefore: instant }),
);

async function perform(store: SessionStore, act: Step): Promise<unknown> {
  switch (act.do) {
    case 'add':
      return await store.add(act.session).then(
        () => 'added',
        (error: { code: string }) => error.code,
      );
    case 'touch':
      return await store.touch(new Map([[act.digest, act.at]]));
    case 'end':
      return (await store.end(act.which)).sort();
    case 'sweep':
      return await store.sweep(act.now, act.seenBefore);
  }
}

/** What {@link perform} should have answered. */
function keepBook(book: Map<string, StoredSession>, act: Step): unknown {
  switch (act.do) {
    case 'add':
      if (book.has(act.session.digest)) return 'conflict';
      book.set(act.session.digest, act.session);
      return 'added';
    case 'touch': {
      const known = book.get(act.digest);
      if (known !== undefined && known.lastSeenAt < act.at) book.set(act.digest, { ...known, lastSeenAt: act.at });
      return undefined;
    }
    case 'end': {
      const wanted = Object.entries(act.which);
      const ended = [...book.values()].filter((each) =>
        wanted.every(([field, value]) => Reflect.get(each, field) === value),
      );
      for (const { digest } of ended) book.delete(digest);
      return ended.map(({ digest }) => digest).sort();
    }
    case 'sweep': {
      const gone = [...book.values()].filter(
        ({ endsAt, lastSeenAt }) => endsAt < act.now || lastSeenAt < act.seenBefore,
      );
      for (const { digest } of gone) book.delete(digest);
      return gone.length;
    }
  }
}
