import { describe, expect, test } from '@jest/globals';
import { type LaneHarness, laneScript } from './lane-script.ts';
import { type LanePromises, laneSharingContract } from './lane-sharing-contract.ts';

/** A story that each engine of the lane must tell the same way. */
export function laneContract(engine: string, harness: LaneHarness, promises: LanePromises): void {
  const script = laneScript(harness);
  const { clock, pass, stays, makeLane, join, send, refusal, eventually } = script;

  describe(`the lane of engine ${engine}`, () => {
    test('a call on an idle lane goes', async () => {
      const log: string[] = [];
      void send(makeLane(), log, 'call');
      await eventually(() => log.length > 0);
      expect(log).toEqual(['call']);
    });

    test('thirty callers at once all go, no faster than the limit allows', async () => {
      const lane = makeLane();
      const at: number[] = [];
      for (let i = 0; i < 30; i++)
        void join(lane)
          .turn(stays)
          .then(() => at.push(clock.now()));
      await eventually(() => at.length === 30);
      expect((at[29] as number) - (at[0] as number)).toBeGreaterThan(150);
      expect(lane.stats()).toMatchObject({ waiting: 0, waitingBytes: 0, sent: 30 });
    });

    test('a call that could not go in time is told so at once, and when to come back', () => {
      const lane = makeLane({ limit: { calls: 10, windowMs: 1_000 } });
      for (let i = 0; i < 20; i++) void send(lane, [], 'before', { urgency: 0 });
      const error = refusal(() => join(lane, { appId: 'app', waitMs: 500 }));
      expect(error.code).toBe('deadline_unreachable');
      expect(error.retryAfterMs).toBeGreaterThan(1_500);
      expect(error.retryAfterMs).toBeLessThan(3_000);
      expect(error.message).toContain('app');
      expect(error.message).toContain('the call may wait 0.5 s');
      expect(lane.stats().waiting).toBeLessThanOrEqual(20);
    });

    test('the line holds no more calls than it may', () => {
      const lane = makeLane({ waitingCallsMax: 3 });
      const places = [join(lane), join(lane), join(lane)];
      const error = refusal(() => join(lane));
      expect(error.code).toBe('queue_full');
      expect(error.retryAfterMs).toBeGreaterThanOrEqual(0);
      expect(error.message).toContain('at most 3');
      places[0]?.[Symbol.dispose]();
      expect(() => join(lane)).not.toThrow();
    });

    test('the line holds no more memory than it may', () => {
      const lane = makeLane({ waitingBytesMax: 1_000 });
      join(lane, { heldBytes: 600 });
      expect(refusal(() => join(lane, { heldBytes: 600 })).code).toBe('queue_full');
      expect(() => join(lane, { heldBytes: 400 })).not.toThrow();
      expect(lane.stats().waitingBytes).toBe(1_000);
    });

    test('a caller who was gone before asking never gets a turn', async () => {
      const lane = makeLane();
      const reason = new Error('hung up');
      const error: unknown = await join(lane)
        .turn(AbortSignal.abort(reason))
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'caller_gone', cause: reason });
      expect(lane.stats()).toMatchObject({ waiting: 0, sent: 0 });
    });

    test('a caller who hangs up while waiting leaves at once, and the others go on', async () => {
      const lane = makeLane({ limit: { calls: 5, windowMs: 1_000 } });
      const log: string[] = [];
      const leaver = new AbortController();
      void send(lane, log, 'first');
      void send(lane, log, 'leaver', {}, leaver.signal);
      void send(lane, log, 'last');
      leaver.abort();
      await pass(0);
      expect(log).toContain('leaver: caller_gone');
      expect(log).not.toContain('last');
      await eventually(() => log.includes('last'));
      expect(lane.stats()).toMatchObject({ waiting: 0, waitingBytes: 0, sent: 2 });
    });

    test('a place given up while its turn is awaited leaves nobody hanging', async () => {
      const lane = makeLane({ limit: { calls: 1, windowMs: 1_000 } });
      void send(lane, [], 'first');
      const place = join(lane);
      const turn = place.turn(stays);
      place[Symbol.dispose]();
      await expect(turn).rejects.toMatchObject({ code: 'caller_gone' });
      await expect(place.turn(stays)).rejects.toMatchObject({ code: 'caller_gone' });
    });

    test('a place asks for one turn at a time', async () => {
      const lane = makeLane({ limit: { calls: 1, windowMs: 1_000 } });
      void send(lane, [], 'first');
      const place = join(lane);
      const turn = place.turn(stays);
      await expect(place.turn(stays)).rejects.toThrow('one turn at a time');
      place[Symbol.dispose]();
      await expect(turn).rejects.toThrow();
    });

    test('in a pause nobody goes, and the line keeps its order', async () => {
      const lane = makeLane();
      const log: string[] = [];
      lane.pause(600);
      for (const name of ['1', '2', '3']) void send(lane, log, name);
      await pass(100);
      expect(log).toEqual([]);
      expect(lane.stats().pausedUntil).toBeGreaterThan(clock.now());
      await eventually(() => log.length === 3);
      expect(log).toEqual(['1', '2', '3']);
      expect(lane.stats().pausedUntil).toBe(0);
    });

    test('a pause that outlasts a deadline refuses at once, not at the deadline', async () => {
      const lane = makeLane({ limit: { calls: 20, windowMs: 1_000 } });
      const log: string[] = [];
      for (let i = 0; i < 4; i++) void send(lane, log, 'goes');
      void send(lane, log, 'waits', { waitMs: 5_000 });
      lane.pause(20_000);
      await pass(0);
      expect(log).toContain('waits: deadline_unreachable');
      expect(refusal(() => join(lane, { waitMs: 5_000 })).retryAfterMs).toBeGreaterThan(19_000);
    });

    test.each([[Number.POSITIVE_INFINITY], [1e300]])('a pause of %d ms is cut to what is allowed', (durationMs) => {
      const lane = makeLane({ pauseMsMax: 2_000 });
      lane.pause(durationMs);
      expect(lane.stats().pausedUntil).toBeLessThanOrEqual(clock.now() + 2_000);
      expect(lane.stats().pausedUntil).toBeGreaterThan(clock.now());
    });

    test.each([[-5], [0], [Number.NaN]])('a pause of %d ms is none', (durationMs) => {
      const lane = makeLane();
      lane.pause(durationMs);
      expect(lane.stats().pausedUntil).toBe(0);
    });

    test('a call that Mason refused comes before those that joined later', async () => {
      const lane = makeLane({ limit: { calls: 30, windowMs: 1_000 } });
      const log: string[] = [];
      const place = join(lane);
      const first = place.turn(stays);
      await eventually(() => lane.stats().sent === 1);
      (await first).sent();
      lane.pause(300);
      for (let i = 0; i < 5; i++) void send(lane, log, 'later');
      void place.turn(stays).then(() => log.push('refused before'));
      await eventually(() => log.length === 6);
      expect(log.indexOf('refused before')).toBeLessThanOrEqual(1);
    });

    test('an urgent call passes those that are not', async () => {
      const lane = makeLane({ limit: { calls: 30, windowMs: 1_000 } });
      const log: string[] = [];
      lane.pause(300);
      for (let i = 0; i < 6; i++) void send(lane, log, 'patient');
      void send(lane, log, 'urgent', { urgency: 0 });
      await eventually(() => log.length === 7);
      expect(log.indexOf('urgent')).toBeLessThanOrEqual(1);
    });

    test('another limit applies to those who wait already, and nobody loses a place', async () => {
      const lane = makeLane({ limit: { calls: 2, windowMs: 20_000 } });
      const log: string[] = [];
      for (const name of ['1', '2', '3', '4']) void send(lane, log, name, { waitMs: 200_000 });
      lane.retune({ limit: { calls: 100, windowMs: 1_000 }, burst: undefined, spreadMs: 10 });
      expect(lane.stats().limit).toEqual({ calls: 100, windowMs: 1_000 });
      await eventually(() => log.length >= (promises.sparesSlots ? 4 : 1));
      expect(log[0]).toBe('1');
      if (promises.sparesSlots) expect(log).toEqual(['1', '2', '3', '4']);
    });

    test('closing refuses all who wait, and whoever comes after', async () => {
      const lane = makeLane({ limit: { calls: 2, windowMs: 1_000 } });
      const log: string[] = [];
      const joined = join(lane);
      for (let i = 0; i < 3; i++) void send(lane, log, 'call');
      await pass(20);
      await lane.close();
      await pass(0);
      expect(log.filter((entry) => entry === 'call: shutting_down').length).toBeGreaterThanOrEqual(2);
      expect(log).toHaveLength(3);
      await expect(joined.turn(stays)).rejects.toMatchObject({ code: 'shutting_down' });
      expect(refusal(() => join(lane)).code).toBe('shutting_down');
      expect(lane.stats().waiting).toBe(0);
    });

    test('what an app is told of its share is true', async () => {
      const lane = makeLane();
      expect(lane.share('app', 1)).toMatchObject({ windowMs: 1_000, remaining: 1, resetMs: 0 });
      expect(lane.share('app', 1).calls).toBeGreaterThan(80);
      expect(lane.share('app', 1).calls).toBeLessThanOrEqual(100);
      const log: string[] = [];
      for (let i = 0; i < 5; i++) void send(lane, log, 'call');
      expect(lane.share('app', 1).remaining).toBe(0);
      await eventually(() => log.length === 5);
      expect(lane.share('app', 1).resetMs).toBeGreaterThan(500);
      // On a busy machine a slot comes too late to be used, and counts all the same where others could have had it.
      expect(lane.stats().used).toBeGreaterThan(0.045);
      expect(lane.stats().used).toBeLessThan(0.12);
    });

    laneSharingContract(script, promises);
  });
}
