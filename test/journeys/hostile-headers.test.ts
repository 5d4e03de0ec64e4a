import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OWNER_KEY } from '../support/gateway.ts';
import { expectSecurityHeaders, openBench, type RawBench } from '../support/raw-bench.ts';

let bench: RawBench;
beforeAll(async () => {
  bench = await openBench();
  await bench.good();
});
afterAll(() => bench.close());

const GET = 'GET /v1/default/device?limit=1 HTTP/1.1\r\n';

/** Header lines of a head as the simulator saw it, names in lower case. */
function linesOf(head: string | undefined): Record<string, string> {
  const lines = (head ?? '').split('\r\n').slice(1, -2);
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

describe('methods', () => {
  test('405 names the methods that the path has', async () => {
    using socket = await bench.open();
    await socket.write(`PATCH /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`);
    expect((await socket.answer()).headers['allow']).toBe('GET, HEAD, POST');
  });

  test.each(['*', '/v1/default/device', '/v1/nothing', '/', '/v1/default/device?a=b'])(
    'OPTIONS %s is answered here, to anybody (RFC 9110 9.3.7)',
    async (target) => {
      await bench.forget();
      using socket = await bench.open();
      await socket.write(`OPTIONS ${target} HTTP/1.1\r\nHost: m\r\nOrigin: https://evil.example\r\n\r\n`);
      const answer = await socket.answer();
      expect(answer).toMatchObject({ status: 204, headers: { allow: expect.stringContaining('OPTIONS') } });
      expectSecurityHeaders(answer);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      await bench.untouched();
      await bench.good(socket);
    },
  );

  test('HEAD has the head of GET and no body (RFC 9110 9.3.2)', async () => {
    using socket = await bench.open();
    await socket.write(`HEAD /v1/default/device?limit=1 HTTP/1.1\r\n${bench.auth}\r\n`);
    const head = await socket.answer('HEAD');
    expect(head).toMatchObject({ status: 200 });
    expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
    await bench.good(socket);
    await socket.write(`HEAD /v1/nothing HTTP/1.1\r\n${bench.auth}\r\n`);
    expect(await socket.answer('HEAD')).toMatchObject({ status: 404 });
    await bench.good(socket);
  });
});

describe('what a caller may tell Mason (security F1, F2)', () => {
  test('of forty headers at once, Mason sees exactly the allow-list and our key', async () => {
    await bench.forget();
    using socket = await bench.open();
    const passed = {
      accept: 'application/json',
      'accept-language': 'de',
      'if-none-match': '"x"',
      'if-modified-since': 'Mon, 01 Jan 2024 00:00:00 GMT',
      range: 'bytes=0-99999',
      'idempotency-key': 'k-1',
    };
    const dropped = [
      ['Cookie', 'session=stolen-1'],
      ['X-Api-Key', 'stolen-2'],
      ['Api_Key', 'stolen-3'],
      ['Proxy-Authorization', 'Basic stolen-4'],
      ['Origin', 'https://stolen-5.example'],
      ['Referer', 'https://stolen-6.example/?token=x'],
      ['Forwarded', 'for=stolen-7'],
      ['X-Forwarded-For', '10.0.0.1'],
      ['X-Forwarded-Host', 'stolen-8.example'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Port', '443'],
      ['X-Forwarded-Prefix', '/stolen-9'],
      ['X-Forwarded-User', 'root'],
      ['X-Forwarded-Uri', '/stolen-10'],
      ['X_Forwarded_User', 'root'],
      ['X-Auth-Request-User', 'root'],
      ['X-Auth-Request-Email', 'root@stolen-11.example'],
      ['X-Real-Ip', '10.0.0.1'],
      ['X-Original-Url', '/stolen-12'],
      ['X-Rewrite-Url', '/stolen-13'],
      ['X-Http-Method-Override', 'DELETE'],
      ['X-Http-Method', 'DELETE'],
      ['X-Method-Override', 'DELETE'],
      ['Authorization_', 'stolen-14'],
      ['Proxy-Connection', 'keep-alive'],
      ['Keep-Alive', 'timeout=99'],
      ['TE', 'trailers'],
      ['Trailer', 'Authorization'],
      ['Accept-Encoding', 'gzip, br'],
      ['Via', '1.1 stolen-15'],
      ['X-Request-Id', 'stolen-16'],
      ['Request-Id', 'stolen-17'],
      ['Traceparent', '00-stolen-18'],
      ['Gateway-Team', 'alpha'],
      ['Priority', 'u=1'],
      ['Prefer', 'wait=5'],
      ['User-Agent', 'stolen-19'],
      ['Cf-Connecting-Ip', '10.0.0.1'],
      ['True-Client-Ip', '10.0.0.1'],
      ['Upgrade-Insecure-Requests', '1'],
    ];
    const lines = [...Object.entries(passed), ...dropped].map(([name, value]) => `${name}: ${value}\r\n`).join('');
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}${lines}\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    const [seen] = await bench.sim.requests();
    expect(linesOf(seen?.head)).toEqual({
      ...passed,
      host: `127.0.0.1:${bench.sim.port}`,
      connection: 'keep-alive',
      authorization: `basic ${OWNER_KEY}`,
      'user-agent': 'mason-gateway',
      'request-id': expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    });
    expect(seen?.head).not.toMatch(new RegExp(`stolen|root|DELETE|10\\.0\\.0\\.1|${bench.token}`));
  });

  test.each([
    ['close, Authorization', 'Connection: close, Authorization\r\n'],
    ['Authorization in another case', 'Connection: AUTHORIZATION\r\n'],
    ['twice', 'Connection: close\r\nConnection: authorization, host\r\n'],
    ['Host, User-Agent, Request-Id', 'Connection: host, user-agent, request-id\r\n'],
    ['Content-Length', 'Connection: content-length, transfer-encoding\r\n'],
  ])('Connection cannot name away what the gateway adds: %s (RFC 9110 7.6.1)', async (_, lines) => {
    await bench.forget();
    using socket = await bench.open();
    const body = '{"name":"nominated"}';
    await socket.write(
      `POST /v1/default/group HTTP/1.1\r\n${bench.auth}${lines}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
    const [seen] = await bench.sim.requests();
    expect(seen).toMatchObject({ body: { bytes: body.length, complete: true } });
    expect(linesOf(seen?.head)).toMatchObject({
      authorization: `basic ${OWNER_KEY}`,
      'user-agent': 'mason-gateway',
      'request-id': expect.anything(),
      'content-length': String(body.length),
    });
  });

  test('what Connection names was for this hop only and goes no further (RFC 9110 7.6.1)', async () => {
    await bench.forget();
    using socket = await bench.open();
    const lines =
      'Connection: keep-alive, Accept ,IF-NONE-MATCH\r\nAccept: a/b\r\nIf-None-Match: "x"\r\nRange: bytes=0-\r\n';
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}${lines}\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    const seen = linesOf((await bench.sim.requests())[0]?.head);
    expect(seen).not.toHaveProperty('accept');
    expect(seen).not.toHaveProperty('if-none-match');
    expect(seen).toHaveProperty('range');
  });

  test.each([
    [16, true],
    [17, false],
    [1_300, false],
  ])(
    'a wish for %i ranges goes on: %s; hundreds would be put together by Mason (RFC 9110 14.2, 17.15)',
    async (count, goesOn) => {
      await bench.forget();
      using socket = await bench.open();
      const ranges = Array.from({ length: count }, (_, n) => `5-${n}`).join(',');
      await socket.write(`${GET}${bench.auth}Range: bytes=${ranges}\r\n\r\n`);
      expect(await socket.answer()).toMatchObject({ status: 200 });
      expect('range' in linesOf((await bench.sim.requests())[0]?.head)).toBe(goesOn);
      await bench.good(socket);
    },
  );

  test.each([
    ['h2c', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n'],
    ['WebSocket', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'],
  ])('an upgrade to %s is not forwarded: the call stays HTTP/1.1 (RFC 9110 7.8)', async (_, lines) => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`${GET}${bench.auth}${lines}\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    expect((await bench.sim.requests())[0]?.head).not.toMatch(/upgrade|http2|websocket/i);
    await bench.good(socket);
  });
});

describe('who calls', () => {
  test('a spoofed X-Forwarded-For does not reach the record: the peer does (RFC 7239 8)', async () => {
    using socket = await bench.open();
    await socket.write(
      `${GET}${bench.auth}X-Forwarded-For: 10.9.8.7\r\nX-Forwarded-For: 10.9.8.6\r\nForwarded: for=10.9.8.5\r\n\r\n`,
    );
    expect(await socket.answer()).toMatchObject({ status: 200 });
    const [event] = await bench.gateway.record({ operation: 'device.list' });
    expect(event).toMatchObject({ actor: { address: '127.0.0.1' } });
    expect(JSON.stringify(event)).not.toContain('10.9.8');
  });

  test.each([
    ['the same name twice', 'Cookie: a=1; a=2\r\nCookie: a=3\r\n'],
    ['8 KB of them', `Cookie: ${'a=1; '.repeat(1_600)}\r\n`],
    ['bytes above ASCII', 'Cookie: \xe4=\xff; __Host-session=x\r\n'],
    ['a malformed percent sign', 'Cookie: a=%zz; b=%\r\n'],
  ])("odd cookies are nobody's business here: %s (RFC 6265 5)", async (_, lines) => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`${GET}${bench.auth}${lines}\r\n`);
    const answer = await socket.answer();
    expect(answer.status).toBe(200);
    expect((await bench.sim.requests())[0]?.head).not.toMatch(/cookie/i);
  });
});

describe('what was checked is what is sent (security E10)', () => {
  test.each([
    '/v1/default/device?limit=1&n=../../etc/passwd',
    '/v1/default/device?a=;b=c&d;e',
    '/v1/default/device?a=\\b\\..\\c',
    '/v1/default/device?a=//evil.example/b',
    '/v1/default/device?a=%2f..%2F%5c%00%0d%0aX:%20y',
    '/v1/default/device?%',
    '/v1/default/device?%zz=%u0041',
    '/v1/default/device?a=b?c=d??',
    '/v1/default/device?',
    '/v1/default/device?a=<script>"\'|^`{}[]',
    '/v1/default/device?https://evil.example/@',
    '/v1/default/device/..%20x',
    '/v1/default/device/a%20b%2Bc+d%c3%a4',
    "/v1/default/device/$&'()*+,=:@!~-._",
    '/v1/default/device/...',
    '/v1/default/device/.hidden',
    '/v1/default/device/100%25',
  ])('%s arrives byte for byte', async (target) => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`GET ${target} HTTP/1.1\r\n${bench.auth}\r\n`);
    const answer = await socket.answer();
    expectSecurityHeaders(answer);
    const seen = await bench.sim.requests();
    expect(seen.map(({ head }) => head.slice(0, head.indexOf('\r\n')))).toEqual([`GET ${target} HTTP/1.1`]);
    await bench.good(socket);
  });

  test('the absolute form of this very authority goes on in origin form (RFC 9112 3.2.2)', async () => {
    await bench.forget();
    using socket = await bench.open();
    const { port } = bench.gateway;
    await socket.write(`GET HTTP://127.0.0.1:${port}/v1/default/group?a=b HTTP/1.1\r\n${bench.auth}\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    expect((await bench.sim.requests()).map(({ head }) => head.split('\r\n')[0])).toEqual([
      'GET /v1/default/group?a=b HTTP/1.1',
    ]);
  });

  test.each([
    'X-Forwarded-Host',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Forwarded-Prefix',
    'X-Forwarded-Uri',
    'Forwarded',
  ])('where Mason is and what is asked does not depend on %s (CVE-2026-40575)', async (name) => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(
      `GET /v1/default/group HTTP/1.1\r\n${bench.auth}${name}: http://evil.example/v1/default/device\r\n\r\n`,
    );
    expect(await socket.answer()).toMatchObject({ status: 200 });
    const [seen] = await bench.sim.requests();
    expect(seen?.head).toMatch(
      new RegExp(`^GET /v1/default/group HTTP/1\\.1\\r\\nhost: 127\\.0\\.0\\.1:${bench.sim.port}\\r\\n`, 'i'),
    );
    expect(seen?.head).not.toContain('evil');
  });
});
