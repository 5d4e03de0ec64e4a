import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { pattern } from '../../../src/simulator/pattern.ts';
import { eventually } from '../../support/eventually.ts';
import { expectRefusal, openBench, type RawBench } from '../../support/raw-bench.ts';

const MB = 1_048_576;
const UPLOAD = '/v1/default/artifact?name=app&version=1&type=apk';
const CONTENT = '/v1/default/artifact/1/content';

/** For the body of a call, and for all of it after its turn; the times of a transfer are others. */
const CALL_MS = 100;

let bench: RawBench;

beforeAll(async () => {
  bench = await openBench({
    transfers: { bytesMax: 30 * MB, idleMs: 500, perTeamMax: 2, atOnceMax: 9 },
    listen: { requestMs: CALL_MS },
    mason: { totalMs: CALL_MS },
    calls: { bodyBytesMax: 2_048, waitDefaultMs: 30_000, waitMaxMs: 120_000, verdictStaleMs: 60_000 },
  });
});
beforeEach(() => bench.sim.reset());
afterAll(() => bench.close());

const sha256 = async (chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> => {
  const digest = createHash('sha256');
  for await (const chunk of chunks) digest.update(chunk);
  return digest.digest('hex');
};

const upload = async (bytes: number, headers: Record<string, string>): Promise<IncomingMessage> => {
  const outgoing = request(bench.gateway.url + UPLOAD, {
    method: 'POST',
    headers: { authorization: `Bearer ${bench.token}`, ...headers },
  });
  Readable.from(pattern(0, bytes)).pipe(outgoing);
  return ((await once(outgoing, 'response')) as [IncomingMessage])[0];
};

const get = (headers: Record<string, string> = {}): Promise<Response> =>
  bench.gateway.call(bench.token, CONTENT, { headers });

/** The newest outcome of an upload, once it is on record. */
const outcome = (): Promise<Readonly<Record<string, unknown>>> =>
  eventually('the outcome on record', async () => {
    const [newest] = await bench.gateway.record({ operation: 'artifact.upload' });
    return newest?.['kind'] === 'intent' ? undefined : newest;
  });

const head = (more: string): string => `POST ${UPLOAD} HTTP/1.1\r\n${bench.auth}${more}\r\n`;

describe('what is large', () => {
  test.each([
    ['in chunks', {}, 'transfer-encoding: chunked'],
    ['with its length', { 'content-length': String(24 * MB) }, `content-length: ${24 * MB}`],
  ])(
    'goes up %s and comes down with not a byte changed, however little may be held; both ways stand on record',
    async (_, headers, framing) => {
      const digest = await sha256(pattern(0, 24 * MB));
      const up = await upload(24 * MB, headers);
      expect(up.statusCode).toBe(200);
      const [artifact] = await up.toArray();
      expect(JSON.parse(String(artifact))).toMatchObject({ bytes: 24 * MB, sha256: digest });
      expect(await outcome()).toMatchObject({ result: 'answered', bytesIn: 24 * MB, attempts: [{ status: 200 }] });

      expect((await bench.sim.requests())[0]?.head).toContain(framing);

      const down = await get();
      expect(Object.fromEntries(down.headers)).toMatchObject({
        'content-length': String(24 * MB),
        'accept-ranges': 'bytes',
        etag: expect.anything(),
        'last-modified': expect.anything(),
      });
      expect(await sha256(down.body as unknown as AsyncIterable<Buffer>)).toBe(digest);
      const [event] = await bench.gateway.record({ requestId: down.headers.get('request-id') });
      expect(event).toMatchObject({ operation: 'artifact.download', result: 'answered', bytesOut: 24 * MB });
    },
  );

  test('is taken up again where it broke off, if it is still the same; what does not exist is told with its length', async () => {
    await (await upload(MB, {})).toArray();
    const etag = (await get({ range: 'bytes=0-0' })).headers.get('etag') as string;
    const rest = await get({ range: `bytes=${MB - 10}-`, 'if-range': etag });
    expect([rest.status, rest.headers.get('content-range')]).toEqual([206, `bytes ${MB - 10}-${MB - 1}/${MB}`]);
    expect(Buffer.from(await rest.arrayBuffer())).toEqual(Buffer.concat([...pattern(MB - 10, MB)]));
    expect((await get({ range: 'bytes=0-9', 'if-range': '"another"' })).status).toBe(200);
    const unchanged = await get({ 'if-none-match': etag });
    expect([unchanged.status, await unchanged.text()]).toEqual([304, '']);
    expect((await get({ 'if-match': '"another"' })).status).toBe(412);
    const beyond = await get({ range: `bytes=${MB}-` });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${MB}`]);
    expect(await beyond.json()).toMatchObject({ type: 'invalid_request_error' });
    const asked = await bench.gateway.call(bench.token, CONTENT, { method: 'HEAD' });
    expect([asked.status, asked.headers.get('content-length')]).toEqual([200, String(MB)]);
  });

  test('needs the rights that every call needs', async () => {
    const reader = await bench.gateway.token({ app: 'reader', scopes: ['registry:read'] });
    using socket = await bench.open();
    await socket.write(head('Content-Length: 5\r\nExpect: 100-continue\r\n').replace(bench.token, reader));
    const answer = await socket.answer();
    expectRefusal(answer, 403);
    expect([answer.interim, answer.headers['connection']]).toEqual([[], 'close']);
    await socket.closed();
    expect(await bench.sim.requests()).toEqual([]);
  });
});

describe('a body', () => {
  test('that waits for "100 Continue" is asked for when its turn has come and Mason listens, and Mason is never asked to wait', async () => {
    using socket = await bench.open();
    await socket.write(head('Content-Length: 3\r\nExpect: 100-continue\r\n'));
    await socket.heard('HTTP/1.1 100 Continue\r\n\r\n');
    expect((await bench.gateway.record({ operation: 'artifact.upload', kind: 'intent' })).length).toBeGreaterThan(0);
    await socket.write('abc');
    expect(await socket.answer()).toMatchObject({ status: 200, interim: [100] });
    const [seen] = await bench.sim.requests();
    expect(seen?.head).not.toMatch(/expect/i);
    expect(seen?.head).toMatch(/content-length: 3\r\n/);
    await bench.good(socket);
  });

  test('may take its time in all, if it only moves', async () => {
    using socket = await bench.open();
    await socket.write(head('Content-Length: 4\r\nPrefer: wait=0\r\n'));
    for (const piece of 'abcd') {
      await socket.write(piece);
      await sleep(CALL_MS);
    }
    expect((await socket.answer()).status).toBe(200);
  });

  test('with trailers arrives without them: nobody knows what they would mean to Mason', async () => {
    using socket = await bench.open();
    await socket.write(head('Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n'));
    await socket.write('3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Other: stolen\r\n\r\n');
    expect((await socket.answer()).status).toBe(200);
    const [seen] = await bench.sim.requests();
    expect(seen).toMatchObject({ body: { bytes: 3, complete: true } });
    expect(seen?.head).not.toMatch(/trailer|x-sum|stolen/i);
    await bench.good(socket);
  });

  test('that announces too much is refused before a byte of it; one that does not is cut off', async () => {
    using announced = await bench.open();
    await announced.write(head(`Content-Length: ${30 * MB + 1}\r\nExpect: 100-continue\r\n`));
    const refused = await announced.answer();
    expect(expectRefusal(refused, 413)).toContain(String(30 * MB));
    expect(refused.interim).toEqual([]);
    expect(await bench.sim.requests()).toEqual([]);

    const cut = await upload(36 * MB, {});
    expect([cut.statusCode, cut.headers['connection']]).toEqual([413, 'close']);
    expect(await outcome()).toMatchObject({ result: 'unknown', status: 413, errorCode: 'payload_too_large' });
    await eventually('Mason sees it end', async () => (await bench.sim.stats()).incomplete === 1);
    expect((await bench.sim.state()).artifacts).toEqual([]);
  });

  test.each([
    ['stops coming', async () => undefined, 408, 'request_timeout'],
    [
      'turns into something that is no chunk',
      (write: (text: string) => Promise<void>) => write('zz\r\n'),
      400,
      'invalid_request',
    ],
  ] as const)(
    'that %s ends the upload at Mason too, and nobody knows what became of it',
    async (_, go, status, code) => {
      using socket = await bench.open();
      await socket.write(head('Transfer-Encoding: chunked\r\n'), '3\r\nabc\r\n');
      await eventually('Mason hears of it', async () => (await bench.sim.requests()).length === 1);
      await go((text) => socket.write(text));
      expectRefusal(await socket.answer(), status);
      await socket.closed();
      expect(await outcome()).toMatchObject({ result: 'unknown', status, errorCode: code, bytesIn: 3 });
      await eventually('Mason sees it end', async () => (await bench.sim.stats()).incomplete === 1);
    },
  );

  test('that never begins was not sent, and is not unknown', async () => {
    using socket = await bench.open();
    await socket.write(head('Content-Length: 5\r\n'));
    expectRefusal(await socket.answer(), 408);
    expect(await outcome()).toMatchObject({ result: 'not_sent', bytesIn: 0 });
    expect(await bench.sim.requests()).toEqual([]);
  });

  test('shorter than announced is no body: twenty callers hang up in the middle, Mason hears of each, nothing is left behind', async () => {
    for (let round = 0; round < 10; round++) {
      const sockets = await Promise.all([bench.open(), bench.open()]);
      await Promise.all(sockets.map((socket) => socket.write(head('Content-Length: 100000\r\n'), 'x'.repeat(50_000))));
      await eventually('Mason hears of both', async () => (await bench.sim.stats()).requestsReached === 2 * round + 2);
      for (const socket of sockets) socket.reset();
      await eventually('both are over', async () => (await bench.callsOpen()) === 0);
    }
    expect(await outcome()).toMatchObject({ result: 'unknown', status: 499, errorCode: 'caller_gone' });
    await eventually('Mason sees them end', async () => (await bench.sim.stats()).incomplete === 20);
    expect((await bench.sim.state()).artifacts).toEqual([]);
    await eventually('Mason has no connections left', async () => (await bench.sim.stats()).connections.open <= 1);
    await bench.good();
  });
});

test('A team has so many transfers at once; the next is told at once, and goes when one is over', async () => {
  const [first, second, third] = await Promise.all([bench.open(), bench.open(), bench.open()]);
  for (const socket of [first, second]) {
    await socket.write(head('Content-Length: 3\r\nExpect: 100-continue\r\n'));
    await socket.heard('100 Continue');
  }
  await third.write(head('Content-Length: 3\r\nExpect: 100-continue\r\n'));
  const refused = await third.answer();
  expect(expectRefusal(refused, 429)).toContain('2 are under way, and 2 may be');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  await first.write('abc');
  expect((await first.answer()).status).toBe(200);
  await first.write(head('Content-Length: 3\r\n').replace('version=1', 'version=2'), 'abc');
  expect((await first.answer()).status).toBe(200);
  for (const socket of [first, second, third]) socket[Symbol.dispose]();
});
