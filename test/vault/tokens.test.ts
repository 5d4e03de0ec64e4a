import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isWellFormedToken, newToken, tokenDigest } from '../../src/vault/tokens.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

describe('gateway tokens', () => {
  test('have the documented form, and no two are the same', () => {
    const tokens = Array.from({ length: 2_000 }, newToken);
    for (const token of tokens) {
      expect(token).toMatch(/^mgw_[0-9A-Za-z]{36}$/);
      expect(isWellFormedToken(token)).toBe(true);
    }
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  test('use every character equally often: a biased generator is easier to guess', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 4_000; n += 1) {
      for (const character of newToken().slice(4, 34)) counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    const expected = (4_000 * 30) / 62;
    const chiSquare = [...BASE62].reduce((sum, c) => sum + ((counts.get(c) ?? 0) - expected) ** 2 / expected, 0);
    // 61 degrees of freedom: above 140 once in 10^8 runs; modulo 256 without rejection gives about 470.
    expect(chiSquare).toBeLessThan(140);
  });

  test('a token with one character wrong is refused without a look-up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 39 }), fc.constantFrom(...BASE62), (place, character) => {
        const token = newToken();
        fc.pre(token[place] !== character);
        expect(isWellFormedToken(token.slice(0, place) + character + token.slice(place + 1))).toBe(false);
      }),
    );
  });

  test('a token cut, lengthened, or with two neighbours swapped is refused', () => {
    fc.assert(
      fc.property(fc.nat({ max: 39 }), fc.string({ minLength: 1, maxLength: 8 }), (length, tail) => {
        const token = newToken();
        expect(isWellFormedToken(token.slice(0, length))).toBe(false);
        expect(isWellFormedToken(token + tail)).toBe(false);
        expect(isWellFormedToken(`${token}\n`)).toBe(false);
        const [a, b] = [token.charAt(10), token.charAt(11)];
        fc.pre(a !== b);
        expect(isWellFormedToken(token.slice(0, 10) + b + a + token.slice(12))).toBe(false);
      }),
    );
  });

  test('whatever a stranger sends is judged, never thrown over', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => !isWellFormedToken(text)));
  });

  test('the checksum is the CRC-32 that scanners for leaked secrets compute', () => {
    // computed elsewhere (Python): zlib.crc32(b'mgw_' + b'0' * 30) = 3486368793, in base62 3nwRmj.
    expect(isWellFormedToken('mgw_0000000000000000000000000000003nwRmj')).toBe(true);
  });

  test('digests are SHA-256 in base64url', () => {
    expect(tokenDigest('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
  });
});
