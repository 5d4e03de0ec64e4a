import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type WebSocket from 'ws';
import { eventually } from '../../support/eventually.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../../support/gateway.ts';
import { openPage } from '../../support/page.ts';
import { SELF_SIGNED } from '../../support/raw-certificate.ts';
import { type SimulatorProcess, spawnSimulator } from '../../support/simulator.ts';
import { openXray, type XrayCaller, type XrayWish } from '../../support/xray.ts';
import { startXrayMason, type XrayMason } from '../../support/xray-mason.ts';

let mason: XrayMason;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  mason = await startXrayMason({
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => [...offered].at(-1) ?? false,
  });
  gateway = await startGateway({
    masonUrl: mason.url,
    // The second key is the one with the least scope that still allows it.
    keys: [
      { key: OWNER_KEY, scopes: ['account:owner'] },
      { key: 'xray-key-0123456789', scopes: ['xray:admin'] },
    ],
    settings: { xray: { closeMs: 500 } },
  });
  token = await gateway.token();
});
afterAll(async () => {
  await gateway?.close();
  await mason?.[Symbol.asyncDispose]();
});

interface Session extends Disposable {
  readonly caller: XrayCaller;
  /** Mason's end of it. */
  readonly device: WebSocket;
  readonly asked: readonly string[];
}

let devices = 0;

async function openSession(wish: XrayWish = {}, kind = 'adb'): Promise<Session> {
  const opening = mason.session();
  const caller = await openXray(`${gateway.url}/v1/global/xray/device-${++devices}/${kind}`, { token, ...wish });
  expect(caller.refusal).toBeUndefined();
  const { socket, request } = await opening;
  return { caller, device: socket, asked: request.rawHeaders, [Symbol.dispose]: () => caller[Symbol.dispose]() };
}

const closeOf = async (socket: WebSocket): Promise<{ code: number; reason: string }> => {
  const [code, reason] = await once(socket, 'close');
  return { code: code as number, reason: String(reason) };
};

const outcome = ({ answer }: XrayCaller): Promise<Readonly<Record<string, unknown>>> =>
  eventually('the outcome is on record', async () =>
    (await gateway.record({ requestId: answer.headers['request-id'] })).find(({ kind }) => kind === 'outcome'),
  );

describe("Mason's own command line, unchanged", () => {
  let simulator: SimulatorProcess;
  let real: TestGateway;
  let key: string;
  let device: string;

  beforeAll(async () => {
    simulator = await spawnSimulator(['--devices', '3', '--key', `${OWNER_KEY}=account:owner`]);
    real = await startGateway({ masonUrl: simulator.url });
    key = await real.token();
    const list = (await (await real.call(key, '/v1/default/device')).json()) as { data: [{ id: string }] };
    device = list.data[0].id;
  });
  afterAll(async () => {
    await real?.close();
    await simulator?.close();
  });

  test.each(['adb', 'vnc'])('%s: control in text, the byte stream in binary, a close', async (kind) => {
    await simulator.reset();
    using caller = await openXray(`${real.url}/v1/global/xray/${device}/${kind}`, { token: key });
    expect(await caller.next()).toEqual({ isBinary: false, bytes: Buffer.from('device:ok') });
    caller.socket.send('client:ok');
    const pieces = [0, 1, 125, 126, 65_535, 65_536, 200_000].map((length) => randomBytes(length));
    for (const piece of pieces) caller.socket.send(piece);
    for (const piece of pieces) {
      const { isBinary, bytes } = await caller.next();
      expect([isBinary, bytes.equals(piece)]).toEqual([true, true]);
    }
    caller.socket.close(1000);
    expect(await caller.closed).toEqual({ code: 1000, reason: '' });
    const requestId = caller.answer.headers['request-id'];
    const events = await eventually('both events are on record', async () => {
      const found = await real.record({ requestId });
      return found.length === 2 && found;
    });
    const sent = pieces.reduce((sum, { length }) => sum + length, 0);
    const [last, first] = events;
    expect(first).toMatchObject({ kind: 'intent', operation: `xray.${kind}`, effect: 'disruptive' });
    expect(first).toMatchObject({ targets: { list: [{ kind: 'device', name: device }] } });
    expect(last).toMatchObject({
      kind: 'outcome',
      status: 101,
      result: 'answered',
      closedBy: 'caller',
      closeCode: 1000,
    });
    for (const bytes of [last?.['bytesIn'], last?.['bytesOut']]) {
      expect(bytes).toBeGreaterThan(sent);
      expect(bytes).toBeLessThan(sent + 200);
    }
    expect(last?.['openMs']).toBeGreaterThan(0);
    expect(last?.['gatewayMs']).toBeLessThan((last?.['openMs'] as number) + 2_000);
    const metrics = await (await fetch(`${real.privateUrl}/metrics`)).text();
    expect(metrics).toMatch(/^mason_gateway_streams_open 0$/m);
    expect(Number(/^mason_gateway_stream_bytes_total\{direction="in"\} (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(
      sent,
    );
  });

  test('A device that does not answer: close code 1013, with its reason', async () => {
    const state = (name: string) =>
      fetch(`${simulator.url}/_sim/xray`, { method: 'POST', body: JSON.stringify({ device, state: name }) });
    await state('absent');
    using caller = await openXray(`${real.url}/v1/global/xray/${device}/adb`, { token: key });
    expect(await caller.closed).toEqual({ code: 1013, reason: 'the device does not answer' });
    const active = async () => (await (await fetch(`${simulator.url}/_sim/xray`)).json()) as { data: string[] };
    await eventually('the device is free', async () => (await active()).data.length === 0);
    await state('failing');
    using second = await openXray(`${real.url}/v1/global/xray/${device}/adb`, { token: key });
    expect(String((await second.next()).bytes)).toBe('device:fail');
  });

  test('On the wire: exactly the headers that we name, whatever the caller sent', async () => {
    await simulator.reset();
    const hostile = {
      'x-api-key': 'k',
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-host': 'evil.example',
      forwarded: 'for=1.2.3.4',
      'x-real-ip': '1.2.3.4',
      via: '1.1 x',
      referer: 'http://x/',
      te: 'trailers',
      'proxy-authorization': 'basic x',
      'sec-fetch-site': 'none',
      'x-http-method-override': 'DELETE',
      'user-agent': 'mine',
      'sec-websocket-extensions': 'x-multiplex',
      'accept-language': 'de',
    };
    using caller = await openXray(`${real.url}/v1/global/xray/${device}/adb?a=%20b`, {
      token: key,
      protocols: ['one', 'two'],
      headers: hostile,
    });
    await caller.next();
    const [request] = await simulator.requests();
    const lines = request?.head.trimEnd().split('\r\n') ?? [];
    const id = caller.answer.headers['request-id'];
    expect(lines.shift()).toBe(`GET /v1/global/xray/${device}/adb?a=%20b HTTP/1.1`);
    const named = lines.map((line) => line.replace(/^(sec-websocket-key: )[A-Za-z0-9+/]{22}==$/, '$1(random)'));
    expect(named.toSorted()).toEqual([
      'accept-language: de',
      `authorization: basic ${OWNER_KEY}`,
      'connection: Upgrade',
      `host: 127.0.0.1:${simulator.port}`,
      `request-id: ${id}`,
      'sec-websocket-key: (random)',
      'sec-websocket-protocol: one,two',
      'sec-websocket-version: 13',
      'upgrade: websocket',
      'user-agent: mason-gateway',
    ]);
    const { headers } = caller.answer;
    expect(headers['sec-websocket-protocol']).toBe('one');
    expect(headers).toHaveProperty('ratelimit');
    expect(headers).toHaveProperty('x-content-type-options', 'nosniff');
    caller.socket.close();
    await caller.closed;
  });
});

describe('Nothing of a session is changed on its way', () => {
  test('The key with the least scope is attached; the sub-protocol that Mason takes is the one', async () => {
    using session = await openSession({ protocols: ['a', 'b'] });
    expect(session.asked[session.asked.indexOf('authorization') + 1]).toBe('basic xray-key-0123456789');
    expect(session.caller.socket.protocol).toBe('b');
  });

  test('Compressed by both ends, it stays so; text is text, binary is binary, fragments come whole and in order', async () => {
    using session = await openSession({ perMessageDeflate: { threshold: 0 } });
    const { caller, device } = session;
    expect([caller.socket.extensions, device.extensions]).toEqual(['permessage-deflate', 'permessage-deflate']);
    device.send('half a ', { fin: false, binary: false });
    device.ping('in between');
    device.send('word', { fin: true });
    device.send(Buffer.alloc(100_000, 7));
    expect(await caller.next()).toEqual({ isBinary: false, bytes: Buffer.from('half a word') });
    const { isBinary, bytes } = await caller.next();
    expect([isBinary, bytes.length]).toEqual([true, 100_000]);
  });

  test.each([
    [4001, 'enough'],
    [1011, 'é ü'],
    [1000, ''],
  ])('Close code %i passes both ways, with its reason', async (code, reason) => {
    using session = await openSession();
    const atMason = closeOf(session.device);
    session.caller.socket.close(code, reason);
    expect(await atMason).toEqual({ code, reason });
    using other = await openSession();
    other.device.close(code, reason);
    expect(await other.caller.closed).toEqual({ code, reason });
    expect(await outcome(other.caller)).toMatchObject({ closedBy: 'mason', closeCode: code });
  });

  test('A connection that breaks off breaks off for the other side too', async () => {
    using session = await openSession();
    const atMason = closeOf(session.device);
    session.caller.socket.terminate();
    expect((await atMason).code).toBe(1006);
    expect(await outcome(session.caller)).toMatchObject({ closedBy: 'caller', closeCode: 1006, result: 'answered' });
    using other = await openSession();
    other.device.terminate();
    expect((await other.caller.closed).code).toBe(1006);
  });

  test.each(['to the caller', 'to Mason'])(
    'A side that does not read holds the other back; then all arrives: %s',
    async (way) => {
      using session = await openSession();
      const [from, to] =
        way === 'to Mason' ? [session.caller.socket, session.device] : [session.device, session.caller.socket];
      to.pause();
      const hash = createHash('sha256');
      const piece = randomBytes(1024 * 1024);
      let sent = 0;
      // Until nothing leaves any more: what is held on the way is bounded.
      for (let held = 0; held < 5; ) {
        const before = from.bufferedAmount;
        if (before < 8 * 1024 * 1024) {
          from.send(piece);
          hash.update(piece);
          sent += piece.length;
        }
        await new Promise((resolve) => setTimeout(resolve, 4));
        held = from.bufferedAmount > 4 * 1024 * 1024 && from.bufferedAmount >= before ? held + 1 : 0;
      }
      const heard = createHash('sha256');
      let arrived = 0;
      to.on('message', (data) => {
        heard.update(data as Buffer);
        arrived += (data as Buffer).length;
      });
      expect(sent).toBeLessThan(64 * 1024 * 1024);
      to.resume();
      await eventually('all has arrived', () => arrived === sent);
      expect(heard.digest('hex')).toBe(hash.digest('hex'));
    },
  );
});

describe('Encrypted', () => {
  test('A Mason that nobody vouches for is not asked', async () => {
    const server = createServer(SELF_SIGNED);
    let asked = 0;
    server.on('upgrade', () => asked++);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using other = await startGateway({ masonUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
    using caller = await openXray(`${other.url}/v1/global/xray/device/adb`, { token: await other.token() });
    expect([caller.answer.statusCode, caller.refusal?.message]).toEqual([502, 'Mason cannot be reached']);
    expect(asked).toBe(0);
    server.close();
  });

  test('The public door may speak TLS by itself', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'xray-'));
    const [certFile, keyFile] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
    writeFileSync(certFile, SELF_SIGNED.cert);
    writeFileSync(keyFile, SELF_SIGNED.key, { mode: 0o600 });
    const tls = { certFile, keyFile, minVersion: 'TLSv1.2', allowSharedMode: false };
    await using other = await startGateway({
      masonUrl: mason.url,
      settings: { listen: { publicUrl: 'https://localhost', tls } },
    });
    const opening = mason.session();
    const url = `https://127.0.0.1:${other.port}/v1/global/xray/device/adb`;
    using caller = await openXray(url, { token: await other.token(), rejectUnauthorized: false });
    const { socket } = await opening;
    socket.send('hello');
    expect(String((await caller.next()).bytes)).toBe('hello');
    caller.socket.close(1000);
    expect((await closeOf(socket)).code).toBe(1000);
    rmSync(directory, { recursive: true });
  });
});

describe('A session lasts no longer than what allowed it', () => {
  test('The token is revoked: both sides are told, and nothing passes any more', async () => {
    const { token: own, id } = (await gateway.administer('token.create', {
      team: 'alpha',
      app: 'tests',
      scopes: ['xray:admin'],
      effects: 'disruptive',
    })) as { token: string; id: string };
    using session = await openSession({ token: own });
    const atMason = closeOf(session.device);
    await gateway.administer('token.revoke', { id });
    expect(await session.caller.closed).toEqual({ code: 1008, reason: 'the gateway token was revoked' });
    expect((await atMason).code).toBe(1008);
    expect(await outcome(session.caller)).toMatchObject({ closedBy: 'gateway', closeReason: 'unauthenticated' });
  });

  test('So it is when a person loses the role, or signs out', async () => {
    for (const end of ['role', 'session'] as const) {
      const page = await openPage(gateway, { role: 'lead', team: 'alpha' });
      const asked = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
      const body = JSON.stringify({ method: 'GET', path: `/v1/global/xray/of-a-person-${end}/vnc` });
      const { path } = (await (await page.call('/auth/ticket', { ...asked, body })).json()) as { path: string };
      const opening = mason.session();
      using caller = await openXray(gateway.url + path, { headers: { cookie: page.cookie, origin: gateway.url } });
      await opening;
      if (end === 'session') await page.call('/auth/logout', { method: 'POST' });
      else await gateway.administer('person.set', { id: page.person, grants: [{ role: 'member', team: 'alpha' }] });
      expect((await caller.closed).code).toBe(1008);
    }
  });

  test('An administrator sees it and ends it; others do not see it', async () => {
    using session = await openSession();
    session.caller.socket.send('client:ok');
    await once(session.device, 'message');
    const id = session.caller.answer.headers['request-id'] as string;
    const { data } = (await gateway.administer('stream.list', {})) as { data: Record<string, unknown>[] };
    expect(data.find((stream) => stream['id'] === id)).toEqual({
      id,
      team: 'alpha',
      operation: 'xray.adb',
      device: `device-${devices}`,
      holder: 'tests',
      address: '127.0.0.1',
      openedAt: expect.any(String),
      bytesIn: 15,
      bytesOut: 0,
    });
    await gateway.administer('stream.end', { id });
    expect(await session.caller.closed).toEqual({ code: 1008, reason: 'ended by an administrator' });
    await expect(gateway.administer('stream.end', { id })).rejects.toMatchObject({ code: 'not_found' });
    const acts = (await gateway.record({ kind: 'admin' })).filter(({ act }) => act === 'stream.end');
    expect(acts.map(({ result }) => result).toSorted()).toEqual(['done', 'failed', 'intended']);
    expect(acts.find(({ result }) => result === 'done')).toMatchObject({
      team: 'alpha',
      details: { id, holder: expect.stringMatching(/^app_/) },
    });
  });

  test('The gateway ends: 1012 to both sides, at once, and the outcome is on record', async () => {
    await using other = await startGateway({ masonUrl: mason.url });
    const opening = mason.session();
    const url = `${other.url}/v1/global/xray/device/adb`;
    using caller = await openXray(url, { token: await other.token() });
    const { socket } = await opening;
    const atMason = closeOf(socket);
    await Promise.all([other.close(), caller.closed, atMason]);
    expect(await caller.closed).toEqual({ code: 1012, reason: 'service restart' });
    expect(await atMason).toEqual({ code: 1012, reason: 'service restart' });
  });
});
