import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { boundedText, canonicalJson } from '../../src/audit/canonical-json.ts';
import { eventLine } from '../../src/audit/event-line.ts';
import type { RecordEvent } from '../../src/domain/event.ts';
import { sampleAct, sampleIntent, sampleOutcome } from './sample-events.ts';

const TOKEN = 'mgw_0123456789abcdefghijABCDEFGHIJ0f3Kz9';
/** Anything: lone surrogates, line ends, terminal sequences, tokens, and a great length of it. */
const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    '\r\n',
    '\u001b[31m',
    '\u009b2J',
    '\u2028',
    '\u2029',
    '\u202e',
    '\ud800',
    TOKEN,
    `x${TOKEN}\n`,
    '"',
    '\\',
    '__proto__',
    '7',
  ),
  fc.nat({ max: 4 }).map((n) => `${'💥'.repeat(n * 150)}${TOKEN}`),
);
const hostileNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, Infinity, -0, 1.7e308));

const hostileEvent: fc.Arbitrary<RecordEvent> = fc.oneof(
  fc
    .record({
      requestId: hostileText,
      path: hostileText,
      method: hostileText,
      team: hostileText,
      app: hostileText,
      at: hostileNumber,
    })
    .map(({ app, ...fields }) => sampleIntent({ ...fields, actor: { kind: 'app', app, address: app } })),
  fc
    .record({
      callerRequestId: hostileText,
      status: hostileNumber,
      queueMs: hostileNumber,
      failure: hostileText,
      targets: fc.array(hostileText, { maxLength: 5 }),
    })
    .map(({ failure, targets, ...fields }) =>
      sampleOutcome({
        ...fields,
        attempts: [{ startMs: 0, durationMs: 1, failure }],
        targets: targets.map((name) => ({ kind: 'device', name })),
      }),
    ),
  fc
    .record({
      act: hostileText,
      details: fc.dictionary(hostileText, fc.oneof(hostileText, hostileNumber, fc.boolean())),
    })
    .map((fields) => sampleAct(fields)),
);

describe('the line of an event', () => {
  test('is one line of printable ASCII, whatever the event holds', () => {
    fc.assert(
      fc.property(hostileEvent, (event) => {
        const lines = eventLine(event).split('\n');
        expect(lines.pop()).toBe('');
        expect(lines).toHaveLength(event.kind !== 'admin' && (event.targets?.length ?? 0) > 0 ? 2 : 1);
        for (const line of lines) expect(line).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });

  test('is canonical: parsed and written again it is the same bytes', () => {
    fc.assert(
      fc.property(hostileEvent, (event) => {
        for (const line of eventLine(event).trimEnd().split('\n')) expect(canonicalJson(JSON.parse(line))).toBe(line);
      }),
    );
  });

  test('gives back what was put in, bounded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (path) => {
        const parsed = JSON.parse(eventLine(sampleOutcome({ path, callerRequestId: path })));
        expect(parsed.path).toBe(path);
        expect(parsed.callerRequestId).toBe(boundedText(path, 128));
      }),
    );
  });

  test('never holds a token, whole or cut', () => {
    fc.assert(
      fc.property(hostileEvent, (event) => {
        expect(eventLine(event)).not.toMatch(/mgw_[0-9A-Za-z]/);
      }),
    );
  });

  test('stays short when a megabyte is put into every field', () => {
    const long = `\r\n\u001b[31m${'é'.repeat(1_000_000)}`;
    const fields = {
      requestId: long,
      path: long,
      method: long,
      team: long,
      teamId: long,
      operation: long,
      callerRequestId: long,
    };
    const line = eventLine(
      sampleOutcome({ ...fields, actor: { kind: 'app', app: long, tokenId: long, address: long } }),
    );
    expect(line.split('\n')).toHaveLength(2);
    expect(line.length).toBeLessThan(20_000);
    expect(JSON.parse(line).path).toMatch(/…$/);
  });

  test('leaves out fields that nobody named', () => {
    const event = { ...sampleIntent(), body: 'secret', headers: { authorization: 'secret' } };
    expect(eventLine(event)).not.toContain('secret');
  });

  test('holds targets as their count and the digest of the sorted list', () => {
    const targets = ['b', 'a', 'c'].map((name) => ({ kind: 'device' as const, name }));
    const [line = '', list = ''] = eventLine(sampleIntent({ targets })).split('\n');
    expect(list).toBe('["device","a","device","b","device","c"]');
    expect(JSON.parse(line).targets).toEqual({ count: 3, sha256: createHash('sha256').update(list).digest('hex') });
    expect(eventLine(sampleIntent({ targets: targets.toReversed() }))).toBe(`${line}\n${list}\n`);
  });

  test('tells with which call a read was joined, behind the error code', () => {
    const line = eventLine(
      sampleOutcome({ attempts: [], joined: 'request-0', errorSource: 'mason', errorCode: 'none' }),
    );
    expect(line).toContain('"errorCode":"none","joined":"request-0","attempts":[],"queueMs":1,');
    expect(eventLine(sampleOutcome())).not.toContain('joined');
    expect(JSON.parse(eventLine(sampleOutcome({ joined: 'x'.repeat(1_000) }))).joined).toHaveLength(128);
  });

  test('keeps its bytes: a change here breaks every record there is', () => {
    expect(eventLine(sampleAct({ details: { b: 1, a: 'x' } }))).toBe(
      '{"v":1,"kind":"admin","at":1790000000000,"requestId":"request-1","actor":{"kind":"operator","account":"root"},"act":"team.add","details":{"a":"x","b":1},"result":"done"}\n',
    );
  });
});
