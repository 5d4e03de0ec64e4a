import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HeadTap } from '../../src/simulator/record/head-tap.ts';

interface Sent {
  readonly head: string;
  readonly body: string;
}

const WORD = fc.stringMatching(/^[a-z\xe4\xff]{1,12}$/);
const BODY = fc.stringMatching(/^[ -~\r\n]{0,40}$/);
const PLAIN = WORD.map(
  (word): Sent => ({ head: `GET /${word} HTTP/1.1\r\nHost: m\r\nX-Odd:\t ${word} \r\n\r\n`, body: '' }),
);
const WITH_LENGTH = fc.tuple(WORD, BODY).map(
  ([word, body]): Sent => ({
    head: `POST /${word} HTTP/1.1\r\nhost: m\r\nCONTENT-length: ${body.length}\r\n\r\n`,
    body,
  }),
);
const CHUNKED = fc.tuple(fc.array(BODY.filter((body) => body !== '')), fc.boolean()).map(([chunks, trailer]): Sent => {
  const sent = chunks.map((chunk) => `${chunk.length.toString(16)};note=1\r\n${chunk}\r\n`).join('');
  return {
    head: 'POST /c HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n',
    body: `${sent}0\r\n${trailer ? 'X-Sum: GET / HTTP/1.1\r\n' : ''}\r\n`,
  };
});
/** Empty lines between requests: the next head begins with them. */
const BLANK = PLAIN.map((sent): Sent => ({ ...sent, head: `\r\n\r\n${sent.head}` }));

test('however requests are pipelined and their bytes split, each head is kept exactly as it came', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(PLAIN, WITH_LENGTH, CHUNKED, BLANK), { minLength: 1, maxLength: 8, size: 'max' }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 60 }),
      (sent, sizes) => {
        const bytes = Buffer.from(sent.map(({ head, body }) => head + body).join(''), 'latin1');
        const tap = new HeadTap();
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          tap.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(sent.map(() => tap.next())).toEqual(sent.map(({ head }) => head));
        expect(tap.rest()).toBe('');
      },
    ),
  );
});

test('what never becomes a head is kept up to a bound, so that a flood does not fill the memory', () => {
  const tap = new HeadTap();
  for (let at = 0; at < 64; at += 1) tap.push(Buffer.alloc(64 * 1024, 'x'));
  expect(tap.rest().length).toBeLessThan(400 * 1024);
});
