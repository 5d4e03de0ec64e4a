import { describe, expect, test } from '@jest/globals';
import { Strangers } from '../../src/call/strangers.ts';
import type { RecordEvent } from '../../src/domain/event.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function open(): { clock: VirtualClock; strangers: Strangers; events: RecordEvent[] } {
  const clock = new VirtualClock();
  const events: RecordEvent[] = [];
  const append = (event: RecordEvent): string => {
    events.push(event);
    return '';
  };
  return { clock, strangers: new Strangers(clock, { append }), events };
}

describe('Strangers do not fill the disk', () => {
  test('of one address a hundred a minute are on record, and of the rest their number', async () => {
    const { clock, strangers, events } = open();
    const admitted = Array.from({ length: 150 }, () => strangers.admit('192.0.2.1'));
    expect(admitted.filter(Boolean)).toHaveLength(100);
    expect(strangers.admit('192.0.2.2')).toBe(true);
    await clock.advance(60_000);
    expect(events).toMatchObject([{ act: 'strangers.refused', details: { refusals: 50 }, actor: { kind: 'gateway' } }]);
    expect(strangers.admit('192.0.2.1')).toBe(true);
  });

  test('of a crowd of addresses three thousand a minute are', async () => {
    const { clock, strangers, events } = open();
    const admitted = Array.from({ length: 4_000 }, (_, n) => strangers.admit(`10.0.${n >> 8}.${n & 255}`));
    expect(admitted.filter(Boolean)).toHaveLength(3_000);
    await clock.advance(60_000);
    expect(events).toMatchObject([{ details: { refusals: 1_000 } }]);
  });

  test('who is few is on record whole, and nothing is counted', async () => {
    const { clock, strangers, events } = open();
    expect(strangers.admit('192.0.2.1')).toBe(true);
    await clock.advance(60_000);
    expect([events, clock.timers]).toEqual([[], 0]);
  });

  test('what was counted is written when the gateway ends', () => {
    const { strangers, events } = open();
    for (let n = 0; n < 101; n++) strangers.admit('192.0.2.1');
    strangers[Symbol.dispose]();
    expect(events).toMatchObject([{ details: { refusals: 1 } }]);
  });
});
