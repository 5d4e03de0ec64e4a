import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fillPath, queryText } from '../../src/client/target.ts';
import { readRequestTarget } from '../../src/http/request-target.ts';

const PATH = '/v1/default/group/{name}/device';
const treacherous = fc.constantFrom(
  '/',
  '\\',
  '.',
  '..',
  '%',
  '%2f',
  '%25',
  '／',
  '％',
  '．',
  ';',
  '\0',
  '\n',
  '?',
  '#',
  '\ud800',
  'ü',
  ' ',
);
const names = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(treacherous, { maxLength: 4 }).map((parts) => parts.join('')),
);

describe('a name in a path', () => {
  test('Whatever it is, it is refused here, or the gateway reads it as that one segment', () => {
    fc.assert(
      fc.property(names, (name) => {
        let path: string;
        try {
          path = fillPath(PATH, { name });
        } catch (error) {
          expect((error as Error).name).toBe('TypeError');
          return;
        }
        const read = readRequestTarget(path, 'gateway').path.split('/');
        expect(read).toHaveLength(6);
        expect(decodeURIComponent(read[4] as string)).toBe(name);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['Lobby', 'a b', 'ü', 'a;b', 'a?b', 'a#b', '50 %', 'a.b', '...', "it's", 'a@b:c'])('%j is one', (name) => {
    expect(decodeURIComponent(fillPath('/{name}', { name }).slice(1))).toBe(name);
    expect(() => readRequestTarget(fillPath(PATH, { name }), 'gateway')).not.toThrow();
  });

  test.each([
    ['', 'not empty'],
    ['a/b', 'slash'],
    ['a\\b', 'slash'],
    ['a／b', 'slash'],
    ['..', 'expected a name'],
    ['.', 'expected a name'],
    ['a%2fb', 'encoded already'],
    ['a\nb', 'control character'],
    ['\ud800', 'half a character'],
  ])('%j is none, and one hears why', (name, why) => {
    expect(() => fillPath(PATH, { name })).toThrow(why);
  });

  test('What a caller without types leaves out is refused', () => {
    expect(() => fillPath(PATH, {})).toThrow('name: expected a text');
    expect(() => fillPath(PATH, { name: 7 as unknown as string })).toThrow('name: expected a text');
  });
});

describe('a query', () => {
  test('Any text of it arrives as it was, and the gateway takes it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
        const text = queryText({ limit: 5, after: value, before: undefined, slide: false });
        const { query } = readRequestTarget(`/v1/default/device${text}`, 'gateway');
        expect([...new URLSearchParams(query)]).toEqual([
          ['limit', '5'],
          ['after', value],
          ['slide', 'false'],
        ]);
      }),
    );
  });

  test('Nothing to ask is nothing', () => expect(queryText({ a: undefined })).toBe(''));
});
