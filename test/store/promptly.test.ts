import { describe, expect, test } from '@jest/globals';
import { promptly } from '../../src/store/promptly.ts';

describe('promptly', () => {
  test('Whoever waits for a store that never answers is told so, and their turn, when it comes, does nothing', async () => {
    let beginLate: () => void = () => {};
    const waiting = promptly((begin) => {
      beginLate = begin;
      return new Promise<never>(() => {});
    });
    await expect(waiting).rejects.toThrow('did not answer within');
    expect(beginLate).toThrow('did not answer within');
  });

  test('An answer and a failure pass as they are, and leave nothing behind that keeps the process', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    expect(
      await promptly(async (begin) => {
        begin();
        return 'yes';
      }),
    ).toBe('yes');
    const failure = new Error('no');
    await expect(promptly(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(timers()).toBe(before);
  });
});
