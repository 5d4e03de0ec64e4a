import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CSV_HEAD, csvEvent } from '../../../src/audit/formats/csv.ts';
import { csvCell } from '../../../src/audit/formats/csv-cell.ts';
import { sampleAct, sampleIntent, sampleOutcome } from '../sample-events.ts';
import { asText, exported } from './told.ts';

/** Rows of cells, as RFC 4180 says; between them stands `separator`. */
function readCsv(text: string, separator = ','): string[][] {
  const rows: string[][] = [];
  let cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (isQuoted && character === '"' && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (character === '"' && (isQuoted || cell === '')) {
      isQuoted = !isQuoted;
    } else if (isQuoted) {
      cell += character;
    } else if (character === separator) {
      cells.push(cell);
      cell = '';
    } else if (character === '\r' && text[at + 1] === '\n') {
      rows.push([...cells, cell]);
      cells = [];
      cell = '';
      at += 1;
    } else {
      cell += character;
    }
  }
  return rows;
}

function asRow(event: Parameters<typeof exported>[0]): Readonly<Record<string, string>> {
  const [head = [], row = []] = readCsv(CSV_HEAD + asText(csvEvent(exported(event))));
  expect(row).toHaveLength(head.length);
  return Object.fromEntries(head.map((name, place) => [name, row[place] ?? '']));
}

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '"', "'", ';', ',', ' ', '\u00a0', '\uff1d', '\uff20'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const FORMULA = /^[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20]/;

describe('CSV of the record, in which callers have written names, paths and ids of their choice', () => {
  test('parsed, each cell is what was written, but for apostrophes before what would be a formula', () => {
    const unmarked = (text: string): string => text.replaceAll("'", '');
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 2, maxLength: 6 }), (values) => {
        const [row = []] = readCsv(`${values.map(csvCell).join(',')}\r\n`);
        expect(row.map(unmarked)).toEqual(values.map(unmarked));
        for (const [place, value] of values.entries()) {
          if (!/[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(value)) expect(row[place]).toBe(value);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('no cell begins like a formula, however a spreadsheet cuts cells and trims them', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 6 }), (values) => {
        const line = `${values.map(csvCell).join(',')}\r\n`;
        for (const cell of readCsv(line).flat()) expect(cell).not.toMatch(/^[\t\r]/);
        // Some take quotes for nothing, others read ";", tabs and line breaks as the ends of cells.
        const starts = [...readCsv(line).flat(), ...readCsv(line, ';').flat(), ...line.split(/[;\t\r\n]/)];
        expect(starts.filter((start) => FORMULA.test(start))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    '=HYPERLINK("http://evil")',
    '  =1+1',
    '"=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    'x;=cmd()',
    'x\n=1',
  ])('%j is text', (attack) => {
    const row = asRow(sampleOutcome({ callerRequestId: attack }));
    expect(row['callerRequestId']).toContain("'");
  });

  test('numbers are numbers, names keep their letters, lists and details are JSON', () => {
    const row = asRow(
      sampleIntent({
        team: 'Zoë 店',
        targets: [
          { kind: 'group', name: 'a,b' },
          { kind: 'device', name: '"x"' },
        ],
      }),
    );
    expect(row).toMatchObject({
      kind: 'intent',
      seq: '1',
      time: '2026-09-21T14:13:20.000Z',
      team: 'Zoë 店',
      status: '',
    });
    expect(JSON.parse(row['targets'] ?? '')).toEqual(['device', '"x"', 'group', 'a,b']);
    expect(asRow(sampleOutcome())).toMatchObject({ status: '200', queueMs: '1', gatewayMs: '0.5', bytesOut: '512' });
    expect(JSON.parse(asRow(sampleAct())['details'] ?? '')).toEqual({ team: 'ops' });
  });

  test('no field of an event is left out', () => {
    const source = readFileSync(new URL('../../../src/audit/event-line.ts', import.meta.url), 'utf8');
    const fields = [...source.matchAll(/(?:name|text|number)\('(\w+)'/g)].map(([, field]) => field as string);
    const ofAttempts = ['startMs', 'durationMs', 'failure'];
    const columns = CSV_HEAD.trim().split(',');
    const missing = fields.filter(
      (field) => !ofAttempts.includes(field) && !columns.includes(field) && !columns.includes(`actor.${field}`),
    );
    expect(missing).toEqual([]);
  });

  test('an event whose bytes were let go has its place, and what is left', () => {
    const { line: _, ...left } = exported(sampleOutcome(), 7);
    const text = asText(csvEvent({ ...left, line: undefined, targets: [] }));
    expect(text).toMatch(/^gw-1\/\w+,7,2026-09-21T14:13:20\.000Z,outcome,.*,[0-9a-f]{64}\r\n$/);
  });
});
