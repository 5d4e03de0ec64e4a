import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJsonObject } from '../../src/http/json-object.ts';

const parse = (text: string | Buffer): unknown => parseJsonObject(Buffer.from(text as string));

/** Writes JSON by hand, so that an object may have a name twice, and names may be written in other ways. */
type Tree =
  | { readonly kind: 'leaf'; readonly text: string }
  | { readonly kind: 'list' | 'object'; readonly of: Tree[] };

const written = (tree: Tree, twice: string | undefined, at = 0): string => {
  if (tree.kind === 'leaf') return tree.text;
  if (tree.kind === 'list') return `[${tree.of.map((each) => written(each, twice, at + 1)).join(' , ')}]`;
  const fields = tree.of.map((each, index) => `"f${index}" : ${written(each, twice, at + 1)}`);
  if (twice !== undefined) fields.push(`"twice":1`, `${twice} \n:"x"`);
  return `{${fields.join(',')}}`;
};

const leaf = fc.json({ maxDepth: 0 }).map((text): Tree => ({ kind: 'leaf', text }));
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc.record({ kind: fc.constantFrom('list', 'object'), of: fc.array(tie('tree'), { maxLength: 4 }) }),
  ),
}));
const objects = fc.array(tree, { maxLength: 4 }).map((of): Tree => ({ kind: 'object', of }));

describe('reading a body as one JSON object', () => {
  test('A valid object is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
        const text = JSON.stringify(value);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
    fc.assert(fc.property(objects, (given) => expect(parse(written(given, undefined))).toBeDefined()));
  });

  test('What JSON.parse refuses, and what is no object, is refused with our error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.uint8Array().map((b) => Buffer.from(b)),
        ),
        (given) => {
          const text = Buffer.from(given as string).toString();
          const isObject = /^\s*\{/.test(text);
          try {
            parse(given);
            expect(isObject).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_request' });
          }
        },
      ),
    );
  });

  test('A name twice in one object is found at any depth: readers differ on which one counts', () => {
    const spellings = fc.constantFrom('"twice"', '"twi\\u0063e"', '"\\u0074wice"');
    fc.assert(
      fc.property(objects, spellings, (given, twice) => {
        expect(() => parse(written(given, twice))).toThrow(/"twice" twice in one object/);
      }),
    );
    expect(() => parse('{"a":[{"b":{"devices":["1"],"devices":["2"]}}]}')).toThrow(/"devices" twice/);
    expect(() => parse('{"__proto__":1,"__proto__":2}')).toThrow(/"__proto__" twice/);
  });

  test('The same name in two objects, and a text that looks like a name, are not twice', () => {
    expect(parse('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}')).toBeDefined();
    expect(parse('{"a":"\\"a\\":","b":"a","c":["a","a"]}')).toBeDefined();
    expect(parse('{"a\\\\":1,"a":2}')).toEqual({ 'a\\': 1, a: 2 });
  });

  test.each([
    ['a list', '[{"devices":["1"]}]', 'a list'],
    ['null', 'null', 'null'],
    ['a text', '"x"', 'a string'],
    ['a number', '7', 'a number'],
    ['two objects', '{}{}', 'after JSON'],
    ['a trailing comma', '{"a":1,}', 'JSON'],
    ['a comment', '{/**/}', 'JSON'],
    ['nothing', '', 'JSON'],
  ])('%s is refused, in words', (_, text, words) => {
    expect(() => parse(text)).toThrow(new RegExp(`expected the body to be one JSON object: .*${words}`));
  });

  test('Bytes that are not UTF-8, or begin with a byte order mark, are refused: Mason could read them differently', () => {
    expect(() => parse(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toThrow('it is not UTF-8');
    expect(() => parse(Buffer.from('\ufeff{}'))).toThrow('one JSON object');
    expect(() => parse(Buffer.from('{"a":1}', 'utf16le'))).toThrow('one JSON object');
  });

  test('Deep nesting is refused before anything walks it', () => {
    const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    expect(parse(nested(64))).toBeDefined();
    expect(() => parse(nested(65))).toThrow('nested deeper than 64 levels');
    expect(() => parse(`{"a":${'['.repeat(100_000)}`)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(() => parse(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)).toThrow('nested deeper');
  });

  test('The largest body that a configuration can allow, all escapes, does not run out of stack', () => {
    const text = `{"a":"${'\\"'.repeat(8 * 1_048_576 - 8)}"}`;
    expect(parse(text)).toHaveProperty('a');
  });
});
