import { expect, test } from '@jest/globals';
import type { LaneScript } from './lane-script.ts';

/** What an engine promises beyond waiting, bounds, deadlines and pace. */
export interface LanePromises {
  /** Apps share the slots, however many callers each has. */
  readonly shares: boolean;
  /** A caller who leaves, and a turn given back, cost no slot. */
  readonly sparesSlots: boolean;
}

/** The stories that only some engines can tell. */
export function laneSharingContract({ pass, stays, makeLane, join, send }: LaneScript, promises: LanePromises): void {
  if (promises.shares) {
    test('one caller of a quiet app does not wait behind a hundred of a noisy one', async () => {
      const lane = makeLane();
      const log: string[] = [];
      for (let i = 0; i < 100; i++) void send(lane, log, 'noisy', { appId: 'noisy' });
      void send(lane, log, 'quiet', { appId: 'quiet' });
      await pass(50);
      expect(log).toContain('quiet');
    });
  }

  if (promises.sparesSlots) {
    test('a hundred callers who leave do not delay the one who stays', async () => {
      const lane = makeLane({ limit: { calls: 20, windowMs: 1_000 } });
      const log: string[] = [];
      const leaver = new AbortController();
      void send(lane, log, 'first');
      for (let i = 0; i < 100; i++) void send(lane, [], 'leaver', {}, leaver.signal);
      void send(lane, log, 'stays');
      leaver.abort();
      await pass(100);
      expect(log).toEqual(['first', 'stays']);
    });

    test('a slot given back goes to whoever waits next, at once', async () => {
      const lane = makeLane({ limit: { calls: 1_000, windowMs: 60_000 } });
      const log: string[] = [];
      const [turn] = await Promise.all([join(lane).turn(stays), pass(1)]);
      void send(lane, log, 'next');
      await pass(0);
      expect(log).toEqual([]);
      turn.giveBack();
      turn.giveBack();
      await pass(0);
      expect(log).toEqual(['next']);
      expect(lane.stats().sent).toBe(1);
    });
  }
}
