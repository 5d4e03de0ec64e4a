import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LaneCall } from '../../src/domain/lane.ts';
import { FairQueue } from '../../src/lane/fair-queue.ts';
import { type AppLine, compareWithinApp, type Waiter } from '../../src/lane/waiter.ts';

interface Plain extends Waiter<Plain> {
  readonly name: string;
}

function enter(
  queue: FairQueue<Plain>,
  appId: string,
  options: Partial<LaneCall> & { name?: string; ready?: boolean } = {},
): Plain {
  const { name = appId, ready = true, ...rest } = options;
  const call = { appId, weight: 1, urgency: 3, deadlineAt: 1_000, heldBytes: 0, ...rest };
  const app: AppLine<Plain> = queue.lineOf(appId, call.weight);
  const waiter = { name, call, app, seniority: queue.nextSeniority(), returning: false, ready: false };
  queue.join(waiter);
  if (ready) queue.makeReady(waiter);
  return waiter;
}

function drain(queue: FairQueue<Plain>, turns = Number.POSITIVE_INFINITY): string[] {
  const names: string[] = [];
  for (let waiter: Plain | undefined; names.length < turns; names.push(waiter.name)) {
    waiter = queue.next();
    if (waiter === undefined) break;
  }
  return names;
}

const count = (names: readonly string[], name: string) => names.filter((other) => other === name).length;

describe('between apps', () => {
  test('an app of which nearly all waited at another gateway for a moment does not pay for a turn of then long after', () => {
    const queue = new FairQueue<Plain>();
    const parts = (ofQuiet: number) =>
      queue.setParts(
        ['quiet', 'other'].map((id) => [id, 50, 1, [3, 50]] as const),
        [ofQuiet, 0.25],
        1,
      );
    for (let i = 0; i < 50; i++) for (const app of ['quiet', 'other']) enter(queue, app);
    parts(0);
    drain(queue, 2);
    parts(0.25);
    expect(count(drain(queue, 20), 'quiet')).toBeGreaterThanOrEqual(9);
  });

  test('an app with a hundred callers does not push out one with a single caller', () => {
    const queue = new FairQueue<Plain>();
    for (let i = 0; i < 100; i++) enter(queue, 'noisy');
    drain(queue, 10);
    enter(queue, 'quiet');
    expect(drain(queue, 2)).toContain('quiet');
  });

  test('weights 3 and 1 give three turns to one', () => {
    const queue = new FairQueue<Plain>();
    for (let i = 0; i < 100; i++) {
      enter(queue, 'heavy', { weight: 3 });
      enter(queue, 'light');
    }
    const first80 = drain(queue, 80);
    expect(count(first80, 'heavy')).toBe(60);
    expect(count(first80, 'light')).toBe(20);
  });

  test('the smallest weight beside the largest is served within a hundred turns', () => {
    const queue = new FairQueue<Plain>();
    for (let i = 0; i < 500; i++) enter(queue, 'heavy', { weight: 100 });
    enter(queue, 'light');
    enter(queue, 'light');
    const turns = drain(queue, 110);
    expect(count(turns, 'light')).toBe(2);
  });

  test('an app that was quiet has saved up nothing', () => {
    const queue = new FairQueue<Plain>();
    for (let i = 0; i < 1_000; i++) enter(queue, 'steady');
    drain(queue, 500);
    for (let i = 0; i < 100; i++) enter(queue, 'late');
    expect(count(drain(queue, 20), 'late')).toBe(10);
  });

  test('an app that had the line for itself owes nothing when another comes', () => {
    const queue = new FairQueue<Plain>();
    for (let i = 0; i < 500; i++) enter(queue, 'alone');
    drain(queue);
    for (let i = 0; i < 20; i++) enter(queue, 'other');
    for (let i = 0; i < 20; i++) enter(queue, 'alone');
    expect(count(drain(queue, 20), 'alone')).toBeGreaterThanOrEqual(9);
  });

  test('an app that comes back for each single call gets no more than its share', () => {
    const queue = new FairQueue<Plain>();
    for (let i = 0; i < 200; i++) enter(queue, 'backlog');
    let turns = 0;
    for (let i = 0; i < 100; i++) {
      // Other apps come and go meanwhile, so that idle ones are forgotten.
      for (let j = 0; j < 3; j++) queue.leave(enter(queue, `passing-${i}-${j}`));
      enter(queue, 'one-by-one');
      while (queue.next()?.name !== 'one-by-one') turns++;
    }
    expect(turns).toBeGreaterThanOrEqual(98);
  });
});

describe('within an app', () => {
  test('urgency, then the earliest deadline, then who came first', () => {
    const queue = new FairQueue<Plain>();
    enter(queue, 'a', { name: 'late deadline', deadlineAt: 900 });
    enter(queue, 'a', { name: 'first' });
    enter(queue, 'a', { name: 'second' });
    enter(queue, 'a', { name: 'urgent', urgency: 0 });
    enter(queue, 'a', { name: 'idle', urgency: 7, deadlineAt: 1 });
    expect(drain(queue)).toEqual(['urgent', 'late deadline', 'first', 'second', 'idle']);
  });

  test('whoever is back from a turn comes before all others, in the old order', () => {
    const queue = new FairQueue<Plain>();
    const old = [enter(queue, 'a', { name: 'oldest' }), enter(queue, 'a', { name: 'older' })];
    drain(queue);
    enter(queue, 'a', { name: 'urgent', urgency: 0 });
    for (const waiter of old.reverse()) {
      waiter.returning = true;
      queue.join(waiter);
      queue.makeReady(waiter);
    }
    expect(drain(queue)).toEqual(['oldest', 'older', 'urgent']);
  });

  test('a call that is not ready is passed over', () => {
    const queue = new FairQueue<Plain>();
    const first = enter(queue, 'a', { name: 'writes its intent', ready: false });
    enter(queue, 'a', { name: 'ready' });
    expect(drain(queue)).toEqual(['ready']);
    queue.makeReady(first);
    expect(drain(queue)).toEqual(['writes its intent']);
  });
});

describe('whatever happens', () => {
  const operation = fc.oneof(
    fc.record({
      kind: fc.constant('enter' as const),
      app: fc.integer({ min: 0, max: 5 }),
      urgency: fc.integer({ min: 0, max: 7 }),
      deadlineAt: fc.integer({ min: 0, max: 20 }),
      ready: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom('ready' as const, 'leave' as const, 'return' as const), pick: fc.nat() }),
    fc.record({ kind: fc.constant('next' as const) }),
  );

  test('the counts are true, the order within an app holds, the prediction is what happens', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
        const queue = new FairQueue<Plain>();
        const line: Plain[] = [];
        const gone: Plain[] = [];
        for (const step of operations) {
          if (step.kind === 'enter') {
            const weight = [1, 2, 3, 10, 50, 100][step.app] as number;
            const { urgency, deadlineAt, ready } = step;
            line.push(enter(queue, `app-${step.app}`, { weight, urgency, deadlineAt, ready, heldBytes: 3 }));
          } else if (step.kind === 'next') {
            const best = new Map<string, Plain>();
            for (const waiter of line.filter(({ ready }) => ready)) {
              const other = best.get(waiter.name);
              if (other === undefined || compareWithinApp(waiter, other) < 0) best.set(waiter.name, waiter);
            }
            const next = queue.next();
            expect(next === undefined).toBe(best.size === 0);
            if (next === undefined) continue;
            expect(best.get(next.name)).toBe(next);
            gone.push(...line.splice(line.indexOf(next), 1));
          } else {
            const from = step.kind === 'return' ? gone : line;
            const waiter = from[step.pick % Math.max(1, from.length)];
            if (waiter === undefined) continue;
            if (step.kind === 'ready' && !waiter.ready) queue.makeReady(waiter);
            if (step.kind === 'leave') {
              queue.leave(waiter);
              line.splice(line.indexOf(waiter), 1);
            }
            if (step.kind === 'return') {
              waiter.returning = true;
              queue.join(waiter);
              line.push(...gone.splice(gone.indexOf(waiter), 1));
            }
          }
          expect(queue.waiting).toBe(line.length);
          expect(queue.waitingBytes).toBe(line.length * 3);
          expect(queue.ready).toBe(line.filter(({ ready }) => ready).length);
          expect(queue.mostPressing?.call.deadlineAt).toBe(
            line
              .filter(({ ready }) => ready)
              .reduce<number | undefined>(
                (least, { call }) => Math.min(least ?? call.deadlineAt, call.deadlineAt),
                undefined,
              ),
          );
        }
        for (const waiter of line) if (!waiter.ready) queue.makeReady(waiter);
        const order = [...queue.inOrder()];
        const ahead = order.map((waiter) => queue.ahead(waiter));
        expect(ahead).toEqual(order.map((_, i) => i));
        expect(Array.from({ length: order.length }, () => queue.next())).toEqual(order);
        expect(queue.next()).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });

  test('a call that is back after its app was forgotten joins the calls that its app has now', () => {
    const queue = new FairQueue<Plain>();
    const atMason = enter(queue, 'a', { name: 'at Mason' });
    queue.next();
    for (let i = 0; i < 1_000; i++) queue.leave(enter(queue, `passing-${i}`));
    enter(queue, 'a', { name: 'new' });
    atMason.returning = true;
    queue.join(atMason);
    queue.makeReady(atMason);
    expect([...queue.waitingApps()].map(({ id }) => id)).toEqual(['a']);
    expect(drain(queue)).toEqual(['at Mason', 'new']);
  });

  test('apps that came once are not remembered for ever', () => {
    const queue = new FairQueue<Plain>();
    for (let i = 0; i < 10_000; i++) {
      enter(queue, `app-${i}`);
      queue.next();
    }
    expect(queue.knownApps).toBeLessThan(200);
  });
});
