import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OWNER_KEY } from '../support/gateway.ts';
import { expectRefusal, expectSecurityHeaders, openBench, type RawBench } from '../support/raw-bench.ts';

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

interface Case {
  readonly danger: string;
  readonly rfc: string;
  /** The whole head up to its empty line. */
  readonly head: (auth: string, token: string) => string;
  readonly statuses?: readonly number[];
}

const host = (value: string) => (_auth: string, token: string) =>
  `${GET}Host: ${value}\r\nAuthorization: Bearer ${token}\r\n`;
const besides = (lines: string) => (auth: string) => `${GET}${auth}${lines}`;

const CASES: readonly Case[] = [
  ...[
    'a, b',
    '',
    'user@host',
    'host/path',
    'host:port',
    'host:123456',
    'host?x',
    'host#x',
    'host\\x',
    '[::1',
    'a b',
    'a\tb',
    '\xe4',
    '../x',
    'a;b',
    'a%00',
  ].map((value) => ({ danger: `a Host of ${JSON.stringify(value)}`, rfc: '9112 3.2', head: host(value) })),
  { danger: 'two Hosts', rfc: '9112 3.2', head: besides('Host: other\r\n') },
  { danger: 'two equal Hosts', rfc: '9112 3.2', head: (auth) => `${GET}${auth}${auth.split('\r\n')[0]}\r\n` },
  { danger: 'no Host', rfc: '9112 3.2', head: (_, token) => `${GET}Authorization: Bearer ${token}\r\n` },
  { danger: 'two Authorizations', rfc: '9110 5.3', head: besides('Authorization: Bearer other\r\n') },
  { danger: 'two Content-Types', rfc: '9110 5.3', head: besides('Content-Type: a/b\r\nContent-Type: c/d\r\n') },
  { danger: 'two Idempotency-Keys', rfc: '9110 5.3', head: besides('Idempotency-Key: a\r\nidempotency-key: b\r\n') },
  { danger: 'a folded line', rfc: '9112 5.2', head: besides('X-A: a\r\n b\r\n') },
  { danger: 'a line folded by a tab', rfc: '9112 5.2', head: besides('X-A: a\r\n\tHost: evil\r\n') },
  { danger: 'a space before the colon', rfc: '9112 5.1', head: besides('X-A : a\r\n') },
  { danger: 'a tab before the colon', rfc: '9112 5.1', head: besides('X-A\t: a\r\n') },
  { danger: 'a space before the first header', rfc: '9112 2.2', head: (auth) => `${GET} X-A: a\r\n${auth}` },
  { danger: 'NUL in a value', rfc: '9110 5.5', head: besides('X-A: a\0b\r\n') },
  { danger: 'CR in a value', rfc: '9110 5.5', head: besides('X-A: a\rHost: evil\r\n') },
  { danger: 'a bare LF in a value', rfc: '9112 2.2', head: besides('X-A: a\nHost: evil\r\n') },
  { danger: 'a control character in a value', rfc: '9110 5.5', head: besides('X-A: a\x01b\r\n') },
  { danger: 'DEL in a value', rfc: '9110 5.5', head: besides('X-A: a\x7fb\r\n') },
  { danger: 'an empty name', rfc: '9112 5', head: besides(': a\r\n') },
  { danger: 'a name with a space', rfc: '9112 5.1', head: besides('X A: a\r\n') },
  { danger: 'a name above ASCII', rfc: '9112 5.1', head: besides('X-\xe4: a\r\n') },
  { danger: 'NUL in a name', rfc: '9112 5.1', head: besides('X-\0A: a\r\n') },
  { danger: 'a line without a colon', rfc: '9112 5', head: besides('nothing\r\n') },
  {
    danger: 'a line of 17 KB',
    rfc: '6585 5',
    head: besides(`X-A: ${'a'.repeat(17_000)}\r\n`),
    statuses: [431],
  },
  { danger: 'a name of 17 KB', rfc: '6585 5', head: besides(`${'a'.repeat(17_000)}: a\r\n`), statuses: [431] },
  { danger: '2,000 headers', rfc: '6585 5', head: besides('a: b\r\n'.repeat(2_000)), statuses: [431] },
  { danger: '2,000 headers without a value', rfc: '6585 5', head: besides('a:\r\n'.repeat(2_000)), statuses: [431] },
  {
    danger: '20,000 headers',
    rfc: '6585 5',
    head: besides(Array.from({ length: 20_000 }, (_, at) => `X-${at}: b\r\n`).join('')),
    statuses: [431],
  },
  { danger: '101 headers', rfc: '6585 5', head: besides('a: b\r\n'.repeat(99)), statuses: [431] },
  {
    danger: 'a URL of 65 KB',
    rfc: '9110 15.5.15',
    head: (auth) => `GET /v1/${'a'.repeat(65_000)} HTTP/1.1\r\n${auth}`,
    statuses: [414, 431],
  },
  {
    danger: 'a query of 9 KB',
    rfc: '9110 15.5.15',
    head: (auth) => `GET /v1/default/device?${'a'.repeat(9_000)} HTTP/1.1\r\n${auth}`,
    statuses: [414],
  },
  { danger: 'a method of 17 KB', rfc: '9112 3', head: (auth) => `${'G'.repeat(17_000)} / HTTP/1.1\r\n${auth}` },
];

test.each(CASES)('$danger is refused and closes the connection (RFC $rfc)', async ({ head, statuses = [400] }) => {
  await bench.good();
  await bench.forget();
  using socket = await bench.open();
  await socket.write(`${head(bench.auth, bench.token)}\r\n`);
  const answer = await socket.answer();
  expectRefusal(answer, ...statuses);
  expect(answer.headers['connection']).toBe('close');
  await socket.closed();
  await bench.untouched();
  await bench.good();
});

describe('methods', () => {
  test.each([
    ['TRACE', [405]],
    ['CONNECT', [400, 405]],
    ['PATCH', [405]],
    ['PUT', [405]],
    ['DELETE', [405]],
    ['POST', [405]],
    ['PROPFIND', [405]],
    ['QUERY', [405]],
    ['PURGE', [405]],
    ['FOO', [400, 501]],
    ['get', [400, 501]],
    ['GETT', [400, 501]],
    ['PRI', [400, 501]],
  ] as const)('%s on a known path never reaches Mason (RFC 9110 9.1, 15.5.6)', async (method, statuses) => {
    await bench.good();
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`${method} /v1/default/device HTTP/1.1\r\n${bench.auth}Cookie: s=cookie-secret\r\n\r\n`);
    const answer = await socket.answer();
    expectRefusal(answer, ...statuses);
    if (answer.status === 405) expect(answer.headers['allow']).toMatch(/^[A-Z]+(?:, [A-Z]+)*$/);
    // RFC 9110 section 9.3.8: TRACE must not send back what is sensitive.
    expect(answer.body.toString()).not.toMatch(new RegExp(`cookie-secret|${bench.token}`));
    await bench.untouched();
    if (answer.headers['connection'] !== 'close') await bench.good(socket);
    await bench.good();
  });

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
  const IDENTITIES = [
    'X-Forwarded-User: root',
    'X-Auth-Request-User: root',
    'X-Auth-Request-Email: root@example.com',
    'X-Remote-User: root',
    'Remote-User: root',
    'X-Forwarded-For: 127.0.0.1',
    'X-Real-Ip: 127.0.0.1',
    'X-Original-Url: /livez',
    'X-Forwarded-Uri: /livez',
    'X-Forwarded-Proto: https',
    'X-Authenticated: true',
    'X-Client-Verified: SUCCESS',
    'X-Ssl-Client-Verify: SUCCESS',
    'X-Internal: 1',
    'X-Admin: 1',
    'Gateway-Team: alpha',
    'Proxy-Authorization: Bearer TOKEN',
    'Cookie: token=TOKEN; session=TOKEN',
    'X-Api-Key: TOKEN',
    'X-Authorization: Bearer TOKEN',
    'Authorization_: Bearer TOKEN',
  ];

  test.each(IDENTITIES)('%s gives nobody an identity (CVE-2025-64484, CVE-2026-34457)', async (line) => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`${GET}Host: m\r\n${line.replaceAll('TOKEN', bench.token)}\r\n\r\n`);
    expectRefusal(await socket.answer(), 401);
    await bench.untouched();
    await bench.good(socket);
  });

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

  test.each([
    ['nothing', ''],
    ['a scheme alone', 'Bearer'],
    ['a foreign scheme', 'Digest username="a"'],
    ['two tokens', 'Bearer TOKEN TOKEN'],
    ['a comma and more', 'Bearer TOKEN, Bearer TOKEN'],
    ['16 KB', `Bearer ${'a'.repeat(12_000)}`],
    ['bytes above ASCII', 'Bearer \xe4\xff'],
    ['the key itself', `basic ${OWNER_KEY}`],
    ['base64 as in RFC 7617', `Basic ${Buffer.from('TOKEN:').toString('base64')}`],
  ])('an Authorization of %s is 401, and its words are not repeated', async (_, value) => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`${GET}Host: m\r\nAuthorization: ${value.replaceAll('TOKEN', bench.token)}\r\n\r\n`);
    const message = expectRefusal(await socket.answer(), 401);
    expect(message).not.toMatch(new RegExp(`${bench.token}|${OWNER_KEY}|aaaa|\xe4`));
    await bench.untouched();
  });
});
