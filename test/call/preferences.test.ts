import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { urgency, waitMs } from '../../src/call/preferences.ts';

const wait = (prefer: string | undefined): number => waitMs(prefer === undefined ? {} : { prefer }, 30_000, 120_000);

describe('Prefer', () => {
  test.each([
    [undefined, 30_000],
    ['respond-async', 30_000],
    ['wait=0', 0],
    ['wait=5', 5_000],
    ['WAIT = 5', 5_000],
    ['wait="5"', 5_000],
    ['respond-async, wait=5', 5_000],
    ['return=minimal; foo="bar", wait=5', 5_000],
    ['wait=119', 119_000],
    ['wait=999999999', 120_000],
    ['await=5', 30_000],
    ['waiting=5', 30_000],
  ])('%s means %s ms', (prefer, expected) => {
    expect(wait(prefer)).toBe(expected);
  });

  test.each(['wait=', 'wait=-1', 'wait=1.5', 'wait=abc', 'wait=1e3', 'wait=0x10', 'wait=99999999999'])(
    '%s is refused, not guessed at',
    (prefer) => {
      expect(() => wait(prefer)).toThrow(/expected "Prefer: wait=<seconds>", got "wait=/);
    },
  );

  test('Whatever comes, the wait is within its bounds or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((s) => `wait=${s}`),
        ),
        (prefer) => {
          try {
            const ms = wait(prefer);
            expect(ms >= 0 && ms <= 120_000).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_request' });
          }
        },
      ),
    );
  });
});

describe('Priority', () => {
  test.each([
    [undefined, 0, 3],
    ['u=0', 0, 0],
    ['u=7', 0, 7],
    ['i, u=5', 0, 5],
    ['u=5, i', 0, 5],
    ['u=5;x=1', 0, 5],
    ['u=8', 0, 3],
    ['u=-1', 0, 3],
    ['u=10', 0, 3],
    ['urgent', 0, 3],
    ['bu=1', 0, 3],
    ['', 0, 3],
    ['u=0', 2, 2],
    ['u=5', 2, 5],
    [undefined, 5, 5],
  ])('%s under a token that may at most u=%s is urgency %s', (priority, urgencyMin, expected) => {
    expect(urgency(priority === undefined ? {} : { priority }, urgencyMin)).toBe(expected);
  });
});
