import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';
import { apiAt } from './api-client.ts';
import { answered, play } from './play.ts';

let sim: SimulatorProcess;
let api: ReturnType<typeof apiAt>;
beforeAll(async () => {
  sim = await spawnSimulator(['--devices', '3', '--groups', '2', '--key', 'demo-owner-key=account:owner']);
  api = apiAt(sim.url);
});
afterAll(() => sim.close());
beforeEach(() => sim.reset());

describe('sound in framing, strange in content', () => {
  test('a status, with the documented error, or with a body and headers of its own', async () => {
    await sim.faults({ kind: 'status', status: 429, headers: { 'Retry-After': '-5' } });
    const refused = await api('GET', '/default/group');
    expect(refused).toMatchObject({ status: 429, body: { type: 'rate_limit_error' } });
    expect(refused.headers.get('retry-after')).toBe('-5');
    await sim.faults({
      kind: 'status',
      status: 503,
      body: 'gone',
      headers: { 'content-type': 'text/plain', 'Set-Cookie': ['a=1', 'b=2'] },
    });
    const down = await api('GET', '/default/group');
    expect(down).toMatchObject({ status: 503, body: 'gone' });
    expect(down.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    await sim.faults({ kind: 'status', status: 204, body: '' });
    expect((await api('GET', '/default/group')).status).toBe(204);
  });

  test.each([
    ['itemized', { error: 'Error', details: 'm', itemized: [{ code: 'E_OLD', message: 'm' }] }],
    ['nested', { error: { details: 'm' } }],
    ['data', { data: 'm' }],
    ['message', { message: 'm' }],
    ['plain', 'm'],
    ['empty', ''],
  ] as const)('the old error shape "%s"', async (shape, body) => {
    await sim.faults({ kind: 'old-error', shape, status: 418, message: 'm' });
    expect(await api('GET', '/default/group')).toMatchObject({ status: 418, body });
  });

  test('a redirect, a load balancer’s page, an error whose JSON ends in the middle, a header of 64 KiB', async () => {
    await sim.faults({ kind: 'redirect', location: 'http://elsewhere.example/v1' });
    const moved = await api('GET', '/default/group');
    expect([moved.status, moved.headers.get('location')]).toEqual([302, 'http://elsewhere.example/v1']);
    await sim.faults({ kind: 'html' });
    const page = await api('GET', '/default/group');
    expect(page).toMatchObject({ status: 502, body: expect.stringContaining('<h1>502 Bad Gateway</h1>') });
    const cut = await play(sim, { kind: 'truncated-json' }, (text) => text.endsWith('"mess'));
    expect(cut.head).toMatch(/^HTTP\/1\.1 500 .*Content-Length: 25(\r|$)/s);
    const huge = await play(sim, { kind: 'huge-header' }, answered);
    expect(huge.head).toContain(`X-Huge: ${'h'.repeat(65_536)}`);
  });

  test('the true answer with further headers, and whatever it does really done', async () => {
    const headers = { Connection: 'X-Hop', 'X-Hop': '1', 'Set-Cookie': ['a=1', 'b=2'], Location: 'http://upstream/x' };
    const { head } = await play(sim, { kind: 'response-headers', headers }, answered);
    for (const line of [
      'Connection: X-Hop',
      'X-Hop: 1',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Location: http://upstream/x',
    ]) {
      expect(head.split('\r\n')).toContain(line);
    }
    await sim.faults({ kind: 'response-headers', headers: { 'X-A': 'b' } });
    expect((await api('POST', '/default/group', { body: { name: 'real' } })).headers.get('x-a')).toBe('b');
    expect((await api('GET', '/default/group/real')).status).toBe(200);
  });

  test('a large body, the same bytes each time', async () => {
    await sim.faults({ kind: 'large', bytes: 10_000_001 });
    const response = await fetch(`${sim.url}/v1/default/group`);
    const body = Buffer.from(await response.arrayBuffer());
    expect(body.length).toBe(10_000_001);
    expect(body.equals(Buffer.from(Array.from(body, (_, at) => at % 251)))).toBe(true);
  });
});

describe('the caller’s key handed back', () => {
  test('whole, in the body or in a header', async () => {
    await sim.faults({ kind: 'echo-authorization' });
    expect((await api('GET', '/default/group')).body).toEqual({ authorization: 'basic demo-owner-key' });
    await sim.faults({ kind: 'echo-authorization', in: 'header' });
    expect((await api('GET', '/default/group')).headers.get('x-echo-authorization')).toBe('basic demo-owner-key');
  });

  test('cut in two at each place, the halves in chunks of their own', async () => {
    const { text, body } = await play(sim, { kind: 'echo-authorization', chunked: true, delayMs: 0 }, (heard) =>
      heard.endsWith('\r\n0\r\n\r\n'),
    );
    expect(text).toContain('Transfer-Encoding: chunked');
    const chunks = body.split('\r\n').filter((_, at) => at % 2 === 1);
    const key = 'demo-owner-key';
    const halves = Array.from({ length: key.length - 1 }, (_, at) => [
      `basic ${key.slice(0, at + 1)}`,
      `${key.slice(at + 1)}\n`,
    ]);
    expect(chunks.filter((chunk) => chunk !== '')).toEqual(halves.flat());
  });
});
