import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AT_ONCE, type Reply, WaitingCalls } from './waiting-calls.ts';

const ANSWERS_BYTES_MAX = 3_000_000;

const reply: fc.Arbitrary<Reply> = fc.record({
  afterMs: fc.nat({ max: 1_500 }),
  status: fc.oneof(
    { weight: 5, arbitrary: fc.constant(200 as const) },
    { weight: 3, arbitrary: fc.constantFrom(404, 408, 401, 429, 500, 503, 'reset' as const) },
  ),
  moreBytes: fc.oneof(fc.constant(0), fc.nat({ max: 200_000 }), fc.integer({ min: 900_000, max: 1_200_000 })),
  eachPieceMs: fc.constantFrom(0, 0, 5),
  breaksOff: fc.nat({ max: 5 }).map((n) => n === 0),
});

const visit = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.nat({ max: 600 })),
  app: fc.constantFrom('a', 'b'),
  query: fc.constantFrom('?q=1', '?q=1', '?q=2'),
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
  urgency: fc.nat({ max: 7 }),
  waitSeconds: fc.constantFrom(1, 3, 60),
  checkMs: fc.constantFrom(0, 0, 1, 400),
  readsAfterMs: fc.constantFrom(0, 0, 700),
  leavesAfterMs: fc.option(fc.nat({ max: 3_000 }), { freq: 4 }),
  isRevoked: fc.nat({ max: 9 }).map((n) => n === 0),
});

test('Every caller gets exactly one answer, to its own question, and none that Mason was asked for before it came', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(visit, { minLength: 2, maxLength: 25 }),
      fc.array(reply, { maxLength: 20 }),
      async (visits, replies) => {
        const world = new WaitingCalls({ replies, perSecond: 4, answersBytesMax: ANSWERS_BYTES_MAX });
        const visitors = [];
        let heldMost = 0;
        for (const { afterMs, urgency, leavesAfterMs, isRevoked, ...rest } of visits) {
          await world.pass(afterMs);
          const visitor = world.visit({ ...rest, headers: { priority: `u=${urgency}` } });
          visitors.push({ ...visitor, asks: rest });
          if (isRevoked) visitor.revoke();
          if (leavesAfterMs !== null) world.clock.after(leavesAfterMs, visitor.leave);
          heldMost = Math.max(heldMost, world.joins.heldBytes);
        }
        for (let n = 0; n < 240; n++) {
          await world.clock.advance(500);
          heldMost = Math.max(heldMost, world.joins.heldBytes);
        }
        await world.pass(1);

        const askedBy = new Map<string, { number?: number } | undefined>(
          visitors.map(({ call, ends }) => [call.id, ends[0]]),
        );
        for (const { call, ends, cameAfter, asks } of visitors) {
          expect(ends).toHaveLength(1);
          const [end] = ends;
          if (end?.number !== undefined) {
            expect(end.number).toBeGreaterThan(cameAfter);
            expect(world.asked[end.number - 1]).toBe(`${asks.method} /v1/default/device${asks.query}`);
            expect(end.query).toBe(asks.query);
            if (call.joined !== undefined) expect(end.bytes).toBeLessThanOrEqual(1_048_576);
            if (call.joined !== undefined) expect(askedBy.get(call.joined)?.number ?? end.number).toBe(end.number);
          }
        }
        for (const [at, { isRevoked }] of visits.entries()) {
          if (isRevoked) expect(visitors[at]?.ends[0]?.number).toBeUndefined();
        }
        expect(heldMost).toBeLessThanOrEqual(ANSWERS_BYTES_MAX);
        expect(world.joins.heldBytes).toBe(0);
        // No slot is spent but by what was sent, and no retry earned by what was not.
        expect(world.lane.stats()).toMatchObject({ waiting: 0, waitingBytes: 0, sent: world.asked.length });
        expect(world.retries.earned).toBe(visitors.filter(({ call }) => call.attempts.length > 0).length);
      },
    ),
    { numRuns: 200 },
  );
}, 120_000);

describe('the turn that comes beside an answer', () => {
  test('A call that came after the sending is not given its answer, and is sent itself', async () => {
    const world = new WaitingCalls({ replies: [AT_ONCE, { ...AT_ONCE, afterMs: 300 }] });
    const opener = world.visit({ query: '?opener' });
    const first = world.visit();
    const second = world.visit();
    for (let n = 0; world.asked.length < 2 && n < 200; n++) await world.pass(10);
    const late = world.visit();
    await world.pass(5_000);
    expect([opener, first, second, late].map(({ ends }) => ends[0]?.number)).toEqual([1, 2, 2, 3]);
    expect([first, second, late].map(({ call }) => call.joined)).toEqual([undefined, first.call.id, undefined]);
  });

  test('goes to whoever stands behind: the slots of those who were given an answer are not spent', async () => {
    const world = new WaitingCalls();
    world.visit({ query: '?opener' });
    for (let n = 0; n < 20; n++) world.visit({ app: 'many' });
    const behind = world.visit({ query: '?behind', app: 'many', headers: { priority: 'u=7' } });
    await world.pass(2_500);
    expect(behind.ends[0]).toMatchObject({ status: 200 });
    expect(world.asked).toHaveLength(3);
    expect(world.lane.stats()).toMatchObject({ waiting: 0, sent: 3 });
  });

  test('An answer that takes longer than the next turn stops nobody', async () => {
    const world = new WaitingCalls({ replies: [AT_ONCE, { ...AT_ONCE, afterMs: 5_000 }] });
    world.visit({ query: '?opener' });
    const [first, second, third] = [world.visit(), world.visit(), world.visit()];
    await world.pass(4_000);
    expect([first, second, third].map(({ ends }) => ends[0]?.number)).toEqual([undefined, 3, 3]);
    await world.pass(4_000);
    expect(first?.ends[0]?.number).toBe(2);
    expect(world.asked).toHaveLength(3);
  });
});

describe('who is given an answer', () => {
  test('is asked for the right to it again: a token that was revoked meanwhile gets nothing of it', async () => {
    const world = new WaitingCalls();
    world.visit({ query: '?opener' });
    const first = world.visit();
    const second = world.visit();
    second.revoke();
    await world.pass(3_000);
    expect([first.ends, second.ends]).toEqual([
      [expect.objectContaining({ status: 200 })],
      [{ error: 'unauthenticated' }],
    ]);
    expect([second.call.joined, world.joins.heldBytes]).toEqual([undefined, 0]);
  });

  test('is nobody who left while that was asked', async () => {
    const world = new WaitingCalls();
    world.visit({ query: '?opener' });
    const first = world.visit();
    const second = world.visit({ checkMs: 400 });
    for (let n = 0; first.ends.length === 0 && n < 300; n++) await world.pass(10);
    second.leave();
    await world.pass(1_000);
    expect([second.ends, second.call.joined, world.joins.heldBytes]).toEqual([
      [{ error: 'caller_gone' }],
      undefined,
      0,
    ]);
  });

  test('has it without the key that Mason was shown, though that was replaced meanwhile', async () => {
    const world = new WaitingCalls({ replies: [AT_ONCE, { ...AT_ONCE, afterMs: 300 }] });
    world.visit({ query: '?opener' });
    const calls = [world.visit(), world.visit()];
    for (let n = 0; world.asked.length < 2 && n < 200; n++) await world.pass(10);
    world.rotate();
    await world.pass(3_000);
    expect(calls.map(({ ends, call }) => [ends[0]?.number, call.key?.fingerprint])).toEqual([
      [2, 'f-1'],
      [2, 'f-1'],
    ]);
  });

  test('is nobody when Mason failed, and everybody when it said what is wrong with the question', async () => {
    const ends = async (status: number): Promise<unknown[]> => {
      const world = new WaitingCalls({ replies: [AT_ONCE, { ...AT_ONCE, status }] });
      world.visit({ query: '?opener' });
      const calls = [world.visit(), world.visit(), world.visit()];
      await world.pass(10_000);
      return calls.map((call) => call.ends[0]?.error ?? call.ends[0]?.number);
    };
    expect(await ends(404)).toEqual(['404', '404', '404']);
    expect(await ends(400)).toEqual(['400', '400', '400']);
    expect(await ends(500)).toEqual(['500', 3, 3]);
    expect(await ends(408)).toEqual(['408', 3, 3]);
    expect(await ends(401)).toEqual(['mason_rejected_key', 3, 3]);
  });

  test('is everybody who waited, however many, and not all of them in one go', async () => {
    const world = new WaitingCalls({ perSecond: 20 });
    world.visit({ query: '?opener' });
    const calls = Array.from({ length: 500 }, () => world.visit());
    for (let n = 0; world.asked.length < 2 && n < 100; n++) await world.clock.advance(1);
    await world.clock.advance(20);
    const handedFirst = calls.filter(({ call }) => call.joined !== undefined).length;
    await world.pass(0);
    expect(handedFirst).toBeLessThan(499);
    expect(calls.map(({ ends }) => ends[0]?.number)).toEqual(calls.map(() => 2));
    expect([world.asked.length, world.joins.heldBytes]).toEqual([2, 0]);
  });

  test('does not touch the retry budget, nor make an attempt', async () => {
    const world = new WaitingCalls();
    world.visit({ query: '?opener' });
    const calls = [world.visit(), world.visit()];
    await world.pass(3_000);
    expect(calls.map(({ call }) => [call.attempts.length, call.masonMs > 0, call.queueMs > 0])).toEqual([
      [1, true, true],
      [0, false, true],
    ]);
  });
});

describe('memory', () => {
  test('Nothing is held for those who came after the sending', async () => {
    const slow = { ...AT_ONCE, afterMs: 100, moreBytes: 900_000, eachPieceMs: 10 };
    const world = new WaitingCalls({ replies: [AT_ONCE, slow], perSecond: 1 });
    world.visit({ query: '?opener' });
    world.visit();
    const second = world.visit();
    for (let n = 0; world.asked.length < 2 && n < 300; n++) await world.pass(10);
    const late = world.visit();
    second.leave();
    await world.pass(200);
    expect([world.joins.heldBytes, world.lane.stats().waiting]).toEqual([0, 1]);
    await world.pass(5_000);
    expect(late.ends[0]?.number).toBe(3);
  });

  test('Nothing is held of an answer that nobody waits for', async () => {
    const world = new WaitingCalls({ replies: [{ ...AT_ONCE, moreBytes: 900_000, eachPieceMs: 10 }] });
    world.visit();
    await world.pass(100);
    expect(world.joins.heldBytes).toBe(0);
    await world.pass(1_000);
  });

  test('Once those who waited for it have left, no more of it is held', async () => {
    const slow = { ...AT_ONCE, moreBytes: 900_000, eachPieceMs: 10 };
    const world = new WaitingCalls({ replies: [AT_ONCE, slow], perSecond: 1 });
    world.visit({ query: '?opener' });
    const first = world.visit();
    const second = world.visit();
    for (let n = 0; world.joins.heldBytes === 0 && n < 300; n++) await world.pass(10);
    expect(world.joins.heldBytes).toBeGreaterThan(0);
    second.leave();
    await world.pass(20);
    expect(world.joins.heldBytes).toBe(0);
    await world.pass(1_000);
    expect(first.ends[0]?.bytes).toBeGreaterThan(900_000);
  });

  test('Beyond the bound an answer is the first call’s only, and the next one asks for itself', async () => {
    const large = { ...AT_ONCE, moreBytes: 400_000 };
    const world = new WaitingCalls({ replies: [AT_ONCE, large, large], answersBytesMax: 300_000 });
    world.visit({ query: '?opener' });
    const calls = [world.visit(), world.visit()];
    await world.pass(5_000);
    expect(calls.map(({ ends }) => ends[0]?.number)).toEqual([2, 3]);
    expect(world.joins.heldBytes).toBe(0);
  });
});
