import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { OWNER_KEY, startGateway } from '../support/gateway.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { expectRefusal, expectSecurityHeaders, openBench, type RawBench } from '../support/raw-bench.ts';
import { SELF_SIGNED } from '../support/raw-certificate.ts';
import { startRawMason } from '../support/raw-mason.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { sideBySide } from '../support/side-by-side.ts';

let bench: RawBench;
beforeAll(async () => {
  bench = await openBench();
  await bench.good();
});
afterEach(async () => {
  await bench.sim.clearFaults();
  await bench.good();
});
afterAll(() => bench.close());

const GROUPS = '/v1/default/group';

async function ask(path = GROUPS, lines = ''): Promise<RawAnswer> {
  using socket = await bench.open();
  await socket.write(`GET ${path} HTTP/1.1\r\n${bench.auth}Prefer: wait=1\r\n${lines}\r\n`);
  return await socket.answer();
}

/** Every form in which the key could be written. */
const KEY_FORMS = [
  OWNER_KEY,
  Buffer.from(OWNER_KEY).toString('base64'),
  Buffer.from(OWNER_KEY).toString('base64url'),
  Buffer.from(OWNER_KEY).toString('hex'),
  Buffer.from(OWNER_KEY).toString('hex').toUpperCase(),
];

function expectNoKey(answer: RawAnswer): void {
  const everything = `${JSON.stringify(answer.headers)}${answer.body.toString('latin1')}`;
  for (const form of KEY_FORMS) expect(everything).not.toContain(form);
}

describe('of the headers of Mason (security A6, A7, F3)', () => {
  test('only the allowed ones arrive, and ours stand where theirs were', async () => {
    await bench.sim.faults({
      kind: 'response-headers',
      headers: {
        'Set-Cookie': ['pwn=1; Path=/', 'pwn=2'],
        Location: 'http://evil.example/',
        'Content-Location': 'http://evil.example/',
        Refresh: '0; url=http://evil.example/',
        Link: '<http://evil.example/>; rel=preload',
        Server: 'evil/1.0',
        'X-Powered-By': 'evil',
        Via: '1.1 evil',
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Allow-Credentials': 'true',
        'Content-Security-Policy': "default-src 'unsafe-inline' evil.example",
        'Strict-Transport-Security': 'max-age=0',
        'Clear-Site-Data': '"*"',
        'Alt-Svc': 'h2="evil.example:443"',
        'WWW-Authenticate': 'Basic realm="evil"',
        'Proxy-Authenticate': 'Basic realm="evil"',
        'Cache-Control': 'public, max-age=600',
        'X-Frame-Options': 'ALLOWALL',
        'Request-Id': 'evil',
        'Error-Source': 'evil',
        'RateLimit-Policy': 'evil',
        'Retry-After': '99999',
        'Keep-Alive': 'timeout=99999',
        'X-Odd': 'evil',
        ETag: '"good"',
        'Last-Modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
      },
    });
    const answer = await ask();
    expect(answer.status).toBe(200);
    expectSecurityHeaders(answer);
    expect(JSON.stringify(answer.headers)).not.toMatch(/evil|pwn|99999|max-age=(?:0|600)/);
    expect(answer.headers).toMatchObject({ etag: '"good"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' });
    for (const name of Object.keys(answer.headers)) expect(name).not.toMatch(/^access-control|^alt-svc|^clear-site/);
  });

  test('what their Connection names goes no further (RFC 9110 7.6.1)', async () => {
    await bench.sim.faults({
      kind: 'response-headers',
      headers: { Connection: 'keep-alive, ETag ,CONTENT-LANGUAGE', ETag: '"hop"', 'Content-Language': 'de' },
    });
    const { headers, status } = await ask();
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('etag');
    expect(headers).not.toHaveProperty('content-language');
  });

  test('their Connection cannot take the framing away', async () => {
    await bench.sim.faults({
      kind: 'response-headers',
      headers: { Connection: 'keep-alive, Content-Length, Content-Type, Cache-Control, X-Content-Type-Options' },
    });
    const answer = await ask();
    expect(answer).toMatchObject({ status: 200, complete: true });
    expectSecurityHeaders(answer);
    expect(JSON.parse(answer.body.toString())).toHaveProperty('data');
  });

  test('204 has no body and claims none, though Mason does (RFC 9110 8.6)', async () => {
    const head = 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil';
    await bench.sim.faults({ kind: 'raw', base64: Buffer.from(head).toString('base64') });
    const answer = await ask();
    expect(answer.status).toBe(204);
    expect(answer.headers).not.toHaveProperty('content-length');
  });

  test.each(['\xe4\xf6\xfc', 'd\xc3\xa4', '\xff\x80'])(
    'bytes above ASCII in them pass as they are: %j',
    async (value) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: "${value}"\r\nX-Odd: ${value}\r\n\r\n{}`;
      await bench.sim.faults({ kind: 'raw', base64: Buffer.from(head, 'latin1').toString('base64') });
      expect(await ask()).toMatchObject({ status: 200, complete: true, headers: { etag: `"${value}"` } });
    },
  );
});

describe('what is not followed and not rendered', () => {
  test.each([301, 302, 303, 307, 308, 300, 399])(
    '%d to a stranger: 502, and the stranger hears nothing (security E6)',
    async (status) => {
      await using stranger = await startRawMason(() => undefined);
      await bench.sim.faults({ kind: 'redirect', location: `${stranger.url}/v1/stolen`, status });
      const answer = await ask();
      expectRefusal(answer, 502);
      expect(answer.headers).not.toHaveProperty('location');
      expect(stranger.connections).toBe(0);
    },
  );

  test('304 that nobody asked for is no answer', async () => {
    await bench.sim.faults({ kind: 'status', status: 304, body: '' });
    expectRefusal(await ask(), 502);
  });

  test.each([200, 400, 404, 500, 502])('a page with status %d is never passed on (security F4)', async (status) => {
    await bench.sim.faults({ match: { path: GROUPS }, times: 'always', fault: { kind: 'html', status } });
    const answer = await ask();
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.status).toBe(status === 200 ? 502 : status);
    expect(answer.body.toString()).not.toMatch(/[<>]/);
    expect(Object.keys(JSON.parse(answer.body.toString())).toSorted()).toEqual(['message', 'type']);
  });

  test.each(['text/html; charset=utf-8', 'TEXT/HTML', 'application/xhtml+xml', 'image/svg+xml', 'text/xml'])(
    'a success of type %s is 502',
    async (type) => {
      await bench.sim.faults({
        kind: 'status',
        status: 200,
        headers: { 'Content-Type': type },
        body: '<script>1</script>',
      });
      expectRefusal(await ask(), 502);
    },
  );

  test.each(['gzip', 'br', 'GZIP', 'identity, gzip', 'x-evil'])(
    'a coding that nobody asked for is 502: %s',
    async (coding) => {
      await bench.sim.faults({ kind: 'status', status: 200, headers: { 'Content-Encoding': coding }, body: 'x' });
      expectRefusal(await ask(), 502);
    },
  );
});

describe('errors of Mason come in the one shape', () => {
  const SHAPES = ['itemized', 'nested', 'data', 'message', 'plain', 'empty'] as const;
  test.each(SHAPES.flatMap((shape) => [400, 404, 409, 500].map((status) => [shape, status] as const)))(
    'the old shape "%s" with %d',
    async (shape, status) => {
      await bench.sim.faults({ kind: 'old-error', shape, status, message: 'the words of Mason' });
      const answer = await ask();
      expect(answer).toMatchObject({
        status,
        headers: { 'error-source': 'mason', 'content-type': 'application/json' },
      });
      expectSecurityHeaders(answer);
      const body = JSON.parse(answer.body.toString());
      expect(Object.keys(body).toSorted()).toEqual(['message', 'type']);
      if (shape !== 'empty') expect(body.message).toContain('the words of Mason');
    },
  );

  test.each([
    ['truncated JSON', { kind: 'truncated-json' }],
    ['100,000 levels', { kind: 'status', status: 500, body: '['.repeat(60_000) }],
    [
      'a body that is too long to be an error',
      { kind: 'status', status: 500, body: JSON.stringify({ message: 'x'.repeat(200_000) }) },
    ],
    ['the prototype', { kind: 'status', status: 500, body: '{"__proto__":{"message":"x"}}' }],
    ['messages that are no text', { kind: 'status', status: 500, body: '{"message":{"a":1},"type":7}' }],
    [
      'control characters',
      { kind: 'status', status: 500, body: '{"message":"a\\r\\nSet-Cookie: b\\u0000\\u001b[31m"}' },
    ],
  ] as const)('%s becomes a plain message', async (_, fault) => {
    await bench.sim.faults(fault);
    const answer = await ask();
    expect(answer.status).toBe(500);
    const { type, message } = JSON.parse(answer.body.toString());
    expect(type).toBe('api_error');
    expect(message).toMatch(/^[\x20-\x7e]{1,1000}$/);
  });

  test('401 is about our key: 502, and the caller is not blamed', async () => {
    await bench.sim.faults({ kind: 'status', status: 401, headers: { 'WWW-Authenticate': 'Basic' } });
    const answer = await ask();
    expect(answer.status).toBe(502);
    expect(answer.headers).not.toHaveProperty('www-authenticate');
  });
});

describe('a key that Mason echoes never leaves (security F5)', () => {
  test('in a body', async () => {
    await bench.sim.faults({ kind: 'echo-authorization' });
    const answer = await ask();
    expect(answer).toMatchObject({ status: 200, complete: true });
    expectNoKey(answer);
    const echoed = JSON.parse(answer.body.toString()).authorization as string;
    expect(echoed).toHaveLength(`basic ${OWNER_KEY}`.length);
  });

  test('in a body, cut in two at every place', async () => {
    await bench.sim.faults({ kind: 'echo-authorization', chunked: true });
    const answer = await ask();
    expect(answer).toMatchObject({ status: 200, complete: true });
    expectNoKey(answer);
    const lines = answer.body.toString().trimEnd().split('\n');
    expect(lines).toHaveLength(OWNER_KEY.length - 1);
    for (const line of lines) expect(line).toMatch(/^basic ([*#~_])\1+$/);
  });

  test.each(KEY_FORMS)('in a body, written as %s', async (form) => {
    await bench.sim.faults({
      kind: 'status',
      status: 200,
      body: JSON.stringify({ before: form, again: [form, form] }),
    });
    const answer = await ask();
    expect(answer).toMatchObject({ status: 200, complete: true });
    expectNoKey(answer);
  });

  test('in headers', async () => {
    await bench.sim.faults({
      kind: 'response-headers',
      headers: { ETag: `"${OWNER_KEY}"`, 'Content-Language': OWNER_KEY, 'X-Key': OWNER_KEY },
    });
    const answer = await ask();
    expect(answer.status).toBe(200);
    expectNoKey(answer);
  });

  test.each([0, 900, 960])('in the message of an error, behind %d characters', async (before) => {
    const message = `${'.'.repeat(before)}${OWNER_KEY} was refused`;
    await bench.sim.faults({ kind: 'status', status: 400, body: JSON.stringify({ type: 'a_error', message }) });
    const answer = await ask();
    expect(answer.status).toBe(400);
    expectNoKey(answer);
    expect(answer.body.toString()).not.toContain(OWNER_KEY.slice(0, 6));
  });

  test('in the record and the metrics neither, though it is counted', async () => {
    await bench.sim.faults({ kind: 'echo-authorization' });
    await ask();
    const metrics = await (await fetch(`${bench.gateway.privateUrl}/metrics`)).text();
    const record = JSON.stringify(await bench.gateway.record());
    for (const form of KEY_FORMS) {
      expect(metrics).not.toContain(form);
      expect(record).not.toContain(form);
    }
    expect(metrics).toMatch(/^mason_gateway_\w*redact\w* [1-9]/m);
  });
});

describe('whose answer it is', () => {
  test('bytes behind an answer are not given to the next caller (RFC 9112 9.2, 6.3)', async () => {
    await bench.sim.faults({ match: { path: GROUPS }, times: 'always', fault: { kind: 'wrong-length', by: -7 } });
    for (let round = 0; round < 10; round += 1) {
      expect((await ask()).status).toBe(200);
      await bench.good();
    }
  });

  const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n';
  const SECOND_ANSWERS: Readonly<Record<string, (mine: string) => readonly string[]>> = {
    'in one piece': (mine) => [`${OK}${mine}${OK}evil`],
    'a moment later': (mine) => [`${OK}${mine}`, `${OK}evil`],
    'before anybody asks': (mine) => [`${OK}${mine}${OK}evil${OK}evil`, `${OK}evil`],
    'half of one': (mine) => [`${OK}${mine}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n`, '\r\nevil'],
    garbage: (mine) => [`${OK}${mine}evil`],
  };

  test(`a second answer to one request is nobody's: ${Object.keys(SECOND_ANSWERS).join(', ')}`, async () => {
    const ways = Object.values(SECOND_ANSWERS);
    await using mason = await startRawMason((socket, head) => {
      const [, id = '', way = ''] = /^GET \/v1\/default\/device\/(\w\w(\d)\d) /.exec(head) ?? [];
      const [first = '', ...later] = ways[Number(way)]?.(id) ?? [];
      socket.write(first);
      setImmediate(() => {
        for (const piece of later) if (socket.writable) socket.write(piece);
      });
    });
    await using gateway = await startGateway({ masonUrl: mason.url });
    const token = await gateway.token();
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        ways.map(async (_, way) => {
          const id = `id${way}${round}`;
          const answer = await gateway.call(token, `/v1/default/device/${id}`);
          if (answer.status === 200) expect(await answer.text()).toBe(id);
          else expect(await answer.text()).not.toContain('evil');
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
});

describe('a Mason that cannot be reached tells nothing about itself', () => {
  async function refusedBy(masonUrl: string, settings = {}): Promise<void> {
    await using gateway = await startGateway({ masonUrl, settings: { mason: { connectMs: 300, ...settings } } });
    const auth = `Host: m\r\nAuthorization: Bearer ${await gateway.token()}\r\nPrefer: wait=1\r\n`;
    for (const request of ['GET /v1/default/group', 'DELETE /v1/default/group/x']) {
      using socket = await RawSocket.open(gateway.port);
      await socket.write(`${request} HTTP/1.1\r\n${auth}\r\n`);
      const message = expectRefusal(await socket.answer(), 502, 504);
      expect(message).not.toMatch(/\d+\.\d+\.\d+\.\d+|invalid|:\d{2,}|certificate|ENOTFOUND|self/i);
    }
    const [event] = await gateway.record({ kind: 'outcome' });
    expect(event).toMatchObject({ operation: 'group.delete', result: 'not_sent' });
  }

  const encrypted = (url: string): string => url.replace('http:', 'https:');
  const SCENES: readonly { readonly danger: string; readonly play: () => Promise<void> }[] = [
    {
      danger: 'nobody listens',
      async play() {
        const mason = await startRawMason(() => undefined);
        await mason.close();
        await refusedBy(mason.url);
      },
    },
    { danger: 'the name does not exist', play: () => refusedBy('https://mason.invalid') },
    {
      danger: 'the certificate is signed by nobody (security E7): the key is not sent',
      async play() {
        await using mason = await startRawMason(() => undefined, createTlsServer(SELF_SIGNED));
        await refusedBy(encrypted(mason.url));
        expect(mason.heard).toBe('');
      },
    },
    {
      danger: 'no TLS where TLS should be: the key is not sent',
      async play() {
        await using mason = await startRawMason(() => undefined);
        await refusedBy(encrypted(mason.url));
        expect(mason.heard).not.toContain(OWNER_KEY);
        expect(mason.connections).toBeGreaterThan(0);
      },
    },
    {
      danger: 'a public name that resolves into the own network is not called (DNS rebinding)',
      async play() {
        await using mason = await startRawMason(() => undefined);
        await refusedBy(mason.url.replace('http://127.0.0.1', 'https://localhost'), { privateHosts: [] });
        expect(mason.connections).toBe(0);
      },
    },
  ];
  let scenes: ReturnType<typeof sideBySide<(typeof SCENES)[number], void>>;
  beforeAll(() => {
    scenes = sideBySide(SCENES, ({ play }) => play());
  });

  test.each(SCENES)('$danger', (scene) => scenes.of(scene));
});
