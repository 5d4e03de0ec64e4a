import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, expectRefusal, openBench, type RawBench } from '../support/raw-bench.ts';

let bench: RawBench;
beforeAll(async () => {
  bench = await openBench();
  await bench.good();
});
afterAll(() => bench.close());

const POST = 'POST /v1/default/group HTTP/1.1\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const chunked = (body: string) => `${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n${body}`;

interface Case {
  readonly danger: string;
  readonly rfc: string;
  /** What follows the request line, Host and Authorization. */
  readonly rest: string;
  readonly line?: string;
  readonly statuses?: readonly number[];
}

const CASES: readonly Case[] = [
  {
    danger: 'Content-Length and chunked together (CL.TE)',
    rfc: '9112 6.1, 6.3',
    rest: 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/smuggled HTTP/1.1\r\nHost: m\r\n\r\n',
  },
  {
    danger: 'chunked and Content-Length together (TE.CL)',
    rfc: '9112 6.1, 6.3',
    rest: 'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n',
  },
  {
    danger: 'two lengths that differ',
    rfc: '9112 6.3',
    rest: 'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
  },
  {
    danger: 'two equal lengths',
    rfc: '9110 8.6',
    rest: 'Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
  },
  ...['5, 5', '+5', '-1', '0x5', '5 5', '5;', '5.0', '', '\x0b5', '18446744073709551621', '99999999999999999999'].map(
    (value) => ({
      danger: `a length of ${JSON.stringify(value)}`,
      rfc: '9110 8.6',
      rest: `Content-Length: ${value}\r\n\r\nhello`,
    }),
  ),
  ...[
    ',chunked',
    '',
    'xchunked',
    'chunked, identity',
    'chunked, chunked',
    'identity',
    'gzip, chunked',
    'chunked;q=1',
    '"chunked"',
    '\x0bchunked',
    'chunked\x0c',
    'chunked\x00',
    'chunked\xa0',
  ].map((value) => ({
    danger: `a transfer coding of ${JSON.stringify(value)}`,
    rfc: '9112 6.1, 7',
    rest: `Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`,
    statuses: [400, 501],
  })),
  {
    danger: 'a transfer coding twice',
    rfc: '9112 6.1',
    rest: 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
  },
  {
    danger: 'a transfer coding in HTTP/1.0',
    rfc: '9112 6.1',
    line: 'POST /v1/default/group HTTP/1.0\r\n',
    rest: 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
  ...[
    '0_2e\r\n',
    '+5\r\nhello\r\n0\r\n\r\n',
    '-5\r\nhello\r\n0\r\n\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
    '11111111111111111\r\nhello\r\n0\r\n\r\n',
    'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
    '5 \r\nhello\r\n0\r\n\r\n',
    ' 5\r\nhello\r\n0\r\n\r\n',
    'g\r\nhello\r\n0\r\n\r\n',
    '\r\nhello\r\n0\r\n\r\n',
  ].map((body) => ({
    danger: `a chunk size of ${JSON.stringify(body.slice(0, body.indexOf('\r')))}`,
    rfc: '9112 7.1',
    rest: chunked(body),
  })),
  { danger: 'a bare LF behind a chunk size', rfc: '9112 2.2, 7.1', rest: chunked('5\nhello\r\n0\r\n\r\n') },
  { danger: 'a bare LF behind a chunk', rfc: '9112 2.2, 7.1', rest: chunked('5\r\nhello\n0\r\n\r\n') },
  { danger: 'a bare LF in a chunk extension', rfc: '9112 7.1.1', rest: chunked('5;a\nb=c\r\nhello\r\n0\r\n\r\n') },
  { danger: 'a chunk extension without a name', rfc: '9112 7.1.1', rest: chunked('5;\r\nhello\r\n0\r\n\r\n') },
  { danger: 'NUL in a chunk extension', rfc: '9112 7.1.1', rest: chunked('5;a\0b\r\nhello\r\n0\r\n\r\n') },
  { danger: 'a quote left open in an extension', rfc: '9112 7.1.1', rest: chunked('5;a="\r\nhello\r\n0\r\n\r\n') },
  { danger: 'a chunk longer than its size', rfc: '9112 7.1', rest: chunked('5\r\nhelloworld\r\n0\r\n\r\n') },
  { danger: 'a chunk without its line end', rfc: '9112 7.1', rest: chunked('5\r\nhello0\r\n\r\n') },
  {
    danger: '64 KB in one chunk extension',
    rfc: '9112 7.1.1',
    rest: chunked(`5;a=${'x'.repeat(65_536)}\r\nhello\r\n0\r\n\r\n`),
    statuses: [400, 413],
  },
  {
    danger: 'a trailer that is no header line',
    rfc: '9112 7.1.2',
    rest: chunked('0\r\nbroken\r\n\r\n'),
  },
  {
    danger: 'a trailer named Content-Length',
    rfc: '9110 6.5.1',
    rest: chunked('2\r\n{}\r\n0\r\nContent-Length: 3\r\n\r\n'),
  },
];

describe('a request whose length has two readings', () => {
  test.each(CASES)('$danger is refused and closes the connection (RFC $rfc)', async (row) => {
    const { line = POST, rest, statuses = [400] } = row;
    await bench.good();
    await bench.forget();
    // Once in one segment with the head, once apart from it: the parser fails before and after somebody reads the body.
    const cut = rest.indexOf('\r\n\r\n') + 4;
    for (const pieces of [[line + bench.auth + rest], [line + bench.auth + rest.slice(0, cut), rest.slice(cut)]]) {
      using socket = await bench.open();
      await socket.write(...pieces);
      const answer = await socket.answer();
      expectRefusal(answer, ...statuses);
      expect(answer.headers['connection']).toBe('close');
      await socket.closed();
      expect(socket.rest).toBe('');
    }
    await bench.untouched();
    await bench.good();
  });

  test('leaves no call behind that would wait for the rest of its body for ever', async () => {
    await eventually('no call is open', async () => (await bench.callsOpen()) === 0);
  });
});

test.each([
  ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'],
  ['TLS hello', `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${'\x7f'.repeat(500)}`],
  ['binary garbage', String.fromCharCode(...Array.from({ length: 4_000 }, (_, at) => (at * 7_919 + 3) % 256))],
  ['SSH greeting', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['HTTP/0.9', 'GET /v1/default/device\r\n\r\n'],
  ['HTTP/1.2', `GET /v1/default/device HTTP/1.2\r\nHost: m\r\n\r\n`],
  ['HTTP/3.0', `GET /v1/default/device HTTP/3.0\r\nHost: m\r\n\r\n`],
  ['lower-case http/1.1', `GET /v1/default/device http/1.1\r\nHost: m\r\n\r\n`],
  ['a tab in the request line', 'GET\t/v1/default/device HTTP/1.1\r\nHost: m\r\n\r\n'],
  ['lines that end in LF alone', 'GET /v1/default/device HTTP/1.1\nHost: m\n\n'],
])('what is no HTTP/1.1 is refused, closes, and harms nobody (RFC 9112 2.2, 2.3, 3): %s', async (_, bytes) => {
  await bench.good();
  await bench.forget();
  using socket = await bench.open();
  await socket.write(bytes);
  expectRefusal(await socket.answer(), 400);
  await socket.closed();
  await bench.untouched();
  await bench.good();
});

describe('what may come on a connection besides', () => {
  test('a body shorter than its length, then the end: no request of it reaches Mason (RFC 9112 8)', async () => {
    await bench.good();
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`${POST}${bench.auth}${JSON_TYPE}Content-Length: 50\r\n\r\n`, '{"name":"half"');
    socket.end();
    expectRefusal(await socket.answer(), 400);
    await socket.closed();
    await bench.untouched();
    await eventually('the call is over', async () => (await bench.callsOpen()) === 0);
    await bench.good();
  });

  test.each([
    ['Host', 'evil.example'],
    ['Authorization', 'basic stolen'],
    ['Cookie', 'a=b'],
    ['X-Forwarded-User', 'root'],
  ])('a trailer named %s is not merged into the headers for Mason (RFC 9110 6.5.1)', async (name, value) => {
    await bench.forget();
    using socket = await bench.open();
    const body = JSON.stringify({ name: `trailer-${name.toLowerCase()}` });
    const rest = chunked(`${body.length.toString(16)}\r\n${body}\r\n0\r\n${name}: ${value}\r\n\r\n`);
    await socket.write(`${POST}${bench.auth}${rest}`);
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
    const [seen] = await bench.sim.requests();
    expect(seen).toMatchObject({ status: 200, body: { bytes: body.length, complete: true } });
    expect(seen?.head).not.toContain(value);
    await bench.good(socket);
  });

  test('many small chunk extensions are thrown away, not kept', async () => {
    await bench.forget();
    using socket = await bench.open();
    const body = JSON.stringify({ name: 'extended' });
    const pieces = [...body].map((character) => `1;${'e'.repeat(500)}\r\n${character}\r\n`).join('');
    await socket.write(`${POST}${bench.auth}${chunked(`${pieces}0\r\n\r\n`)}`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    expect((await bench.sim.requests())[0]?.body.bytes).toBe(body.length);
  });

  const smuggled = 'GET /v1/smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n';
  test.each([
    ['Content-Length', `Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`],
    ['chunks', `Transfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`],
  ])('the body of a GET by %s is not taken for the next request (RFC 9110 9.3.1)', async (_, rest) => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}${rest}`);
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
    await bench.good(socket);
    const seen = await bench.sim.requests();
    expect(seen.map(({ target }) => target)).toEqual(['/v1/default/group', '/v1/default/device?limit=1']);
    expect(seen[0]?.head).not.toMatch(/content-length|transfer-encoding/i);
    expect(seen[0]?.body.bytes).toBe(0);
  });

  test('two requests at once are answered in their order, each to its own caller (RFC 9112 9.3.2)', async () => {
    await bench.forget();
    await bench.sim.faults({ match: { path: '/v1/default/device' }, fault: { kind: 'slow-headers', delayMs: 150 } });
    using socket = await bench.open();
    const stranger = bench.auth.replace(bench.token, `mgw_${'0'.repeat(36)}`);
    await socket.write(
      `GET /v1/default/device HTTP/1.1\r\n${bench.auth}\r\nGET /v1/default/group HTTP/1.1\r\n${stranger}\r\n` +
        `GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`,
    );
    const first = await socket.answer();
    expect(JSON.parse(first.body.toString()).data[0]).toHaveProperty('imei');
    expect(await socket.answer()).toMatchObject({ status: 401 });
    const third = await socket.answer();
    expect(JSON.parse(third.body.toString()).data[0]).not.toHaveProperty('imei');
    expect((await bench.sim.stats()).requestsReached).toBe(2);
  });

  test('garbage behind a whole request: the request is answered, the rest is not, the connection ends (RFC 9112 9.6)', async () => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n\x16\x03\x01garbage\r\n\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true, headers: { connection: 'close' } });
    await socket.closed();
    expect(socket.rest).toBe('');
    expect((await bench.sim.stats()).requestsReached).toBe(1);
  });

  test('bytes behind a "Connection: close" request are no request, and cost it no answer (RFC 9112 9.6)', async () => {
    await bench.forget();
    using socket = await bench.open();
    const get = `GET /v1/default/group HTTP/1.1\r\n${bench.auth}`;
    await socket.write(`${get}Connection: close\r\n\r\n${get}\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
    await socket.closed();
    expect(socket.rest).toBe('');
    expect((await bench.sim.stats()).requestsReached).toBe(1);
  });

  test('a change behind a refusal that closes the connection is not made, since nobody would hear of it', async () => {
    const body = '{"name":"behind"}';
    const change = `${POST}${bench.auth}${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`;
    for (const refused of [
      `GET /v1/../v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`,
      `GET /v1/default/group HTTP/1.1\r\n${bench.auth}Host: twice\r\n\r\n`,
      `POST /v1/default/group HTTP/1.1\r\n${bench.auth}Content-Length: 1048577\r\n\r\n${' '.repeat(1_048_577)}`,
    ]) {
      await bench.forget();
      using socket = await bench.open();
      await socket.write(refused + change);
      expectRefusal(await socket.answer(), 400, 413);
      await socket.closed();
      expect(socket.rest).toBe('');
      await bench.untouched();
    }
    await bench.good();
  });

  test('CONNECT behind a slow request is answered after it, not in its place (RFC 9112 9.3.2)', async () => {
    await bench.forget();
    await bench.sim.faults({ kind: 'slow-headers', delayMs: 100 });
    using socket = await bench.open();
    await socket.write(
      `GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\nCONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n`,
    );
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
    expectRefusal(await socket.answer(), 405);
    await socket.closed();
  });

  test('"Expect: 100-continue" gets its 100, then the answer (RFC 9110 10.1.1)', async () => {
    using socket = await bench.open();
    await socket.write(`${POST}${bench.auth}${JSON_TYPE}Expect: 100-Continue\r\nContent-Length: 17\r\n\r\n`);
    await socket.heard('HTTP/1.1 100 Continue\r\n\r\n');
    await socket.write('{"name":"expect"}');
    expect(await socket.answer()).toMatchObject({ status: 200, interim: [100] });
    await bench.good(socket);
  });

  test('"Expect: 100-continue" with a body that is too large is refused before the body is sent', async () => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`${POST}${bench.auth}Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n`);
    const answer = await socket.answer();
    expectRefusal(answer, 413);
    expect(answer.interim).toEqual([]);
    await socket.closed();
    await bench.untouched();
  });

  test('an expectation in HTTP/1.0 is ignored: no interim answer (RFC 9110 10.1.1)', async () => {
    using socket = await bench.open();
    const line = 'POST /v1/default/group HTTP/1.0\r\n';
    await socket.write(
      `${line}${bench.auth}${JSON_TYPE}Expect: 100-continue\r\nContent-Length: 13\r\n\r\n{"name":"1.0"}`,
    );
    expect(await socket.answer()).toMatchObject({ interim: [] });
    await socket.closed();
  });

  test('an unknown expectation is 417 and not forwarded (RFC 9110 15.5.18)', async () => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`${POST}${bench.auth}Expect: coffee\r\nContent-Length: 5\r\n\r\nhello`);
    expectRefusal(await socket.answer(), 417);
    await bench.untouched();
  });

  test('HTTP/1.0 is answered in frames it knows, and closed', async () => {
    using socket = await bench.open();
    await socket.write(`GET /v1/default/group HTTP/1.0\r\nAuthorization: Bearer ${bench.token}\r\n\r\n`);
    const answer = await socket.answer();
    expect(answer).toMatchObject({ status: 200, complete: true });
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
    await socket.closed();
  });
});
