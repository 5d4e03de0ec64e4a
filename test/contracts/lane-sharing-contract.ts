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
      // The same without leavers tells how long it takes on this machine now.
      const [lane, witness] = [makeLane({ limit: TWENTY_A_SECOND }), makeLane({ limit: TWENTY_A_SECOND })];
      const [log, without]: [string[], string[]] = [[], []];
      const leaver = new AbortController();
      for (const name of ['first', 'stays']) void send(witness, without, name);
      void send(lane, log, 'first');
      for (let i = 0; i < 100; i++) void send(lane, [], 'leaver', {}, leaver.signal);
      void send(lane, log, 'stays');
      leaver.abort();
      await eventually(() => without.length === 2);
      await pass(TWENTY_A_SECOND.windowMs / TWENTY_A_SECOND.calls);
      expect(log).toEqual(['first', 'stays']);
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
