import { describe, expect, test } from '@jest/globals';
import type { Clock } from '../../src/domain/clock.ts';
import { WakeUp } from '../../src/lane/wake-up.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function recorded(): { clock: Clock; delays: number[] } {
  const delays: number[] = [];
  const clock = new VirtualClock();
  const after = clock.after.bind(clock);
  clock.after = (delayMs, callback) => {
    delays.push(delayMs);
    return after(delayMs, callback);
  };
  return { clock, delays };
}

describe('the timer of a lane', () => {
  test('asks for whole milliseconds, rounded up: Node would cut the fraction off and wake before the slot', () => {
    const { clock, delays } = recorded();
    new WakeUp(clock, () => {}).at(1_020.4, 1_000);
    expect(delays).toEqual([21]);
  });

  test('a wait of weeks does not overflow into one of a millisecond', () => {
    const { clock, delays } = recorded();
    new WakeUp(clock, () => {}).at(1e12, 1_000);
    expect(delays).toEqual([2 ** 31 - 1]);
  });

  test('is set anew for an earlier instant only', async () => {
    const { clock, delays } = recorded();
    let woken = 0;
    const wakeUp = new WakeUp(clock, () => woken++);
    wakeUp.at(1_050, 1_000);
    wakeUp.at(1_080, 1_000);
    wakeUp.at(1_020, 1_000);
    expect(delays).toEqual([50, 20]);
    await (clock as VirtualClock).advance(100);
    expect(woken).toBe(1);
  });
});
