import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AnswerBody, BodyTooLarge } from '../../src/mason/answer-body.ts';

/** The wire's end of a body: notes what is asked of it, and honours a pause as undici does, after the present piece. */
class Wire {
  paused = false;
  aborted: Error | undefined;
  readonly body = new AnswerBody({
    pause: () => {
      this.paused = true;
    },
    resume: () => {
      this.paused = false;
    },
    abort: (reason) => {
      this.aborted = reason;
      this.body.fail(reason);
    },
  });
}

const PIECES = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 });

test('every byte arrives once and in order, whenever the reader comes', async () => {
  await fc.assert(
    fc.asyncProperty(PIECES, fc.nat(20), fc.boolean(), async (pieces, before, ended) => {
      const { body } = new Wire();
      const heard: Buffer[] = [];
      const early = pieces.slice(0, before);
      const late = pieces.slice(before);
      for (const piece of early) body.push(Buffer.from(piece));
      if (ended && late.length === 0) body.end();
      const reading = body.read((chunk) => heard.push(chunk));
      for (const piece of late) body.push(Buffer.from(piece));
      if (!ended || late.length > 0) body.end();
      await reading;
      expect(Buffer.concat(heard)).toEqual(Buffer.concat(pieces));
    }),
  );
});

test('a body that nobody reads stops the wire, and a reader lets it go on', async () => {
  const wire = new Wire();
  for (let held = 0; held <= 65_536; held += 8_192) {
    expect(wire.paused).toBe(false);
    wire.body.push(Buffer.alloc(8_192));
  }
  expect(wire.paused).toBe(true);
  let bytes = 0;
  const reading = wire.body.read((chunk) => {
    bytes += chunk.length;
  });
  expect(wire.paused).toBe(false);
  wire.body.end();
  await reading;
  expect(bytes).toBe(73_728);
});

test('a reader that pauses while it takes what was held is not overrun', () => {
  const wire = new Wire();
  for (let held = 0; held <= 65_536; held += 8_192) wire.body.push(Buffer.alloc(8_192));
  void wire.body.read(() => wire.body.pause());
  expect(wire.paused).toBe(true);
  wire.body.resume();
  expect(wire.paused).toBe(false);
});

test('whole only once it has ended', () => {
  const { body } = new Wire();
  body.push(Buffer.from('a'));
  expect(body.whole()).toBeUndefined();
  body.push(Buffer.from('b'));
  body.end();
  expect(body.whole()?.toString()).toBe('ab');
});

test.each(['before', 'while'])('a body that breaks off %s it is read says so, after what had come', async (when) => {
  const { body } = new Wire();
  const heard: string[] = [];
  body.push(Buffer.from('half'));
  if (when === 'before') body.fail(new Error('broke off'));
  const reading = body.read((chunk) => heard.push(chunk.toString()));
  if (when === 'while') body.fail(new Error('broke off'));
  await expect(reading).rejects.toThrow('broke off');
  expect(heard).toEqual(['half']);
});

test('a body beyond the bound is given up, and one at the bound is not', async () => {
  for (const early of [true, false]) {
    const small = new Wire();
    const large = new Wire();
    const push = (): void => {
      small.body.push(Buffer.alloc(10));
      small.body.end();
      large.body.push(Buffer.alloc(11));
    };
    if (early) push();
    const collected = [small.body.collect(10), large.body.collect(10)] as const;
    if (!early) push();
    await expect(collected[0]).resolves.toHaveLength(10);
    await expect(collected[1]).rejects.toBeInstanceOf(BodyTooLarge);
    expect(large.aborted).toBeInstanceOf(Error);
  }
});

test('giving up is no use any more once it has ended', () => {
  const wire = new Wire();
  wire.body.end();
  wire.body.discard();
  expect(wire.aborted).toBeUndefined();
});
