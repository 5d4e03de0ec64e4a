import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Fault } from '../../../src/simulator/faults/fault.ts';
import { eventually } from '../../support/eventually.ts';
import { OWNER_KEY } from '../../support/gateway.ts';
import { openPage } from '../../support/page.ts';
import { expectRefusal, expectSecurityHeaders, openBench, type RawBench } from '../../support/raw-bench.ts';
import { openXray, type XrayCaller, type XrayWish } from '../../support/xray.ts';

const FRONTEND = 'https://app.example.com';
const HANDSHAKE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

let bench: RawBench;
let device: string;
let path: string;

beforeAll(async () => {
  bench = await openBench({ xray: { upgradeMs: 400 }, frontends: [{ origin: FRONTEND, teams: ['alpha', 'beta'] }] });
  const answer = await bench.gateway.call(bench.token, '/v1/default/device?limit=1');
  device = ((await answer.json()) as { data: [{ id: string }] }).data[0].id;
  path = `/v1/global/xray/${device}/adb`;
});
afterAll(() => bench.close());
beforeEach(() => bench.forget());

const open = (wish: XrayWish = {}, at = path): Promise<XrayCaller> =>
  openXray(bench.gateway.url + at, { token: bench.token, ...wish });

/** What the record says of the session that was asked for. */
const outcomeOf = ({ answer }: XrayCaller): Promise<Readonly<Record<string, unknown>>> =>
  eventually('the outcome is on record', async () =>
    (await bench.gateway.record({ requestId: answer.headers['request-id'] })).find(({ kind }) => kind !== 'intent'),
  );

const control = (state: string): Promise<Response> =>
  fetch(`${bench.sim.url}/_sim/xray`, { method: 'POST', body: JSON.stringify({ device, state }) });

describe("Mason's own refusals reach the caller as they are", () => {
  test('410: not supported on the device', async () => {
    await control('unsupported');
    using caller = await open();
    expect(caller.answer.statusCode).toBe(410);
    expect(caller.refusal).toEqual({
      type: 'invalid_request_error',
      message: expect.stringContaining('not supported'),
    });
    expect(caller.answer.headers).toMatchObject({ 'error-source': 'mason', connection: 'close' });
    expect(await outcomeOf(caller)).toMatchObject({ result: 'answered', status: 410, attempts: [{ status: 410 }] });
  });

  test('404: no such device', async () => {
    using caller = await open({}, '/v1/global/xray/nowhere/vnc');
    expect([caller.answer.statusCode, caller.refusal?.type]).toEqual([404, 'not_found_error']);
  });

  test('429: a session is active there. Asked once, and nobody else waits for it', async () => {
    using first = await open();
    using second = await open({}, `/v1/global/xray/${device}/vnc`);
    expect(first.refusal).toBeUndefined();
    expect(second.answer.statusCode).toBe(429);
    expect(second.refusal).toEqual({ type: 'rate_limit_error', message: expect.stringContaining('already active') });
    expect(await bench.sim.requests()).toHaveLength(2);
    const { status, headers } = await bench.gateway.call(bench.token, '/v1/default/device?limit=1', {
      headers: { prefer: 'wait=0' },
    });
    // A pause would have refused it at once.
    expect([status, headers.get('error-source')]).toEqual([200, null]);
  });

  const said = (status: number, body: string): Fault => ({ kind: 'status', status, body });
  test.each<[what: string, fault: Fault, status: number, type: string, source: string]>([
    ['403', said(403, '{"type":"permission_error","message":"no"}'), 403, 'permission_error', 'mason'],
    ['400', said(400, '{"error":{"details":"odd"}}'), 400, 'invalid_request_error', 'mason'],
    ['500', said(500, ''), 500, 'api_error', 'mason'],
    ['503', said(503, 'busy'), 502, 'api_error', 'mason'],
    ['a page', { kind: 'html' }, 502, 'api_error', 'mason'],
    ['401: our key', said(401, '{}'), 502, 'api_error', 'gateway'],
    ['200', { kind: 'large', bytes: 10 }, 502, 'api_error', 'gateway'],
    ['a redirect', { kind: 'redirect', location: 'http://evil.example/' }, 502, 'api_error', 'gateway'],
    ['101 without the proof', { kind: 'switching-protocols' }, 502, 'api_error', 'gateway'],
    ['status 000', { kind: 'status-line', line: 'HTTP/1.1 000 ' }, 502, 'api_error', 'gateway'],
    ['garbage', { kind: 'raw', base64: Buffer.from('RFB 003.008\n').toString('base64') }, 502, 'api_error', 'gateway'],
    ['a header without end', { kind: 'huge-header' }, 502, 'api_error', 'gateway'],
    ['a reset', { kind: 'reset' }, 502, 'api_error', 'gateway'],
    ['nothing', { kind: 'hang' }, 504, 'api_error', 'gateway'],
    ['an answer too late', { kind: 'slow-headers', delayMs: 1_500 }, 504, 'api_error', 'gateway'],
    ['half a refusal', { kind: 'slow-body', delayMs: 50 }, 502, 'api_error', 'mason'],
  ])('%s', async (_what, fault, status, type, source) => {
    await bench.sim.faults(fault.kind === 'slow-body' ? said(502, 'x'.repeat(70_000)) : fault);
    using caller = await open();
    expect([caller.answer.statusCode, caller.answer.headers['error-source']]).toEqual([status, source]);
    expect(caller.refusal).toEqual({ type, message: expect.any(String) });
    expect(caller.refusal?.message).not.toContain('whether the change');
    expect(await bench.sim.requests()).toHaveLength(1);
    expect((await outcomeOf(caller))['result']).toBe(source === 'mason' ? 'answered' : 'failed');
    await bench.good();
  });

  test('A key that Mason echoes in a refusal is cut out', async () => {
    await bench.sim.faults(said(403, JSON.stringify({ message: `the key ${OWNER_KEY} may not` })));
    using caller = await open();
    expect(caller.refusal?.message).toMatch(/^the key \*+ may not$/);
  });
});

describe('What the gateway refuses never reaches Mason', () => {
  test.each<[what: string, wish: () => Promise<XrayWish>, status: number]>([
    ['no credential', async () => ({ headers: { authorization: '' } }), 401],
    ['an unknown token', async () => ({ token: 'not-a-token' }), 401],
    ['a token without the scope', async () => ({ token: await bench.gateway.token({ scopes: ['fleet:admin'] }) }), 403],
    ['a token that may not disrupt', async () => ({ token: await bench.gateway.token({ effects: 'change' }) }), 403],
    ['another version', async () => ({ protocolVersion: 8 }), 400],
  ])('%s', async (_what, wish, status) => {
    using caller = await open(await wish());
    expect([caller.answer.statusCode, caller.answer.headers['error-source']]).toEqual([status, 'gateway']);
    await bench.untouched();
  });

  const upgrade = (line: string, handshake = HANDSHAKE): string => `${line} HTTP/1.1\r\n${bench.auth}${handshake}\r\n`;
  test.each<[what: string, bytes: () => string, status: number]>([
    ['a path that climbs', () => upgrade('GET /v1/global/xray/../x/adb'), 400],
    ['an encoded slash', () => upgrade('GET /v1/global/xray/a%2fb/adb'), 400],
    ['another host in the target', () => upgrade(`GET http://evil.example${path}`), 400],
    ['another kind', () => upgrade(`GET /v1/global/xray/${device}/shell`), 404],
    ['no upgrade', () => `GET ${path} HTTP/1.1\r\n${bench.auth}\r\n`, 400],
    ['another protocol', () => upgrade(`GET ${path}`, HANDSHAKE.replace('websocket', 'h2c')), 400],
    ['another method', () => upgrade(`POST ${path}`, `${HANDSHAKE}Content-Length: 0\r\n`), 405],
    ['no key', () => upgrade(`GET ${path}`, HANDSHAKE.replace(/Sec-WebSocket-Key.*\r\n/, '')), 400],
    ['two keys', () => upgrade(`GET ${path}`, `${HANDSHAKE}Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n`), 400],
    ['a body', () => upgrade(`GET ${path}`, `${HANDSHAKE}Content-Length: 5\r\n`), 400],
    ['HTTP/1.0', () => upgrade(`GET ${path}`).replace('HTTP/1.1', 'HTTP/1.0'), 400],
    ['no sub-protocol at all', () => upgrade(`GET ${path}`, `${HANDSHAKE}Sec-WebSocket-Protocol: a b\r\n`), 400],
    ['two hosts', () => upgrade(`GET ${path}`, `${HANDSHAKE}Host: other\r\n`), 400],
  ])('%s', async (_what, bytes, status) => {
    using socket = await bench.open();
    await socket.write(bytes());
    const answer = await socket.answer();
    expectRefusal(answer, status);
    expectSecurityHeaders(answer);
    await bench.untouched();
    await bench.good();
  });

  test('Bytes before the WebSocket is open end it: nothing is to be said yet (RFC 6455 4.1)', async () => {
    await bench.sim.faults({ kind: 'slow-headers', delayMs: 300 });
    using socket = await bench.open();
    await socket.write(upgrade(`GET ${path}`), Buffer.from([0x82, 0x80, 1, 2, 3, 4]));
    expectRefusal(await socket.answer(), 400);
  });

  test('Asked for behind a request that is not answered yet: that is answered, this is refused, and nothing breaks', async () => {
    await bench.sim.faults({ kind: 'slow-headers', delayMs: 100 });
    using socket = await bench.open();
    await socket.write(`GET /v1/default/device?limit=1 HTTP/1.1\r\n${bench.auth}\r\n${upgrade(`GET ${path}`)}`);
    expect((await socket.answer()).status).toBe(200);
    expect(expectRefusal(await socket.answer(), 400)).toMatch(/no answer is due/);
    await bench.good();
  });

  test('Who hangs up while Mason thinks leaves nothing behind', async () => {
    await bench.sim.faults({ kind: 'hang' });
    using socket = await bench.open();
    await socket.write(upgrade(`GET ${path}`));
    await eventually('Mason is asked', async () => (await bench.sim.stats()).requestsReached === 1);
    const during = (await bench.sim.stats()).connections.open;
    socket.end();
    await eventually('the call is over', async () => (await bench.callsOpen()) === 0);
    const gone = await bench.gateway.record({ status: 499 });
    expect(gone).toMatchObject([{ operation: 'xray.adb', errorCode: 'caller_gone', result: 'failed' }]);
    await eventually('its connection is gone', async () => (await bench.sim.stats()).connections.open < during);
  });

  test('Who hangs up before it is known who it is gets no session that nobody would end', async () => {
    using socket = await bench.open();
    await socket.write(upgrade(`GET ${path}`));
    socket.end();
    expect(await socket.closed()).toBe('end');
    await eventually('the call is over', async () => (await bench.callsOpen()) === 0);
    await bench.untouched();
  });

  test('No more sessions than a device may have', async () => {
    using first = await open();
    await fetch(`${bench.sim.url}/_sim/faults`, { method: 'DELETE' });
    await bench.sim.faults({ kind: 'hang' });
    const second = open({}, `/v1/global/xray/${device}/vnc`);
    await eventually('it waits for Mason', async () => (await bench.callsOpen()) === 2);
    using third = await open();
    expect(first.refusal).toBeUndefined();
    expect([third.answer.statusCode, third.refusal?.type]).toEqual([429, 'rate_limit_error']);
    expect(third.refusal?.message).toContain('on this device');
    expect(third.answer.headers['retry-after']).toMatch(/^\d+$/);
    (await second)[Symbol.dispose]();
  });
});

describe('Browsers need a ticket and a listed origin (C8)', () => {
  test('With both it opens, once; without one of them nothing reaches Mason', async () => {
    await bench.gateway.administer('team.add', { slug: 'beta' });
    const page = await openPage(bench.gateway, { role: 'lead', team: 'alpha' }, { role: 'lead', team: 'beta' });
    const ticket = async (origin: string, team?: string): Promise<string> => {
      const headers = {
        'Content-Type': 'application/json',
        Origin: origin,
        'Sec-Fetch-Site': 'same-site',
        ...(team === undefined ? {} : { 'Gateway-Team': team }),
      };
      const asked = { method: 'POST', body: JSON.stringify({ method: 'GET', path }), headers };
      return ((await (await page.call('/auth/ticket', asked)).json()) as { path: string }).path;
    };
    const browser = (at: string, origin: string | undefined): Promise<XrayCaller> =>
      openXray(bench.gateway.url + at, {
        headers: { cookie: page.cookie, ...(origin === undefined ? {} : { origin }) },
      });
    await bench.forget();
    for (const [at, origin] of [
      [path, FRONTEND],
      [await ticket(FRONTEND), 'https://evil.example'],
      [await ticket(FRONTEND), undefined],
      [`${path}?gateway-ticket=${'a'.repeat(43)}`, FRONTEND],
      [(await ticket(FRONTEND)).replace('/adb', '/vnc'), FRONTEND],
    ] as const) {
      using refused = await browser(at, origin);
      expect([at, refused.answer.statusCode, refused.refusal?.type]).toEqual([at, 403, 'permission_error']);
    }
    // Somebody with several teams says which with the ticket.
    using unclear = await browser(await ticket(FRONTEND), FRONTEND);
    expect([unclear.answer.statusCode, unclear.refusal?.message]).toEqual([
      400,
      expect.stringContaining('alpha, beta'),
    ]);
    await bench.untouched();
    const good = await ticket(FRONTEND, 'alpha');
    using caller = await browser(good, FRONTEND);
    expect(String((await caller.next()).bytes)).toBe('device:ok');
    using again = await browser(good, FRONTEND);
    expect(again.answer.statusCode).toBe(403);
    const [{ head } = { head: '' }] = await bench.sim.requests();
    expect(head).toMatch(new RegExp(`^GET ${path} HTTP/1.1\r\n`));
    expect(head).not.toMatch(/cookie|origin|ticket|sec-fetch/i);
  });
});
