import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fault } from '../../src/simulator/faults/fault.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { eventually, expectRefusal, openBench, type RawBench } from '../support/raw-bench.ts';

const FIRST_BYTE_MS = 600;
const IDLE_MS = 600;
const TOTAL_MS = 2_500;

let bench: RawBench;
beforeAll(async () => {
  bench = await openBench({
    mason: { firstByteMs: FIRST_BYTE_MS, idleMs: IDLE_MS, totalMs: TOTAL_MS },
    lane: { pauseMsMax: 1_000 },
  });
  await bench.good();
});
// The very process that met all of it still serves.
afterEach(async () => {
  await bench.sim.clearFaults();
  await bench.good();
});
afterAll(() => bench.close());

const GROUPS = '/v1/default/group';
const BODY = '{"name":"hostile"}';
const raw = (text: string): Fault => ({ kind: 'raw', base64: Buffer.from(text, 'latin1').toString('base64') });
const line = (text: string): Fault => ({ kind: 'status-line', line: text });
const head = (lines: string, body = '{}'): Fault =>
  raw(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${lines}\r\n${body}`);

/** Every call to the groups meets this, the sound one to the devices does not. */
async function plan(fault: Fault, times: number | 'always' = 'always'): Promise<void> {
  await bench.forget();
  await bench.sim.faults({ match: { path: GROUPS }, times, fault });
}

async function ask(method: 'GET' | 'POST', wait = 1): Promise<RawAnswer> {
  using socket = await bench.open();
  const body = method === 'GET' ? '' : `Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
  await socket.write(`${method} ${GROUPS} HTTP/1.1\r\n${bench.auth}Prefer: wait=${wait}\r\n${body || '\r\n'}`);
  const answer = await socket.answer();
  expect(socket.rest).toBe('');
  return answer;
}

/** Nothing of Mason's strange words, and not where it stands. */
function expectNothingInside(answer: RawAnswer): void {
  expect(answer.headers).not.toHaveProperty('set-cookie');
  expect(answer.body.toString('latin1')).not.toMatch(new RegExp(`pwn|evil|<html|${bench.sim.port}`));
}

const lastOutcome = async (): Promise<Readonly<Record<string, unknown>> | undefined> =>
  (await bench.gateway.record({ kind: 'outcome' })).find(({ operation }) => String(operation).startsWith('group.'));

const NOT_HTTP: readonly (readonly [danger: string, rfc: string, fault: Fault])[] = [
  ['a status of 000', '9110 15', line('HTTP/1.1 000 ')],
  ['a status of 099', '9110 15', line('HTTP/1.1 099 Early')],
  ['a status of 600', '9110 15', line('HTTP/1.1 600 Beyond')],
  ['a status of 999', '9110 15', line('HTTP/1.1 999 Beyond')],
  ['a status of two digits', '9112 4', line('HTTP/1.1 20 OK')],
  ['a status of four digits', '9112 4', line('HTTP/1.1 2000 OK')],
  ['four digits that begin like an interim answer', '9112 4', line('HTTP/1.1 1000 OK')],
  ['a negative status', '9112 4', line('HTTP/1.1 -20 OK')],
  ['a status in words', '9112 4', line('HTTP/1.1 OK 200')],
  ['two spaces before the status', '9112 4', line('HTTP/1.1  200 OK')],
  ['a lower-case version', '9112 2.3', line('http/1.1 200 OK')],
  ['another version', '9112 2.3', line('HTTP/2 200 OK')],
  ['another protocol', '9112 2.3', line('ICY 200 OK stream')],
  ["another protocol's greeting", '9112 2.3', raw('220 smtp.evil.example ESMTP ready to serve\r\n')],
  ['a page without a head (HTTP/0.9)', '9112 2.3', raw('<html><body>hello from HTTP/0.9</body></html>')],
  ['a TLS alert', '9112 2.3', raw('\x15\x03\x01\x00\x02\x02\x46 and some more bytes')],
  ['101 unasked', '9110 15.2.2', { kind: 'switching-protocols' }],
  ['101 unasked, without an upgrade', '9110 15.2.2', raw('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
  ['101 behind 103', '9110 15.2.2', raw('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Go\r\n\r\n')],
  ['000 behind 103', '9110 15', raw('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 000 Nothing\r\n\r\n')],
  ['garbage behind 100', '9110 15', raw('HTTP/1.1 100 Continue\r\n\r\n\x00\x01\x02\x03garbage\r\n\r\n')],
  ['an interim answer of 64 KB', '9110 15.2', raw(`HTTP/1.1 103 Early Hints\r\nLink: ${'x'.repeat(65_536)}\r\n\r\n`)],
  ['Content-Length and chunked together', '9112 6.3', { kind: 'double-framing', form: 'length-and-chunked' }],
  ['two lengths', '9112 6.3', { kind: 'double-framing', form: 'two-lengths' }],
  ['a list of lengths', '9112 6.3', head('Content-Length: 2, 2\r\n')],
  ['a negative length', '9110 8.6', head('Content-Length: -2\r\n')],
  ['a length with a sign', '9110 8.6', head('Content-Length: +2\r\n')],
  ['a length in hex', '9110 8.6', head('Content-Length: 0x2\r\n')],
  ['a length beyond 2^64', '9110 8.6', head('Content-Length: 18446744073709551618\r\n')],
  ['a bare LF with a Set-Cookie behind it', '9112 2.2', { kind: 'bare-lf' }],
  ['a bare CR with a Set-Cookie behind it', '9112 2.2', head('X-A: a\rSet-Cookie: pwn=1\r\nContent-Length: 2\r\n')],
  ['a folded line', '9112 5.2', head('X-A: a\r\n Set-Cookie: pwn=1\r\nContent-Length: 2\r\n')],
  ['a space before the colon', '9112 5.1', head('Content-Length : 2\r\n')],
  ['an empty header name', '9112 5', head(': x\r\nContent-Length: 2\r\n')],
  ['a header of 64 KB', '9110 5.4', { kind: 'huge-header' }],
  ['5,000 headers', '9110 5.4', head(`${'X-Many: x\r\n'.repeat(5_000)}Content-Length: 2\r\n`)],
  ['NUL in a header', '9110 5.5', { kind: 'control-characters', byte: 0 }],
  ['a control character in a header', '9110 5.5', { kind: 'control-characters' }],
  ['DEL in a header', '9110 5.5', { kind: 'control-characters', byte: 127 }],
];

describe('what is no HTTP/1.1 is 502, promptly, and nothing of it passes', () => {
  test.each(NOT_HTTP)('%s (RFC %s)', async (_, _rfc, fault) => {
    await plan(fault);
    for (const method of ['GET', 'POST'] as const) {
      const answer = await ask(method);
      expectRefusal(answer, 502);
      expectNothingInside(answer);
    }
    expect(await lastOutcome()).toMatchObject({ operation: 'group.create', status: 502, result: 'unknown' });
    // Asking again would get the same: neither was sent twice.
    expect((await bench.sim.requests()).filter(({ fault }) => fault !== null)).toHaveLength(2);
  });
});

describe('interim answers are never taken for the answer (RFC 9110 15.2)', () => {
  test.each([[[100]], [[102]], [[103]], [[100, 100]], [[102, 103, 100, 199]], [Array.from({ length: 50 }, () => 100)]])(
    '%j before the final one',
    async (statuses) => {
      await plan({ kind: 'informational', statuses });
      const read = await ask('GET');
      expect(read).toMatchObject({ status: 200, complete: true, interim: [] });
      expect(JSON.parse(read.body.toString())).toHaveProperty('data');
      expect(await ask('POST')).toMatchObject({ status: 200, complete: true });
    },
  );
});

describe('an answer that breaks off is never a well-framed short one (RFC 9112 8)', () => {
  const CHUNKED = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n';
  test.each<[string, Fault]>([
    ['short of its length', { kind: 'truncated-body', framing: 'length' }],
    ['without the last chunk', { kind: 'truncated-body', framing: 'chunked' }],
    ['short of its length, the connection open', { kind: 'wrong-length', by: 10 }],
    ['reset in the middle', { kind: 'reset', when: 'after-headers' }],
    ['with a broken chunk size', raw(`${CHUNKED}zz\r\n`)],
    ['with a signed chunk size', raw(`${CHUNKED}+2\r\n{}\r\n0\r\n\r\n`)],
    ['with a chunk longer than its size', raw(`${CHUNKED}1\r\n{}\r\n0\r\n\r\n`)],
    ['with a bare LF behind a chunk size', raw(`${CHUNKED}2\n{}\r\n0\r\n\r\n`)],
    ['in its last chunk', raw(`${CHUNKED}0\r\n`)],
    ['in a chunk size', raw(`${CHUNKED}5`)],
  ])('%s', async (_, fault) => {
    await plan(fault);
    for (const method of ['GET', 'POST'] as const) {
      // Aborted after its head, before its head, or refused in our shape; but never a whole 200.
      const answer = await ask(method).catch((error: Error) => error);
      if (answer instanceof Error) expect(answer.message).toMatch(/^the connection ended/);
      else if (answer.complete) expectRefusal(answer, 502, 504);
      else expect(answer.status).toBe(200);
    }
    expect((await lastOutcome())?.['result']).toMatch(/^(?:aborted|unknown)$/);
    expect((await bench.sim.requests()).filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('dripping forever it ends with the total time (faults 50)', async () => {
    await plan({ kind: 'slow-body', delayMs: 100 }, 1);
    const began = performance.now();
    const answer = await ask('GET', 0);
    expect(answer).toMatchObject({ status: 200, complete: false });
    expect(performance.now() - began).toBeLessThan(TOTAL_MS + 5_000);
    expect(await lastOutcome()).toMatchObject({ result: 'aborted', operation: 'group.list' });
  });
});

describe('no answer at all', () => {
  test.each(['GET', 'POST'] as const)(
    '%s: 504 within the time, the connection given up (RFC 9110 15.6.5)',
    async (method) => {
      const { open } = (await bench.sim.stats()).connections;
      await plan({ kind: 'hang' });
      const began = performance.now();
      expectRefusal(await ask(method), 504);
      expect(performance.now() - began).toBeLessThan(FIRST_BYTE_MS + 5_000);
      await eventually('the connection is given up', async () => (await bench.sim.stats()).connections.open <= open);
      expect((await bench.sim.stats()).requestsReached).toBe(1);
      expect(await lastOutcome()).toMatchObject({ status: 504, result: method === 'POST' ? 'unknown' : 'failed' });
    },
  );

  test.each(['before-headers', 'before-body'] as const)(
    'a change that is reset %s is not sent again, and nobody says what became of it (RFC 9110 9.2.2)',
    async (when) => {
      await plan({ kind: 'reset', when });
      const message = expectRefusal(await ask('POST'), 502);
      expect(message).toMatch(/not known/);
      expect((await bench.sim.stats()).requestsReached).toBe(1);
      expect(await lastOutcome()).toMatchObject({ operation: 'group.create', status: 502, result: 'unknown' });
    },
  );

  test('a read that is reset is sent again', async () => {
    await plan({ kind: 'reset' }, 2);
    expect(await ask('GET', 10)).toMatchObject({ status: 200, complete: true });
    expect((await bench.sim.stats()).requestsReached).toBe(3);
  });

  test('a read that is always reset is 502 in its time, without a hot loop', async () => {
    await plan({ kind: 'reset' });
    expectRefusal(await ask('GET', 1), 502);
    expect((await bench.sim.stats()).requestsReached).toBeLessThan(12);
  });
});

describe('Mason asks for a pause (RFC 9110 10.2.3, RFC 6585 4)', () => {
  const SHAPES: readonly (readonly [string, () => Record<string, string>])[] = [
    ['0', () => ({ 'Retry-After': '0' })],
    ['1', () => ({ 'Retry-After': '1' })],
    ['a date to come', () => ({ 'Retry-After': new Date(Date.now() + 1_500).toUTCString() })],
    ['a date gone by', () => ({ 'Retry-After': 'Mon, 01 Jan 2001 00:00:00 GMT' })],
    ['-5', () => ({ 'Retry-After': '-5' })],
    ['1e9', () => ({ 'Retry-After': '1e9' })],
    ['99999999999999999999', () => ({ 'Retry-After': '99999999999999999999' })],
    ['garbage', () => ({ 'Retry-After': 'soon, I promise' })],
    ['nothing', () => ({})],
    ['two of them', () => ({ 'Retry-After': '1, 2' })],
  ];

  test.each(SHAPES)('429 with Retry-After %s: a bounded wait, then the call succeeds', async (_, headers) => {
    await plan({ kind: 'status', status: 429, headers: headers() }, 1);
    expect(await ask('GET', 10)).toMatchObject({ status: 200, complete: true });
    expect((await bench.sim.stats()).requestsReached).toBe(2);
  });

  test.each(SHAPES)(
    '503 with Retry-After %s: again or an error, never a loop; the next call succeeds',
    async (_, headers) => {
      await plan({ kind: 'status', status: 503, headers: headers() }, 1);
      const answer = await ask('GET', 4);
      expect([200, 502]).toContain(answer.status);
      expect((await bench.sim.stats()).requestsReached).toBeLessThanOrEqual(2);
      expect(await ask('GET', 4)).toMatchObject({ status: 200 });
    },
  );

  test('429 again and again: told in time, with Retry-After, and Mason is not hammered', async () => {
    await plan({ kind: 'status', status: 429, headers: { 'Retry-After': '0' } });
    const answer = await ask('GET', 1);
    expectRefusal(answer, 429);
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect((await bench.sim.stats()).requestsReached).toBeLessThan(12);
    await bench.sim.clearFaults();
    expect(await ask('POST', 10)).toMatchObject({ status: 200 });
  });

  test('503 to a change is told, not tried again', async () => {
    await plan({ kind: 'status', status: 503, headers: { 'Retry-After': '0' } });
    expect(await ask('POST')).toMatchObject({ status: 502, headers: { 'error-source': 'mason' } });
    expect((await bench.sim.stats()).requestsReached).toBe(1);
  });
});
