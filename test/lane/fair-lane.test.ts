import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatewayError } from '../../src/domain/errors.ts';
import type { Lane, LaneCall, LaneSettings, Turn } from '../../src/domain/lane.ts';
import { FairLane } from '../../src/lane/fair-lane.ts';
import { laneContract } from '../contracts/lane-contract.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';
import { slidingLog } from './limit-judges.ts';

const shared = new VirtualClock();
laneContract(
  'fair',
  { clock: shared, make: (settings) => new FairLane(settings, shared), pass: (ms) => shared.advance(ms) },
  { shares: true, sparesSlots: true },
);

const SETTINGS: LaneSettings = {
  budgetId: 'budget-1',
  limit: { calls: 100, windowMs: 1_000 },
  burst: undefined,
  spreadMs: undefined,
  waitingCallsMax: 10_000,
  waitingBytesMax: 1_000_000,
  pauseMsMax: 60_000,
};
const stays = new AbortController().signal;

interface Sent {
  readonly name: string;
  readonly at: number;
}

class Stage {
  readonly clock: VirtualClock;
  readonly lane: Lane;
  readonly sent: Sent[] = [];
  readonly refused: { name: string; at: number; error: GatewayError }[] = [];

  constructor(settings: Partial<LaneSettings> = {}, lateMs?: () => number) {
    this.clock = new VirtualClock(1_000, lateMs);
    this.lane = new FairLane({ ...SETTINGS, ...settings }, this.clock);
  }

  call(options: Partial<LaneCall> & { waitMs?: number } = {}): LaneCall {
    const { waitMs = 60_000, ...rest } = options;
    return { appId: 'app', weight: 1, urgency: 3, deadlineAt: this.clock.now() + waitMs, heldBytes: 10, ...rest };
  }

  /** Joins and asks; a refusal at the door is noted like one later. */
  send(name: string, options: Partial<LaneCall> & { waitMs?: number } = {}, signal = stays): void {
    try {
      this.ask(name, this.lane.join(this.call(options)), signal);
    } catch (error) {
      this.#note(name, error);
    }
  }

  ask(name: string, place: { turn(signal: AbortSignal): Promise<Turn> }, signal = stays): void {
    place.turn(signal).then(
      () => this.sent.push({ name, at: this.clock.now() }),
      (error: unknown) => this.#note(name, error),
    );
  }

  count(name: string): number {
    return this.sent.filter((one) => one.name === name).length;
  }

  #note(name: string, error: unknown): void {
    if (!(error instanceof GatewayError)) throw error;
    this.refused.push({ name, at: this.clock.now(), error });
  }
}

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

describe('shares', () => {
  test('two apps with 100 callers to 1 get half each while both wait', async () => {
    const stage = new Stage();
    for (let i = 0; i < 1_000; i++) stage.send('crowd', { appId: 'crowd' });
    const again = async () => {
      for (;;) {
        using place = stage.lane.join(stage.call({ appId: 'single' }));
        const turn = await place.turn(stays).catch(() => undefined);
        if (turn === undefined) return;
        stage.sent.push({ name: 'single', at: stage.clock.now() });
      }
    };
    const single = again();
    await stage.clock.advance(5_000);
    const [crowd, alone] = [stage.count('crowd'), stage.count('single')];
    const jain = (crowd + alone) ** 2 / (2 * (crowd ** 2 + alone ** 2));
    expect(jain).toBeGreaterThanOrEqual(0.99);
    await stage.lane.close();
    await single;
  });

  test('weights 3 and 1 get three quarters and one', async () => {
    const stage = new Stage();
    for (let i = 0; i < 400; i++) {
      stage.send('heavy', { appId: 'heavy', weight: 3 });
      stage.send('light', { appId: 'light' });
    }
    expect(stage.lane.share('heavy', 3).calls).toBe(72);
    expect(stage.lane.share('light', 1).calls).toBe(24);
    await stage.clock.advance(4_000);
    expect(stage.count('heavy') / stage.sent.length).toBeCloseTo(0.75, 1);
  });

  test('an app that floods a full line shuts out itself, not the others', async () => {
    const stage = new Stage({ waitingCallsMax: 50 });
    for (let i = 0; i < 51; i++) stage.send(`flood ${i}`, { appId: 'flood' });
    stage.send('one too many', { appId: 'flood' });
    stage.send('quiet', { appId: 'quiet' });
    await settled();
    expect(stage.refused.map(({ name, error }) => [name, error.code])).toEqual([
      ['one too many', 'queue_full'],
      ['flood 50', 'queue_full'],
    ]);
    expect(stage.refused[1]?.error.message).toContain('app flood');
    expect(stage.lane.stats().waiting).toBe(50);
    await stage.clock.advance(50);
    expect(stage.count('quiet')).toBe(1);
  });

  test('an app that floods the memory shuts out itself, not the others', async () => {
    const stage = new Stage({ waitingBytesMax: 1_000 });
    for (let i = 0; i < 11; i++) stage.send(`flood ${i}`, { appId: 'flood', heldBytes: 100 });
    stage.send('quiet', { appId: 'quiet', heldBytes: 150 });
    await settled();
    expect(stage.refused.map(({ name }) => name)).toEqual(['flood 10', 'flood 9']);
    stage.send('greedy', { appId: 'quiet', heldBytes: 900 });
    await settled();
    expect(stage.refused.at(-1)?.name).toBe('greedy');
    expect(stage.lane.stats().waitingBytes).toBeLessThanOrEqual(1_000);
  });

  test('apps that hold the same do not push each other out', async () => {
    const stage = new Stage({ waitingCallsMax: 4 });
    for (const name of ['goes', 'a', 'a', 'b', 'b']) stage.send(name, { appId: name });
    stage.send('one more b', { appId: 'b' });
    await settled();
    expect(stage.refused.map(({ name, error }) => [name, error.code])).toEqual([['one more b', 'queue_full']]);
  });

  test('a call that lost its place before it asked for a turn hears of it when it asks', async () => {
    const stage = new Stage({ waitingCallsMax: 2 });
    stage.lane.join(stage.call({ appId: 'flood' }));
    const loser = stage.lane.join(stage.call({ appId: 'flood' }));
    stage.send('quiet', { appId: 'quiet' });
    await expect(loser.turn(stays)).rejects.toMatchObject({ code: 'queue_full' });
  });
});

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
