import { expect, test } from '@jest/globals';
import type { LaneScript } from './lane-script.ts';

/** What an engine promises beyond waiting, bounds, deadlines and pace. */
export interface LanePromises {
  /** Apps share the slots, however many callers each has. */
  readonly shares: boolean;
  /** A caller who leaves, and a turn given back, cost no slot. */
  readonly sparesSlots: boolean;
}

const TWENTY_A_SECOND = { calls: 20, windowMs: 1_000 };

/** The stories that only some engines can tell. */
export function laneSharingContract(
  { pass, stays, makeLane, join, send, eventually }: LaneScript,
  promises: LanePromises,
): void {
  if (promises.shares) {
    test('one caller of a quiet app does not wait behind a hundred of a noisy one', async () => {
      const lane = makeLane();
      const log: string[] = [];
      for (let i = 0; i < 100; i++) void send(lane, log, 'noisy', { appId: 'noisy' });
      void send(lane, log, 'quiet', { appId: 'quiet' });
      await eventually(() => log.includes('quiet'));
      expect(log.indexOf('quiet')).toBeLessThan(6);
    });
  }

  if (promises.sparesSlots) {
    test('a hundred callers who leave do not delay the one who stays', async () => {
      // How many go meanwhile in a line of the same pace tells the time, however slow this machine is now.
      const [lane, beside] = [makeLane({ limit: TWENTY_A_SECOND }), makeLane({ limit: TWENTY_A_SECOND })];
      const [log, meanwhile]: [string[], string[]] = [[], []];
      const leaver = new AbortController();
      for (let i = 0; i < 40; i++) void send(beside, meanwhile, 'beside');
      void send(lane, log, 'first');
      for (let i = 0; i < 100; i++) void send(lane, [], 'leaver', {}, leaver.signal);
      void send(lane, log, 'stays');
      leaver.abort();
      await eventually(() => log.includes('stays'));
      expect(meanwhile.length).toBeLessThan(20);
      expect(lane.stats().sent).toBe(2);
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
