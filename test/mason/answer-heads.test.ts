import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endedUnderRequest, watchAnswerHeads } from '../../src/mason/answer-heads.ts';

function fakeSocket(wire: Buffer[], destroy: (error: Error) => void): Socket {
  const read = () => wire.shift() ?? null;
  return Object.assign(new EventEmitter(), { read, write: () => true, destroy }) as unknown as Socket;
}

/** What a reader of the socket gets when the wire brings `bytes` in pieces of these sizes after a request was written. */
function passed(bytes: Buffer, sizes: readonly number[]): { bytes: string; refused: string | undefined } {
  const wire: Buffer[] = [];
  let refused: string | undefined;
  const socket = fakeSocket(wire, (error) => {
    refused ??= error.message;
  });
  watchAnswerHeads(socket, 'many');
  socket.write('GET / HTTP/1.1\r\n\r\n');
  const heard: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length && refused === undefined; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    wire.push(bytes.subarray(at, at + size));
    at += size;
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) heard.push(chunk);
  }
  return { bytes: Buffer.concat(heard).toString('latin1'), refused };
}

const SIZES = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
const INTERIM = fc.tuple(
  fc.constantFrom('100 Continue', '102 Processing', '103 ', '199 x'),
  fc.constantFrom('', 'Link: </a>\r\n'),
);
const FINAL = fc
  .tuple(fc.integer({ min: 200, max: 599 }), fc.stringMatching(/^[ -~\r\n]{0,60}$/))
  .map(([status, body]) => `HTTP/1.1 ${status} Words\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
const BROKEN = fc.constantFrom(
  'HTTP/1.1 000 Nothing',
  'HTTP/1.1 099 Early',
  'HTTP/1.1 101 Switching',
  'HTTP/1.1 600 Beyond',
  'HTTP/1.1 1000 Beyond',
  'HTTP/1.1 2000 Beyond',
  'HTTP/1.1  200 OK',
  'HTTP/2 200 OK....',
  'http/1.1 200 OK',
  'HTTP/1.1 100Continue',
  '\x16\x03\x01 a TLS record',
);

test('interim answers are skipped and the final one passes whole, however its bytes are split', () => {
  fc.assert(
    fc.property(fc.array(INTERIM, { maxLength: 5 }), FINAL, SIZES, (interim, final, sizes) => {
      const before = interim.map(([status, lines]) => `HTTP/1.1 ${status}\r\n${lines}\r\n`).join('');
      expect(passed(Buffer.from(before + final, 'latin1'), sizes)).toEqual({ bytes: final, refused: undefined });
    }),
  );
});

test('what is no status line is refused before the parser sees a byte of it, also behind interim answers', () => {
  fc.assert(
    fc.property(fc.array(INTERIM, { maxLength: 3 }), BROKEN, SIZES, (interim, line, sizes) => {
      const before = interim.map(([status, lines]) => `HTTP/1.1 ${status}\r\n${lines}\r\n`).join('');
      const { bytes, refused } = passed(Buffer.from(`${before}${line}\r\n\r\n`, 'latin1'), sizes);
      expect(bytes).toBe('');
      expect(refused).toMatch(/^bad response/);
    }),
  );
});

test('an interim answer without end is not held', () => {
  const { bytes, refused } = passed(Buffer.from(`HTTP/1.1 103 x\r\nLink: ${'x'.repeat(20_000)}`), [1_000]);
  expect(bytes).toBe('');
  expect(refused).toMatch(/endless/);
});

test('a body is not looked at, whatever it looks like', () => {
  const final = 'HTTP/1.1 200 OK\r\n\r\n';
  const body = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 000 x\r\n\r\n';
  expect(passed(Buffer.from(final + body), [final.length, 5, 30])).toEqual({ bytes: final + body, refused: undefined });
});

test('an answer that comes while the request is still written is looked at once: what follows is its body', () => {
  const wire: Buffer[] = [];
  const socket = fakeSocket(wire, (error) => {
    throw error;
  });
  watchAnswerHeads(socket, 'one');
  socket.write('POST / HTTP/1.1\r\n\r\n');
  wire.push(Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'), Buffer.from('HTTP/1.1 000 body'));
  expect(String(socket.read())).toBe('HTTP/1.1 200 OK\r\n\r\n');
  socket.write('more of the request');
  expect(String(socket.read())).toBe('HTTP/1.1 000 body');
});

test.each([
  ['has idled, and was written to', ['write', 'answer', 'write'], true],
  ['is new', ['write'], false],
  ['idles', ['write', 'answer'], false],
  ['has begun to answer again', ['write', 'answer', 'write', 'piece'], false],
] as const)('a connection that %s ends: does that say nothing against Mason?', (_, steps, expected) => {
  const wire: Buffer[] = [];
  const socket = fakeSocket(wire, () => undefined);
  socket.on('error', () => undefined);
  watchAnswerHeads(socket, 'many');
  for (const step of steps) {
    if (step === 'write') {
      socket.write('GET / HTTP/1.1\r\n\r\n');
      continue;
    }
    wire.push(Buffer.from(step === 'piece' ? 'HTTP' : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    socket.read();
  }
  const error = new Error('reset');
  socket.emit('error', error);
  expect(endedUnderRequest(error)).toBe(expected);
});
