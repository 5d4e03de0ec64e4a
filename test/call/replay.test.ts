import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CallSignal } from '../../src/call/call-signal.ts';
import { replay } from '../../src/call/replay.ts';

const PIECES = fc.array(
  fc.integer({ min: 1, max: 50_000 }).map((length) => Buffer.alloc(length, length % 251)),
  { maxLength: 8 },
);

test('every byte is given once and in order, at the pace of its reader, and the pieces are let go', async () => {
  await fc.assert(
    fc.asyncProperty(PIECES, fc.func(fc.boolean()), async (pieces, isFull) => {
      let over = 0;
      const body = replay(pieces, new CallSignal(), () => {
        over += 1;
      });
      const heard: Buffer[] = [];
      let isPaused = false;
      await body.read((piece) => {
        expect(isPaused && heard.length > 1 && piece.length === 0).toBe(false);
        heard.push(piece);
        if (!isFull(heard.length)) return;
        body.pause();
        isPaused = true;
        setImmediate(() => {
          isPaused = false;
          body.resume();
        });
      });
      expect(Buffer.concat(heard).equals(Buffer.concat(pieces))).toBe(true);
      expect(over).toBe(1);
    }),
  );
});

test('a small one is whole at once, an empty one too', () => {
  expect(
    replay([Buffer.from('a'), Buffer.from('b')], new CallSignal(), () => {})
      .whole()
      ?.toString(),
  ).toBe('ab');
  expect(replay([], new CallSignal(), () => {}).whole()?.length).toBe(0);
});

test('no more of a large one is given than its reader takes', async () => {
  const pieces = Array.from({ length: 100 }, () => Buffer.alloc(10_000));
  const body = replay(pieces, new CallSignal(), () => {});
  let heard = 0;
  const reading = body.read(() => {
    heard += 1;
    if (heard === 10) body.pause();
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  // What it held before anybody read, and the one with which it was told to wait.
  expect(heard).toBeLessThan(12);
  body.resume();
  await reading;
  expect(heard).toBe(100);
});

test.each(['before all', 'before it is read', 'while it is read'])(
  'a call that ends %s is given no more, and lets the pieces go',
  async (when) => {
    const signal = new CallSignal();
    let over = 0;
    if (when === 'before all') signal.abort('left');
    const body = replay(
      Array.from({ length: 100 }, () => Buffer.alloc(10_000)),
      signal,
      () => {
        over += 1;
      },
    );
    if (when === 'before it is read') signal.abort('left');
    const reading = body.read(() => body.pause());
    signal.abort('left');
    await expect(reading).rejects.toMatchObject({ name: 'SendFailure', reason: 'left' });
    body.discard();
    expect(over).toBe(1);
  },
);
