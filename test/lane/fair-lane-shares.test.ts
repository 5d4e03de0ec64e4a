import { describe, expect, test } from '@jest/globals';
import { settled } from '../support/virtual-clock.ts';
import { Stage, stays } from './stage.ts';

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
