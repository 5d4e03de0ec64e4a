import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatewayError } from '../../src/domain/errors.ts';
import { readRequestTarget, TARGET_BYTES_MAX } from '../../src/http/request-target.ts';

const HOST = 'gateway.example:8080';

function codeOf(raw: string): string {
  try {
    readRequestTarget(raw, HOST);
    return 'taken';
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

/** What paths are made of, sound and hostile. */
const PIECE = fc.oneof(
  fc.constantFrom('/', '.', '..', 'a', 'v1', '%2e', '%2E', '%2f', '%5c', '\\', ';', '%3b', '//', '%00', '%25', '%252e'),
  fc.constantFrom('?', '#', '%', '%zz', '%c0%ae', '%ef%bc%8f', '%ef%bc%8e', '%e2%80%a5', '@', ':', '\x7f', '\xe4', ' '),
  fc.stringMatching(/^[\x20-\xff]{0,3}$/),
);
const TARGET = fc.array(PIECE, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);

test('whatever comes is taken as its very bytes, or refused with a reason', () => {
  fc.assert(
    fc.property(TARGET, (raw) => {
      if (codeOf(raw) !== 'taken') return;
      const { path, query } = readRequestTarget(raw, HOST);
      expect(path + query).toBe(raw);
    }),
    { numRuns: 2_000 },
  );
});

test('what is taken means the same to a server that normalises (WHATWG URL, RFC 3986 5.2.4)', () => {
  fc.assert(
    fc.property(TARGET, (raw) => {
      if (codeOf(raw) !== 'taken') return;
      const { path } = readRequestTarget(raw, HOST);
      expect(new URL(`http://m${path}`).pathname).toBe(path);
      for (const segment of path.split('/').slice(1, -1)) expect(segment).not.toBe('');
      // And to one that decodes first, normalises and then splits.
      const twice = decodeURIComponent(path).normalize('NFKC');
      expect(twice.split(/[/\\]/)).toHaveLength(path.split('/').length);
      expect(twice).not.toMatch(/\p{Cc}/u);
    }),
    { numRuns: 2_000 },
  );
});

describe.each([
  ['a plain path', '/v1/default/device', 'taken'],
  ['the root', '/', 'taken'],
  ['a slash at the end', '/v1/', 'taken'],
  ['three dots', '/v1/...', 'taken'],
  ['a percent sign of its own', '/v1/100%25', 'taken'],
  ['anything printable in the query', '/v1?../;\\//%2f%zz', 'taken'],
  ['this authority in absolute form', `http://${HOST}/v1?a`, 'taken'],
  ['this authority in other case', `HTTP://GATEWAY.example:8080/v1`, 'taken'],
  ['another authority', 'http://evil.example/v1', 'invalid_path'],
  ['this authority without its port', 'http://gateway.example/v1', 'invalid_path'],
  ['another scheme', `ftp://${HOST}/v1`, 'invalid_path'],
  ['nothing', '', 'invalid_path'],
  ['no slash', 'v1', 'invalid_path'],
  ['a parent segment behind the authority', `http://${HOST}/../v1`, 'invalid_path'],
  ['a target at the bound', `/${'a'.repeat(TARGET_BYTES_MAX - 1)}`, 'taken'],
  ['a target beyond the bound', `/${'a'.repeat(TARGET_BYTES_MAX)}`, 'uri_too_long'],
])('%s', (_, raw, expected) => {
  test(`is ${expected}`, () => expect(codeOf(raw)).toBe(expected));
});

test('the words of a refusal are short, printable and say what came', () => {
  const raw = `/..\x01\xff${'x'.repeat(500)}`;
  expect(() => readRequestTarget(raw, HOST)).toThrow(/\/\.\.\\\\x1\\\\xff/);
  try {
    readRequestTarget(raw, HOST);
  } catch (error) {
    expect((error as Error).message).toMatch(/^[\x20-\x7e]{1,260}$/);
  }
});

test('a long hostile path costs no more than its length', () => {
  for (const piece of ['/a', '/.', '/%2e', '/a.', '//', '%2']) {
    const raw = `/${piece.repeat(4_000)}`.slice(0, TARGET_BYTES_MAX - 1);
    const began = performance.now();
    for (let round = 0; round < 20; round += 1) codeOf(`${raw}\\`);
    expect(performance.now() - began).toBeLessThan(5_000);
  }
});
