import { describe, expect, test } from '@jest/globals';
import type { RateAnswer, StatedLimit } from '../../../src/domain/learning.ts';
import { parseKeptState } from '../../../src/lane/learning/kept-state.ts';
import { LimitLearner } from '../../../src/lane/learning/limit-learner.ts';

const OPTIONS = { pauseMsMax: 60_000 };

/** Sends so many calls, evenly, and lets Mason take them all. */
function sendTaken(learner: LimitLearner, fromMs: number, toMs: number, calls: number): void {
  for (let i = 0; i < calls; i++) {
    const at = fromMs + ((toMs - fromMs) * i) / calls;
    learner.sent(at, false);
    learner.heard(answer(at), at);
  }
}

function answer(sentAt: number, more: Partial<RateAnswer> = {}): RateAnswer {
  return { sentAt, refused: false, askedMs: undefined, stated: [], ...more };
}

/** Sends one call that Mason refuses. */
function sendRefused(learner: LimitLearner, at: number, askedMs?: number): void {
  learner.sent(at, false);
  learner.heard(answer(at, { refused: true, askedMs }), at);
}

function stated(calls: number, windowMs: number | undefined, more: Partial<StatedLimit> = {}): StatedLimit {
  return { calls, windowMs, remaining: undefined, resetMs: undefined, ...more };
}

const levelsOf = (learner: LimitLearner) => learner.view(0, 0).levels;

describe('what a refusal is put down to', () => {
  test.each([
    [1_000, 1_000],
    [4_000, 10_000],
    [10_000, 10_000],
    [59_000, 60_000],
    [61_000, 60_000],
    [400_000, 900_000],
    [3_590_000, 3_600_000],
  ])('a wait of %d ms means a window of %d ms', (askedMs, windowMs) => {
    const learner = new LimitLearner(OPTIONS, 0);
    sendTaken(learner, 0, 900, 90);
    sendRefused(learner, 900, askedMs);
    expect(learner.view(900, 0).refusals).toEqual([{ at: 0, askedMs, windowMs, taken: 90 }]);
    const learnt = levelsOf(learner).find(({ from }) => from === 'learnt');
    expect(learnt?.windowMs).toBe(windowMs);
    expect(learnt?.calls).toBeLessThanOrEqual(90);
    expect(learner.view(900, 0).mode).toBe('waiting');
  });

  test('calls refused again and again, without a word, mean a window as long as that went on', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    sendTaken(learner, 0, 5_000, 200);
    let at = 5_000;
    while (at < 45_000) {
      sendRefused(learner, at);
      at = Math.max(at + 1_000, learner.waitsUntil);
    }
    expect(levelsOf(learner)[0]).toMatchObject({ windowMs: 60_000, from: 'learnt', takenBefore: 200 });
    expect(learner.view(at, 0).refusals).toHaveLength(1);
    sendTaken(learner, at, at + 1, 1);
    expect(learner.view(at, 0).mode).toBe('holding');
  });

  test('a long wait is believed when it was said twice, not before: one mistake must not stop everybody for an hour', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    sendTaken(learner, 0, 5_000, 200);
    sendRefused(learner, 5_000, 3_000_000);
    expect(learner.waitsUntil).toBe(65_000);
    sendRefused(learner, 65_000, 2_940_000);
    expect(learner.waitsUntil).toBe(3_005_000);
  });

  test('refusals of calls that were on their way together are one lesson', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    sendTaken(learner, 100, 1_000, 60);
    for (const at of [1_001, 1_002, 1_003]) learner.sent(at, true);
    for (const at of [1_001, 1_002, 1_003]) learner.heard(answer(at, { refused: true, askedMs: 1_000 }), 1_050);
    expect(learner.view(1_050, 0)).toMatchObject({ refusalsSeen: 3, refusals: [{ taken: 60 }] });
  });

  test('what others used up teaches nothing about the limit, but to wait', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    sendRefused(learner, 0, 30_000);
    expect(levelsOf(learner)).toMatchObject([{ from: 'assumed' }]);
    expect(learner.waitsUntil).toBe(30_000);
  });

  test('several windows bind at once: the longest evenly, the shorter one in its bursts', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    sendTaken(learner, 0, 1_000, 8);
    sendRefused(learner, 1_000, 1_000);
    sendTaken(learner, 2_000, 302_000, 990);
    sendRefused(learner, 302_000, 3_500_000);
    expect(levelsOf(learner).map(({ windowMs }) => windowMs)).toEqual([3_600_000, 1_000]);
    sendTaken(learner, 3_900_000, 3_900_001, 1);
    const { limit, burst } = learner.tuning(undefined);
    expect(limit).toEqual({ calls: 988, windowMs: 3_600_000 });
    expect(burst).toBeLessThanOrEqual(7);
    expect(learner.tuning(100).burst).toBeLessThanOrEqual(7);
  });

  test('the line rises only while calls wait', () => {
    const idle = new LimitLearner(OPTIONS, 0);
    const atTimes = new LimitLearner(OPTIONS, 0);
    const busy = new LimitLearner(OPTIONS, 0);
    for (let at = 0; at < 10_000; at += 200) {
      idle.sent(at, false);
      atTimes.sent(at, at % 400 === 0);
      busy.sent(at, true);
    }
    expect(levelsOf(idle)).toMatchObject([{ calls: 5, windowMs: 1_000 }]);
    expect(levelsOf(atTimes)).toMatchObject([{ calls: 5, windowMs: 1_000 }]);
    expect(levelsOf(busy)[0]?.calls).toBeGreaterThan(5);
  });
});

describe('a limit that Mason states', () => {
  test('wins over every guess, at once, and is not tried beyond', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    sendTaken(learner, 0, 900, 90);
    sendRefused(learner, 900, 1_000);
    learner.heard(answer(2_000, { stated: [stated(100, 1_000), stated(1_000, 3_600_000)] }), 2_000);
    expect(levelsOf(learner)).toEqual([
      { calls: 1_000, windowMs: 3_600_000, from: 'stated', takenBefore: undefined },
      { calls: 100, windowMs: 1_000, from: 'stated', takenBefore: undefined },
    ]);
    expect(learner.view(2_000, 0)).toMatchObject({ mode: 'stated', probesAt: undefined });
  });

  test('that is stated again, after a refusal, does not wipe out what was learnt from it', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    const says = [stated(100, 1_000)];
    learner.heard(answer(0, { stated: says }), 0);
    sendTaken(learner, 1_000, 2_000, 50);
    learner.sent(2_000, true);
    learner.heard(answer(2_000, { refused: true, askedMs: 1_000, stated: says }), 2_000);
    expect(levelsOf(learner)[0]).toMatchObject({ from: 'learnt', windowMs: 1_000 });
    learner.heard(answer(4_000, { stated: says }), 4_000);
    expect(levelsOf(learner)[0]?.calls).toBeLessThan(51);
  });

  test('without its window has the shortest that its end allows, and a longer one as soon as that is seen', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    learner.heard(answer(0, { stated: [stated(1_000, undefined, { resetMs: 40_000 })] }), 0);
    expect(levelsOf(learner)).toMatchObject([{ calls: 1_000, windowMs: 60_000 }]);
    learner.heard(answer(1_000, { stated: [stated(1_000, undefined, { resetMs: 3_599_000 })] }), 1_000);
    expect(levelsOf(learner)).toMatchObject([{ calls: 1_000, windowMs: 3_600_000 }]);
    learner.heard(answer(2_000, { stated: [stated(1_000, undefined)] }), 2_000);
    expect(levelsOf(learner)).toMatchObject([{ calls: 1_000, windowMs: 3_600_000 }]);
  });

  test('and that is used up already is waited for', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    learner.heard(answer(0, { stated: [stated(1_000, 3_600_000, { remaining: 0, resetMs: 20_000 })] }), 0);
    expect(learner.waitsUntil).toBe(20_000);
  });
});

describe('what is kept', () => {
  test('is all that decides: limits, refusals, counts and the wait, however long nobody ran', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    sendTaken(learner, 0, 200_000, 990);
    sendRefused(learner, 200_000, 3_400_000);
    sendRefused(learner, 260_000, 3_340_000);
    const state = parseKeptState(JSON.stringify(learner.state(261_000)));
    if (state === undefined) throw new Error('cannot be read back');
    const later = new LimitLearner(OPTIONS, 5_000, { state, ageMs: 100_000 });
    expect(later.waitsUntil).toBe(5_000 + 3_600_000 - 261_000 - 100_000);
    expect(later.tuning(1)).toEqual(learner.tuning(1));
    expect(later.view(5_000, 361_000)).toMatchObject({
      ...learner.view(361_000, 361_000),
      mode: 'holding',
      waitsUntil: 3_600_000,
    });
    sendRefused(later, 5_100, 3_200_000);
    expect(later.view(5_100, 0).refusals[0]?.taken).toBe(990);
  });

  test('stays small, and what is not of our making is not believed', () => {
    const learner = new LimitLearner(OPTIONS, 0);
    for (let at = 0; at < 200_000_000; at += 20_011) learner.sent(at, false);
    for (let round = 0; round < 40; round++) sendRefused(learner, 200_000_000 + round * 7_200_000, 3_600_000);
    const text = JSON.stringify(learner.state(500_000_000));
    expect(text.length).toBeLessThan(16_384);
    expect(parseKeptState(text)).toBeDefined();
    for (const bad of ['', '{}', 'null', '[', text.replace('"learnt"', '"told"'), ' '.repeat(40_000)]) {
      expect(parseKeptState(bad)).toBeUndefined();
    }
  });
});
