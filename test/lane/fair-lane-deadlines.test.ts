import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { settled } from '../support/virtual-clock.ts';
import { Stage, stays } from './stage.ts';

describe('deadlines', () => {
  test('the promised instant is the real one, for any line and any call', async () => {
    const callers = fc.array(
      fc.record({
        app: fc.integer({ min: 0, max: 3 }),
        urgency: fc.constantFrom(0, 3, 3, 3, 7),
        weight: fc.constantFrom(1, 1, 3),
      }),
      { maxLength: 60, size: 'max' },
    );
    await fc.assert(
      fc.asyncProperty(
        callers,
        fc.constantFrom(5, 30, 60, 400),
        fc.constantFrom(0, 700),
        async (before, calls, pauseMs) => {
          const stage = new Stage({ limit: { calls, windowMs: 10_000 } });
          for (const [i, { app, ...rest }] of before.entries()) {
            stage.send(`before ${i}`, { appId: `app-${app}`, ...rest, waitMs: 1e9 });
          }
          if (pauseMs > 0) stage.lane.pause(pauseMs);
          const asked = { appId: 'app-1', urgency: 3, weight: 1 };
          stage.send('asks', { ...asked, waitMs: -1 });
          const waitMs = stage.refused[0]?.error.retryAfterMs as number;
          // A timer of whole milliseconds may be late by one.
          stage.send('stays', { ...asked, waitMs: waitMs + 1.01 });
          expect(stage.refused).toHaveLength(1);
          await stage.clock.advance(waitMs + 2);
          const real = (stage.sent.find(({ name }) => name === 'stays')?.at ?? Number.NaN) - 1_000;
          expect(real).toBeGreaterThanOrEqual(waitMs - 0.01);
          expect(real).toBeLessThan(waitMs + 1.01);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('who comes back after Retry-After goes at once when nothing new came', async () => {
    const stage = new Stage({ limit: { calls: 10, windowMs: 1_000 } });
    for (let i = 0; i < 30; i++) stage.send('before', { urgency: 0 });
    stage.send('told', { waitMs: 1_000 });
    await stage.clock.advance((stage.refused[0]?.error.retryAfterMs as number) + 0.001);
    const comesBackAt = stage.clock.now();
    stage.send('back', { waitMs: 1_000 });
    await settled();
    expect(stage.sent.at(-1)).toEqual({ name: 'back', at: comesBackAt });
  });

  test('a quiet app is not refused because of a noisy one', async () => {
    const stage = new Stage();
    for (let i = 0; i < 5_000; i++) stage.send('noisy', { appId: 'noisy' });
    stage.send('quiet', { appId: 'quiet', waitMs: 100 });
    await stage.clock.advance(100);
    expect(stage.count('quiet')).toBe(1);
    expect(stage.refused).toEqual([]);
  });

  test('a call pushed back by urgent ones hears within a second that it cannot make it, not at its deadline', async () => {
    const stage = new Stage({ limit: { calls: 50, windowMs: 1_000 } });
    stage.send('first');
    for (let i = 0; i < 10; i++) stage.send('patient', { urgency: 7, waitMs: 10_000 });
    for (let i = 0; i < 600; i++) stage.send('urgent', { urgency: 0 });
    await stage.clock.advance(1_000);
    expect(stage.refused.filter(({ name }) => name === 'patient')).toHaveLength(10);
  });

  test('after a pause only those go whose deadline allows it, and those who must go are told when to come back', async () => {
    const stage = new Stage({ limit: { calls: 10, windowMs: 1_000 } });
    stage.send('first');
    for (let i = 0; i < 20; i++) stage.send(`${i}`, { waitMs: 4_000 });
    stage.lane.pause(3_000);
    await settled();
    const told = stage.refused.map(({ name }) => Number(name));
    expect(told.length).toBeGreaterThan(5);
    expect(Math.min(...told)).toBe(20 - told.length);
    for (const { error } of stage.refused) expect(error.retryAfterMs).toBeGreaterThan(3_900);
    await stage.clock.advance(4_000);
    expect(stage.sent).toHaveLength(1 + 20 - told.length);
    expect(stage.refused).toHaveLength(told.length);
  });

  test('no call is sent after its deadline because a timer was late', async () => {
    const stage = new Stage({ limit: { calls: 10, windowMs: 1_000 } }, () => 30);
    stage.send('first');
    stage.send('second', { waitMs: 120 });
    await stage.clock.advance(1_000);
    expect(stage.sent.map(({ name }) => name)).toEqual(['first']);
    expect(stage.refused.map(({ name, error }) => [name, error.code])).toEqual([['second', 'deadline_unreachable']]);
    expect(stage.refused[0]?.error.message).toContain('is over');
  });

  test('a refused call whose deadline ends in the pause is told when it asks again', async () => {
    const stage = new Stage();
    const place = stage.lane.join(stage.call({ waitMs: 1_000 }));
    (await place.turn(stays)).sent();
    stage.lane.pause(5_000);
    await expect(place.turn(stays)).rejects.toMatchObject({ code: 'deadline_unreachable', retryAfterMs: 5_000 });
    expect(stage.lane.stats().waiting).toBe(0);
  });
});
