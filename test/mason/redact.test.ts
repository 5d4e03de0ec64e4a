import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formsOf, Redactor } from '../../src/mason/redact.ts';

const KEY = 'fdE+9/q="k3Y~mason&co';

/** The forms in which the outside world would write a key: worked out on their own, not by the code under test. */
const forms = (key: string): string[] => {
  const bytes = Buffer.from(key);
  return [
    key,
    JSON.stringify(key).slice(1, -1),
    encodeURIComponent(key),
    bytes.toString('base64'),
    bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ];
};

const redacted = (key: string, text: string, cuts: readonly number[]): Buffer => {
  const redactor = new Redactor(formsOf(key));
  const bytes = Buffer.from(text);
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const pieces = edges.slice(1).map((end, at) => redactor.push(bytes.subarray(edges[at], end)));
  return Buffer.concat([...pieces, redactor.end() ?? Buffer.alloc(0)]);
};

/** Keys with much repetition in them: beginnings that look like the end of another. */
const keys = fc.oneof(
  fc.string({ minLength: 8, maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 8, maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('*', 'a', '=', '"'), minLength: 8, maxLength: 12 }),
  fc.string({ unit: 'grapheme', minLength: 8, maxLength: 20 }),
);

const texts = (key: string): fc.Arbitrary<string> =>
  fc
    .array(
      fc.oneof(fc.constantFrom(...forms(key)), fc.string(), fc.constant(key.slice(0, -1)), fc.constant(key.slice(1))),
    )
    .map((parts) => parts.join(''));

describe('cutting keys out of what leaves', () => {
  test('Whatever the key, the text and the pieces it comes in: as long as before, and no form of the key is left', () => {
    const cases = keys.chain((key) => fc.tuple(fc.constant(key), texts(key), fc.array(fc.nat(), { maxLength: 12 })));
    fc.assert(
      fc.property(cases, ([key, text, cuts]) => {
        fc.pre(key.isWellFormed() && text.isWellFormed());
        const clean = redacted(key, text, cuts);
        expect(clean.length).toBe(Buffer.byteLength(text));
        expect(forms(key).filter((form) => clean.includes(form))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('Everything else passes untouched, whatever the pieces', () => {
    const cases = fc.tuple(fc.array(fc.string({ unit: 'binary' })), fc.array(fc.nat(), { maxLength: 12 }));
    fc.assert(
      fc.property(cases, ([parts, cuts]) => {
        const text = parts.join(KEY.slice(0, 9));
        fc.pre(text.isWellFormed() && !forms(KEY).some((form) => text.includes(form)));
        expect(redacted(KEY, text, cuts).toString()).toBe(text);
      }),
    );
  });

  test('Only the key itself is masked, at every place where it can be cut in two', () => {
    const text = `before ${KEY} after`;
    const expected = `before ${'*'.repeat(KEY.length)} after`;
    for (let cut = 0; cut <= text.length; cut++) expect(redacted(KEY, text, [cut]).toString()).toBe(expected);
  });

  test('Byte by byte, and twice in a row', () => {
    const text = `${KEY}${KEY}`;
    const cuts = Array.from(text, (_, at) => at);
    expect(redacted(KEY, text, cuts).toString()).toBe('*'.repeat(text.length));
  });

  test('What cannot become a key is not held back: the caller gets it at once', () => {
    const redactor = new Redactor(formsOf(KEY));
    expect(redactor.push(Buffer.from('plain text')).toString()).toBe('plain text');
    expect(redactor.push(Buffer.from(`x${KEY.slice(0, 5)}`)).toString()).toBe('x');
    expect(redactor.push(Buffer.from('?')).toString()).toBe(`${KEY.slice(0, 5)}?`);
    expect(redactor.end()).toBeUndefined();
    expect(redactor.found).toBe(0);
  });

  test('Each finding is counted: more than none means that Mason echoes keys', () => {
    const redactor = new Redactor(formsOf(KEY));
    redactor.push(Buffer.from(`${KEY} ${Buffer.from(KEY).toString('hex')}`));
    expect(redactor.text(`Basic ${KEY}`)).toBe(`Basic ${'*'.repeat(KEY.length)}`);
    expect(redactor.found).toBe(3);
  });

  test('A key with stars in it is masked by something else: the mask must not make up a key with its neighbours', () => {
    const key = '**secret**';
    expect(redacted(key, `${key}secret**`, []).includes(key)).toBe(false);
  });

  test('A key of fewer than eight bytes is not looked for: masking it would destroy every answer and hide nothing', () => {
    expect(formsOf('aaaaaaa').needles).toEqual([]);
    expect(new Redactor(formsOf('')).push(Buffer.from('aaaaaaa')).toString()).toBe('aaaaaaa');
  });

  test('The bytes of the wire are not written to', () => {
    const wire = Buffer.from(`x ${KEY}`);
    const before = Buffer.from(wire);
    new Redactor(formsOf(KEY)).push(wire);
    expect(wire.equals(before)).toBe(true);
  });
});
