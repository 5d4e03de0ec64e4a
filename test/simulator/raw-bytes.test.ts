import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';
import { answers, get, talk } from './raw-client.ts';

let sim: SimulatorProcess;
beforeAll(async () => {
  sim = await spawnSimulator(['--devices', '3', '--keep-requests', '20']);
});
afterAll(() => sim.close());
beforeEach(() => sim.reset());

test('a header whose case and spacing a parser would tidy up is on record as it was written', async () => {
  const odd = get('/v1/default/group?a=%7e&b', 'x-ODD:   spaced \t value\t\r\nX-Odd: \xe4\r\n');
  await talk(sim.port, odd, (text) => answers(text) === 1);
  const [request] = await sim.requests();
  expect(request?.head).toBe(odd);
  expect(Buffer.from(request?.headRaw ?? '', 'base64').toString('latin1')).toBe(odd);
  expect(request).toMatchObject({ method: 'GET', target: '/v1/default/group?a=%7e&b', key: 'owner', status: 200 });
});

test('pipelined requests, split in the middle of heads and bodies, keep their own bytes and numbers', async () => {
  const body = '{"name":"GET / HTTP/1.1\\r\\n"}';
  const post = (length: string) =>
    `POST /v1/default/group HTTP/1.1\r\nHost: m\r\nAuthorization: basic demo-owner-key\r\n${length}\r\n`;
  const heads = [
    get(),
    post(`Content-Length: ${body.length}\r\n`),
    post('Transfer-Encoding: chunked\r\n'),
    get('/v1/x'),
  ];
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const all = `${heads[0]}${heads[1]}${body}${heads[2]}${chunked}${heads[3]}`;
  const pieces = all.match(/.{1,37}/gs) ?? [];
  const heard = await talk(sim.port, pieces, (text) => answers(text) === 4);
  expect(heard.text.match(/HTTP\/1\.1 \d+/g)).toEqual(
    ['200', '400', '400', '404'].map((status) => `HTTP/1.1 ${status}`),
  );

  const requests = await sim.requests();
  expect(requests.map(({ head }) => head)).toEqual(heads);
  expect(requests.map(({ onConnection }) => onConnection)).toEqual([1, 2, 3, 4]);
  expect(new Set(requests.map(({ connection }) => connection)).size).toBe(1);
  expect(requests[1]?.body).toEqual(requests[2]?.body);
  expect(requests[1]?.body).toMatchObject({ bytes: body.length, complete: true });
});

test.each([
  [
    'both Content-Length and chunked',
    'POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
  ['garbage', '\x16\x03\x01\x02\x00\x01\x00'],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost : m\r\n\r\n'],
  ['a bare LF', 'GET / HTTP/1.1\nHost: m\nX: a\n\n'],
])('"the upstream saw nothing" cannot overlook malformed bytes: %s', async (_, bytes) => {
  const heard = await talk(sim.port, bytes);
  expect(heard.text).toMatch(/^HTTP\/1\.1 400 .*"invalid_request_error"/s);
  expect(await sim.stats()).toMatchObject({ malformed: 1, requestsReached: 0, connections: { opened: 1 } });
  expect(await sim.requests()).toMatchObject([{ method: null, status: 400, head: bytes }]);
});

test('a request without Host, or with two, reached Mason and was refused', async () => {
  await talk(
    sim.port,
    'GET /v1/default/device HTTP/1.1\r\nAuthorization: basic demo-owner-key\r\n\r\n',
    (text) => answers(text) === 1,
  );
  await talk(sim.port, get('/v1/default/device', 'host: other\r\n'), (text) => answers(text) === 1);
  expect((await sim.requests()).map(({ status }) => status)).toEqual([400, 400]);
  expect(await sim.stats()).toMatchObject({ requestsReached: 2, accepted: 0, byStatus: { 400: 2 } });
});

test('a head beyond all bounds is refused as such', async () => {
  const heard = await talk(sim.port, get('/v1/x', `X: ${'x'.repeat(200_000)}\r\n`));
  expect(heard.text).toMatch(/^HTTP\/1\.1 431 /);
  expect(await sim.requests()).toMatchObject([{ method: null, status: 431 }]);
});

test('a WebSocket to a device that does not exist is refused in HTTP, and on record', async () => {
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const heard = await talk(sim.port, get('/v1/global/xray/x/adb', upgrade), (text) => answers(text) === 1);
  expect(heard.text).toMatch(/^HTTP\/1\.1 404 .*"not_found_error"/s);
  expect(await sim.requests()).toMatchObject([{ target: '/v1/global/xray/x/adb', status: 404, key: 'owner' }]);
});

test('CONNECT is refused and on record', async () => {
  const heard = await talk(sim.port, 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n');
  expect(heard.text).toMatch(/^HTTP\/1\.1 405 /);
  expect(await sim.requests()).toMatchObject([{ method: 'CONNECT', status: 405 }]);
});

test('a body whose sender goes away changes nothing and is told apart', async () => {
  const head =
    'POST /v1/default/group HTTP/1.1\r\nHost: m\r\nAuthorization: basic demo-owner-key\r\nContent-Length: 50\r\n\r\n';
  await talk(sim.port, [get(), head, '{"name":"half"'], (text) => answers(text) === 1);
  await untilSettled();
  expect(await sim.stats()).toMatchObject({ incomplete: 1, inFlight: 0, malformed: 0 });
  expect((await sim.requests()).at(-1)).toMatchObject({ status: null, body: { complete: false } });
  expect((await sim.state()).effects).toEqual([]);
});

test('the memory of requests is bounded: the newest stay', async () => {
  await talk(sim.port, get('/v1/x').repeat(30), (text) => answers(text) === 30);
  const kept = await sim.requests(100);
  expect(kept.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, at) => at + 11));
  expect((await sim.requests(3)).map(({ seq }) => seq)).toEqual([28, 29, 30]);
  expect((await sim.stats()).requestsReached).toBe(30);
});

test('the control paths leave no trace in what a test counts', async () => {
  await sim.stats();
  await sim.requests();
  expect(await sim.stats()).toMatchObject({ requestsReached: 0, malformed: 0, connections: { opened: 0, open: 0 } });
});

/** The other side's end arrives on its own time. */
async function untilSettled(): Promise<void> {
  while ((await sim.stats()).incomplete === 0);
}
