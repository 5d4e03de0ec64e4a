import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { providerDigest, returnPath } from '../../src/session/sign-in.ts';

const TAB = '\t';

describe('D1: after signing in, nobody is sent to another site', () => {
  test.each([
    '//evil.test',
    '///evil.test',
    '////evil.test',
    '/\\evil.test',
    '\\\\evil.test',
    '\\/evil.test',
    '/\\/evil.test',
    `/${TAB}/evil.test`,
    `/${TAB}\\evil.test`,
    `${TAB}//evil.test`,
    '/\n/evil.test',
    '/\r/evil.test',
    '/\r\n/evil.test',
    '\n//evil.test',
    ' //evil.test',
    ' /x',
    '/x y',
    '/\u0000/evil.test',
    '/\u007f/evil.test',
    '/.//evil.test',
    '/..//evil.test',
    '/./\\evil.test',
    '/x/..//evil.test',
    '/x/../..//evil.test',
    '/%2e//evil.test',
    '/%2e%2e//evil.test',
    '/.%2e//evil.test',
    '/%2f/evil.test',
    '/%2F%2Fevil.test',
    '/%5cevil.test',
    '/%5C/evil.test',
    '/%09/evil.test',
    '/%0d%0aSet-Cookie:%20a=b',
    '/%0aLocation:%20https://evil.test',
    '/%00',
    '/%7f',
    '/%252f%252fevil.test',
    '/x//y',
    'https://evil.test',
    'HTTPS://evil.test',
    'https:/evil.test',
    'https:evil.test',
    'http://gateway.invalid/x',
    'https://gateway.invalid/x',
    'https://gateway.invalid.evil.test',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'blob:https://evil.test/x',
    'mailto:a@b.test',
    'evil.test',
    'evil.test/x',
    '@evil.test',
    '?x=1',
    '#x',
    '.',
    '..',
    './x',
    '../x',
    '',
    `/${'x'.repeat(3_000)}`,
    '/\u3000/\u3000\\evil',
    undefined,
    null,
    7,
    true,
    {},
    [],
    ['/auth/account'],
    ['/x', '//evil.test'],
    { toString: () => '/x' },
    Symbol.iterator,
  ])('%p leads home', (value) => {
    expect(returnPath(value)).toBe('/');
  });

  test.each([
    ['/', '/'],
    ['/auth/account', '/auth/account'],
    ['/x?next=https://evil.test//&a=%2F%2F#//evil.test', '/x?next=https://evil.test//&a=%2F%2F#//evil.test'],
    ['/a/../b', '/b'],
    ['/./a/.', '/a/'],
    ['/\u00e9?\u00e9', '/%C3%A9?%C3%A9'],
    ['/x@evil.test', '/x@evil.test'],
    ['/:80', '/:80'],
    ['/https://evil.test', '/'],
  ])('%p leads to %p', (value, path) => {
    expect(returnPath(value)).toBe(path);
  });

  test('whatever comes, what goes is a path of this origin, however it is read, and twice the same', () => {
    const piece = fc.constantFrom(
      ...['/', '\\', '.', '..', '%2e', '%2f', '%5c', '%', '@', ':', '?', '#', ' ', TAB, '\n', '\r', '\0', 'evil.test'],
      ...['https:', '//', '\u2028', '\uff0f', '\uff0e', '\ud800', ';', '&', '%0a', '%25'],
    );
    const made = fc.array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.oneof(
          made.map((parts) => parts.join('')),
          made.map((parts) => `/${parts.join('')}`),
        ),
        (value) => {
          const path = returnPath(value);
          expect(path).toMatch(/^\/(?!\/)[\x21-\x7e]*$/);
          expect(path).not.toContain('\\');
          for (const base of ['https://gateway.example.com', 'http://localhost:8080/auth/callback?code=x']) {
            const read = new URL(path, base);
            expect(read.origin).toBe(new URL(base).origin);
            expect(read.pathname + read.search + read.hash).toBe(path);
          }
          expect(returnPath(path)).toBe(path);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

test('issuer and sid are kept apart: one cannot be moved into the other', () => {
  expect(providerDigest('https://a', 'b')).not.toBe(providerDigest('https://a"', ',"b'));
  expect(providerDigest('ab', 'c')).not.toBe(providerDigest('a', 'bc'));
});
