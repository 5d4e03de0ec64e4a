import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const READER = 'reader-key-aaaaaaaaaaaa';
const MANAGER = 'manager-key-bbbbbbbbbbbb';
const OWNER = 'owner-key-cccccccccccc';

let simulator: SimulatorProcess;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  const keys = [
    { key: OWNER, scopes: ['account:owner'] },
    { key: MANAGER, scopes: ['fleet:manager'] },
    { key: READER, scopes: ['fleet:read'] },
  ];
  simulator = await spawnSimulator([
    '--devices',
    '137',
    ...keys.flatMap(({ key, scopes }) => ['--key', `${key}=${scopes.join(',')}`]),
  ]);
  gateway = await startGateway({ masonUrl: simulator.url, keys });
  token = await gateway.token();
});
beforeEach(() => simulator.reset());
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

/** All that a client of Mason knows: a base, a key, the documentation. */
class MasonClient {
  readonly #base: string;
  readonly #key: string;

  constructor(base: string, key: string) {
    this.#base = base;
    this.#key = key;
  }

  async ask(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const response = await fetch(`${this.#base}/v1${path}`, {
      method,
      headers: {
        authorization: `basic ${this.#key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }

  async all(path: string): Promise<{ id: string; name: string }[]> {
    const found = [];
    for (let after = ''; ; ) {
      const { status, text } = await this.ask('GET', `${path}?limit=20${after}`);
      expect(status).toBe(200);
      const page = JSON.parse(text);
      found.push(...page.data);
      if (!page.nextPage) return found;
      after = `&after=${encodeURIComponent(page.nextPage)}`;
    }
  }
}

const headerNames = (head: string): string[] =>
  head
    .split('\r\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.slice(0, line.indexOf(':')).toLowerCase());

describe('a client that knows only Mason', () => {
  test('It sees through the gateway what it would see without it, byte for byte', async () => {
    const straight = new MasonClient(simulator.url, OWNER);
    const through = new MasonClient(gateway.url, token);
    const devices = await through.all('/default/device');
    expect(devices).toHaveLength(137);
    expect(devices).toEqual(await straight.all('/default/device'));
    const id = devices[0]?.id;
    for (const [method, path, body] of [
      ['GET', '/default/device?limit=7'],
      ['GET', '/default/device?n=358471000000001'],
      ['GET', `/default/device/${id}`],
      ['GET', '/default/device/none'],
      ['GET', '/default/device?limit=-1'],
      ['GET', '/default/device?after=%00'],
      ['GET', '/default/group'],
      ['GET', '/default/group/none%20such'],
      ['GET', '/default/subscription'],
      ['GET', `/default/device/${id}/location`],
      ['POST', '/default/group', { name: 'not a name' }],
      ['POST', '/default/group', {}],
      ['POST', `/default/device/${id}`, { name: 'Lobby ü' }],
    ] as const) {
      expect([path, await through.ask(method, path, body)]).toEqual([path, await straight.ask(method, path, body)]);
    }
  });

  test('It makes, uses and deletes a group, renames and reboots, and hears Mason’s own errors', async () => {
    const client = new MasonClient(gateway.url, token);
    expect(await client.ask('POST', '/default/group', { name: 'lobby', description: 'x' })).toMatchObject({
      status: 200,
    });
    const again = await client.ask('POST', '/default/group', { name: 'lobby', description: 'x' });
    expect(again.status).toBe(409);
    expect(JSON.parse(again.text)).toEqual({ type: 'conflict_error', message: expect.stringContaining('lobby') });
    const [device] = await client.all('/default/device');
    const renamed = await client.ask('POST', `/default/device/${device?.id}`, { name: 'front-door' });
    expect(renamed).toMatchObject({ status: 200, text: expect.stringContaining('front-door') });
    expect(await client.ask('POST', '/default/group/lobby/device', { devices: [device?.id] })).toMatchObject({
      status: 200,
    });
    expect(await client.ask('DELETE', '/default/group/lobby')).toMatchObject({ status: 409 });
    expect(await client.ask('POST', '/default/notify/reboot', { devices: [device?.id] })).toMatchObject({
      status: 200,
    });
    const { effects } = await simulator.state();
    expect(JSON.stringify(effects)).toContain('reboot');
    expect(JSON.stringify(effects)).toContain(String(device?.id));
  });

  test('HEAD, a conditional and a ranged call reach Mason as they are', async () => {
    const head = await gateway.call(token, '/v1/default/device', { method: 'HEAD' });
    expect(head.status).toBe(
      await fetch(`${simulator.url}/v1/default/device`, {
        method: 'HEAD',
        headers: { authorization: `basic ${OWNER}` },
      }).then(({ status }) => status),
    );
    await gateway.call(token, '/v1/default/group', { headers: { 'if-none-match': '"x"', range: 'bytes=0-5' } });
    const [seen] = (await simulator.requests()).slice(-1);
    expect(seen?.head).toMatch(/\r\nif-none-match: "x"\r\n/);
    expect(seen?.head).toMatch(/\r\nrange: bytes=0-5\r\n/);
  });
});

describe('what leaves the building', () => {
  test('Each call goes with the key that may least, and the caller’s token never leaves', async () => {
    await gateway.call(token, '/v1/default/device?limit=1');
    await gateway.call(token, '/v1/default/device/x', {
      method: 'POST',
      body: '{"name":"a"}',
      headers: { 'content-type': 'application/json' },
    });
    await gateway.call(token, '/v1/default/subscription');
    const seen = await simulator.requests();
    expect(seen.map(({ head }) => /\r\nauthorization: basic (.*)\r\n/.exec(head)?.[1])).toEqual([
      READER,
      MANAGER,
      OWNER,
    ]);
    expect(JSON.stringify(seen)).not.toContain(token.slice(4));
  });

  test('Of forty headers only those on the list arrive, and one of them is not the caller’s to name', async () => {
    const sent: Record<string, string> = {
      accept: 'application/json',
      'accept-language': 'de',
      'content-type': 'application/json',
      'idempotency-key': 'once',
      'if-match': '"a"',
      'request-id': 'mine',
      connection: 'close, request-id, authorization, accept-language',
    };
    for (const name of [
      'cookie',
      'x-api-key',
      'origin',
      'referer',
      'forwarded',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-user',
      'x_forwarded_user',
      'x-real-ip',
      'x-original-url',
      'x-http-method-override',
      'x-method-override',
      'x-auth-request-user',
      'proxy-authorization',
      'te',
      'upgrade-insecure-requests',
      'via',
      'x-request-id',
      'traceparent',
      'x-b3-traceid',
      'dnt',
      'sec-fetch-site',
      'accept-encoding',
      'pragma',
      'cache-control',
      'from',
      'max-forwards',
      'x-csrf',
      'gateway-team',
      'prefer',
      'priority',
      'x-mason-key',
      'authorization2',
      'x-authorization',
    ]) {
      sent[name] =
        name === 'gateway-team' ? 'alpha' : name === 'prefer' ? 'wait=9' : name === 'te' ? 'trailers' : 'evil';
    }
    await request(gateway.url)
      .post('/v1/default/group')
      .set({ ...sent, authorization: `Bearer ${token}` })
      .send('{"name":"forty","description":""}')
      .expect(200);
    const [seen] = await simulator.requests();
    expect(headerNames(seen?.head ?? '').toSorted()).toEqual(
      [
        'accept',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'host',
        'idempotency-key',
        'if-match',
        'request-id',
        'user-agent',
      ].toSorted(),
    );
    expect(seen?.head).toContain(`authorization: basic ${OWNER}\r\n`);
    expect(seen?.head).toContain('user-agent: mason-gateway\r\n');
    expect(seen?.head).not.toContain('evil');
    expect(seen?.head).not.toContain('mine');
  });

  test('One request id: told to the caller, to Mason and to the record, beside the caller’s own', async () => {
    const answer = await gateway.call(token, '/v1/default/device/no-such?secret=query', {
      headers: { 'x-request-id': 'from-the-app' },
    });
    const id = answer.headers.get('request-id') as string;
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const [seen] = await simulator.requests();
    expect(seen?.head).toContain(`\r\nrequest-id: ${id}\r\n`);
    const [event] = await gateway.record({ requestId: id });
    expect(event).toMatchObject({
      kind: 'outcome',
      requestId: id,
      callerRequestId: 'from-the-app',
      path: '/v1/default/device/no-such',
      operation: 'device.get',
      effect: 'read',
      status: 404,
      errorSource: 'mason',
      result: 'answered',
      actor: { kind: 'app', app: 'tests', address: '127.0.0.1' },
      team: 'alpha',
      targets: { count: 1, list: [{ kind: 'device', name: 'no-such' }] },
    });
    expect(JSON.stringify(event)).not.toContain('secret');
  });

  test('What is checked is what is sent: the bytes of path, query and body arrive unchanged', async () => {
    const body = Buffer.from('{ "name" : "\\u0061\\/", "description":"é" , "x":1.0e5}\n');
    const target = "/v1/default/device/a%41%C3%BC!$&'()*+,=:@-._~?q=%2F..%2f&&;=#".slice(0, -1);
    await request(gateway.url)
      .post(target)
      .set('authorization', `Bearer ${token}`)
      .set('content-type', 'application/json')
      .send(body.toString());
    const [seen] = await simulator.requests();
    expect(seen?.target).toBe(target);
    const { createHash } = await import('node:crypto');
    expect(seen?.body).toEqual({
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
      complete: true,
    });
  });
});

describe('what comes back', () => {
  test('Mason’s headers pass by a list; ours are on every answer', async () => {
    await simulator.faults({
      kind: 'response-headers',
      headers: {
        'Set-Cookie': ['a=b', 'c=d'],
        Server: 'mason/1',
        'X-Powered-By': 'x',
        'Access-Control-Allow-Origin': '*',
        'Content-Security-Policy': 'default-src *',
        'Strict-Transport-Security': 'max-age=0',
        'Clear-Site-Data': '"*"',
        'Alt-Svc': 'h3=":1"',
        'WWW-Authenticate': 'Basic',
        Location: 'https://evil.example',
        Link: '<https://evil.example>',
        'Cache-Control': 'public, max-age=600',
        'Retry-After': '60',
        Connection: 'X-Foo, ETag',
        'X-Foo': 'y',
        ETag: '"nominated"',
        'Last-Modified': 'Mon, 23 Nov 2026 18:00:00 GMT',
        'Content-Language': 'en',
      },
    });
    const { headers } = await gateway.call(token, '/v1/default/device?limit=1');
    expect(
      [...headers.keys()].filter(
        (name) => !/^(?:x-|cross-origin-|content-|origin-agent|referrer|date|keep-alive)/.test(name),
      ),
    ).toEqual([
      'cache-control',
      'connection',
      'last-modified',
      'ratelimit',
      'ratelimit-policy',
      'request-id',
      'server-timing',
      'strict-transport-security',
    ]);
    expect(headers.get('x-foo')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-language')).toBe('en');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('strict-transport-security')).toContain('max-age=31536000');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('server-timing')).toMatch(/^queue;dur=[\d.]+, mason;dur=[\d.]+, gateway;dur=[\d.]+$/);
    expect(headers.get('error-source')).toBeNull();
  });

  test('Errors of Mason’s come in the documented shape whatever they were, and say that they are Mason’s', async () => {
    for (const shape of ['itemized', 'nested', 'data', 'message', 'plain', 'empty'] as const) {
      await simulator.faults({ kind: 'old-error', shape, status: 400, message: 'no such imei' });
      const answer = await gateway.call(token, '/v1/default/group');
      expect([shape, answer.status, answer.headers.get('error-source')]).toEqual([shape, 400, 'mason']);
      const body = (await answer.json()) as Record<string, unknown>;
      expect(Object.keys(body)).toEqual(['type', 'message']);
      if (shape !== 'empty') expect(body['message']).toContain('no such imei');
    }
  });

  test('A page, a redirect and a broken answer never reach a caller as such', async () => {
    for (const fault of [
      { kind: 'html', status: 200 },
      { kind: 'html', status: 404 },
      { kind: 'redirect', location: `${simulator.url}/stranger` },
      { kind: 'status-line', line: 'HTTP/1.1 000 ' },
      { kind: 'status-line', line: 'garbage' },
      { kind: 'switching-protocols' },
      { kind: 'double-framing', form: 'two-lengths' },
      { kind: 'huge-header' },
    ] as const) {
      await simulator.faults(fault);
      const answer = await gateway.call(token, '/v1/default/group');
      const body = (await answer.json()) as Record<string, unknown>;
      expect([fault, answer.status, Object.keys(body)]).toEqual([
        fault,
        fault.kind === 'html' && fault.status === 404 ? 404 : 502,
        ['type', 'message'],
      ]);
      expect(body['message']).not.toMatch(/127\.0\.0\.1|<|at .*\.ts/);
    }
    expect((await simulator.requests()).filter(({ target }) => target?.includes('stranger'))).toEqual([]);
    expect((await gateway.call(token, '/v1/default/group')).status).toBe(200);
  });

  test('An answer that breaks off breaks off for the caller too: never a well-framed short one', async () => {
    for (const framing of ['length', 'chunked'] as const) {
      await simulator.faults({ kind: 'truncated-body', framing });
      const whole = gateway.call(token, '/v1/default/device').then((answer) => answer.text());
      await expect(whole).rejects.toThrow();
    }
    const [event] = await gateway.record({ kind: 'outcome' });
    expect(event).toMatchObject({ status: 502, errorCode: 'mason_bad_answer' });
  });

  test('A key that Mason echoes is cut out wherever the pieces break, and counted', async () => {
    await simulator.faults({ kind: 'echo-authorization', chunked: true, delayMs: 1 });
    const answer = await gateway.call(token, '/v1/default/device');
    const text = await answer.text();
    expect(text).toContain(`basic ${'*'.repeat(READER.length)}`);
    expect(text).not.toContain(READER);
    await simulator.faults({ kind: 'echo-authorization', in: 'header' });
    expect(JSON.stringify([...(await gateway.call(token, '/v1/default/device')).headers])).not.toContain(READER);
    await simulator.faults({ kind: 'status', status: 400, body: JSON.stringify({ message: `bad key ${READER}` }) });
    expect(await (await gateway.call(token, '/v1/default/device')).text()).not.toContain(READER);
    const metrics = await (await fetch(`${gateway.privateUrl}/metrics`)).text();
    expect(metrics).toMatch(/^mason_gateway_redacted_keys_total [1-9]\d*$/m);
  });

  test('A large answer passes whole, to a slow reader too, and the next call on its connection is not disturbed', async () => {
    await simulator.faults({ kind: 'large', bytes: 8_000_000 });
    const answer = await gateway.call(token, '/v1/default/device');
    let bytes = 0;
    let wrong = 0;
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      for (const byte of chunk) if (byte !== bytes++ % 251) wrong++;
      await new Promise(setImmediate);
    }
    expect([bytes, wrong]).toEqual([8_000_000, 0]);
    expect((await gateway.call(token, '/v1/default/group')).status).toBe(200);
  });

  test('Eighty calls at once: each caller gets its own answer', async () => {
    const devices = (await (await gateway.call(token, '/v1/default/device?limit=80')).json()) as {
      data: { id: string }[];
    };
    expect(devices.data).toHaveLength(80);
    const answers = await Promise.all(
      devices.data.map(async ({ id }, n) => {
        const answer = await gateway.call(
          token,
          n % 3 === 0 ? `/v1/default/device/missing-${n}` : `/v1/default/device/${id}`,
        );
        return { id, n, status: answer.status, requestId: answer.headers.get('request-id'), text: await answer.text() };
      }),
    );
    for (const { id, n, status, text } of answers) {
      expect(status).toBe(n % 3 === 0 ? 404 : 200);
      expect(text).toContain(n % 3 === 0 ? `missing-${n} ` : id);
      const others = answers.filter((other) => other.id !== id && text.includes(other.id));
      expect(others).toEqual([]);
    }
    expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(80);
  });
});
