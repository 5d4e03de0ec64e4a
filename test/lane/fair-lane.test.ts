import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FairLane } from '../../src/lane/fair-lane.ts';
import { laneContract } from '../contracts/lane-contract.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';
import { slidingLog } from './limit-judges.ts';
import { type Sent, Stage, stays } from './stage.ts';

const shared = new VirtualClock();
laneContract(
  'fair',
  { clock: shared, make: (settings) => new FairLane(settings, shared), pass: (ms) => shared.advance(ms) },
  { shares: true, sparesSlots: true },
);

describe('an idle lane', () => {
  test('hands out the turn at once and sets no timer', async () => {
    const stage = new Stage();
    stage.send('call');
    expect(stage.clock.timers).toBe(0);
    await settled();
    expect(stage.sent).toEqual([{ name: 'call', at: 1_000 }]);
  });

  test('has a timer only while somebody waits', async () => {
    const stage = new Stage();
    const leaver = new AbortController();
    stage.send('first');
    stage.send('leaver', {}, leaver.signal);
    expect(stage.clock.timers).toBe(1);
    leaver.abort();
    expect(stage.clock.timers).toBe(0);
    stage.send('second');
    await stage.clock.advance(100);
    expect(stage.count('second')).toBe(1);
    expect(stage.clock.timers).toBe(0);
  });
});

describe('two hundred callers at once on 50/1s', () => {
  test.each([0, 1, 4])(
    'all are answered, none refused, 95 %% of the pace used, with timers up to %i ms late',
    async (late) => {
      let turn = 0;
      const stage = new Stage({ limit: { calls: 50, windowMs: 1_000 } }, () => (turn++ % 3) * (late / 2));
      for (let i = 0; i < 200; i++) stage.send(`call ${i}`);
      await stage.clock.advance(10_000);
      expect(stage.sent).toHaveLength(200);
      const judge = slidingLog({ calls: 50, windowMs: 1_000 });
      expect(stage.sent.filter(({ at }, i) => !judge(at + (i % 2) * 10))).toEqual([]);
      const rate = 199 / (((stage.sent.at(-1) as Sent).at - (stage.sent[0] as Sent).at) / 1_000);
      expect(rate / 50).toBeGreaterThanOrEqual(0.95);
    },
  );
});

describe('who waits', () => {
  test('a call that writes its intent holds up nobody, and keeps its place', async () => {
    const stage = new Stage({ limit: { calls: 20, windowMs: 1_000 } });
    stage.send('first');
    const slow = stage.lane.join(stage.call());
    for (let i = 0; i < 3; i++) stage.send('later');
    await stage.clock.advance(70);
    expect(stage.count('later')).toBe(1);
    stage.ask('slow', slow);
    await stage.clock.advance(60);
    expect(stage.count('slow')).toBe(1);
    expect(stage.count('later')).toBe(1);
  });

  test('a slot given back in time serves the next one even when later slots are taken', async () => {
    const stage = new Stage({ limit: { calls: 1_000, windowMs: 1_000 } });
    const turn = await stage.lane.join(stage.call()).turn(stays);
    stage.send('takes the second slot');
    await stage.clock.advance(2);
    stage.send('next');
    await settled();
    expect(stage.count('next')).toBe(0);
    turn.giveBack();
    await settled();
    expect(stage.count('next')).toBe(1);
  });

  test('a slot given back long after it came is not sent beside another', async () => {
    const stage = new Stage({ limit: { calls: 20, windowMs: 1_000 } });
    const turn = await stage.lane.join(stage.call()).turn(stays);
    await stage.clock.advance(70);
    stage.send('a');
    stage.send('b');
    turn.giveBack();
    await settled();
    expect(stage.sent.map(({ name }) => name)).toEqual(['a']);
    expect(stage.lane.stats()).toMatchObject({ sent: 1, used: 0.05 });
  });

  test('slots given back in any number never break the window', async () => {
    const limit = { calls: 30, windowMs: 1_000 };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 60, maxLength: 60 }), async (heldMs) => {
        const stage = new Stage({ limit });
        for (const [i, held] of heldMs.entries()) {
          const place = stage.lane.join(stage.call());
          void place.turn(stays).then((turn) => {
            if (i % 2 === 0) stage.sent.push({ name: '', at: stage.clock.now() });
            else stage.clock.after(held, () => turn.giveBack());
          });
        }
        await stage.clock.advance(4_000);
        const judge = slidingLog(limit);
        expect(stage.sent).toHaveLength(30);
        expect(stage.sent.filter(({ at }) => !judge(at))).toEqual([]);
        expect(stage.lane.stats().sent).toBe(30);
      }),
      { numRuns: 25 },
    );
  });

  test('the spread that is measured slows the pace down, and the one that was given is left alone', () => {
    const measured = new Stage();
    const given = new Stage({ spreadMs: 25 });
    for (const { lane } of [measured, given]) {
      lane.observe('device.get', 20);
      lane.observe('device.get', 80);
    }
    expect(measured.lane.stats().spreadMs).toBe(60);
    expect(measured.lane.share('app', 1).calls).toBe(92);
    expect(given.lane.stats().spreadMs).toBe(25);
  });
});
