import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../../support/gateway.ts';
import { expectRefusal } from '../../support/raw-bench.ts';
import { type RawMason, startRawMason } from '../../support/raw-mason.ts';
import { RawSocket } from '../../support/raw-socket.ts';

const FIRST_BYTE_MS = 600;
const MB = 1_048_576;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';

let mason: RawMason;
let gateway: TestGateway;
let token: string;
/** What Mason does when the head of a request has come. */
let act: (socket: Socket) => void = () => undefined;
/** Mason's ends of its connections in this test. */
let ends: Socket[];

beforeAll(async () => {
  mason = await startRawMason((socket, head) => {
    if (!/ \/v1\/default\/(?:artifact|device\/1)/.test(head)) return;
    ends.push(socket);
    act(socket);
  });
  gateway = await startGateway({
    masonUrl: mason.url,
    settings: {
      mason: { firstByteMs: FIRST_BYTE_MS, idleMs: 600 },
      transfers: { bytesMax: 1_000 * MB, idleMs: 5_000, perTeamMax: 9, atOnceMax: 9 },
    },
  });
  token = await gateway.token();
});
beforeEach(() => {
  ends = [];
});
afterAll(async () => {
  await gateway.close();
  await mason.close();
});

const auth = (): string => `Host: 127.0.0.1:${gateway.port}\r\nAuthorization: Bearer ${token}\r\n`;
const upload = async (framing: string, body: string): Promise<RawSocket> => {
  const socket = await RawSocket.open(gateway.port);
  await socket.write(`POST /v1/default/artifact HTTP/1.1\r\n${auth()}${framing}\r\n\r\n${body}`);
  return socket;
};
const download = (path = '/v1/default/artifact/1/content'): Promise<Response> => gateway.call(token, path);
const newest = async (): Promise<Readonly<Record<string, unknown>>> => {
  const [event] = await gateway.record({ limit: 1 });
  return event ?? {};
};
const gone = (): Promise<true> => eventually('Mason sees it end', () => ends.every(({ destroyed }) => destroyed));

describe('Mason answers while the upload still comes', () => {
  const early = (status: string, more = ''): void => {
    act = (socket) => socket.write(`HTTP/1.1 ${status}\r\n${more}Content-Length: 2\r\n\r\n{}`);
  };

  test.each([
    ['413 Content Too Large', 413, 'mason'],
    ['409 Conflict', 409, 'mason'],
    ['401 Unauthorized', 502, 'gateway'],
  ] as const)('%s: the caller hears of it at once, and no connection is used again', async (line, status, source) => {
    early(line);
    using socket = await upload('Content-Length: 100000000', 'x'.repeat(300_000));
    const answer = await socket.answer();
    expect([answer.status, answer.headers['error-source'], answer.headers['connection']]).toEqual([
      status,
      source,
      'close',
    ]);
    await socket.closed();
    await gone();
    expect(ends).toHaveLength(1);
    const event = await newest();
    expect(event).toMatchObject({ kind: 'outcome', status, attempts: [{ status: Number(line.slice(0, 3)) }] });
    expect(event['bytesIn']).toBeLessThan(100_000_000);
  });

  test('a refusal: nothing more of the upload goes to Mason, even while that still speaks', async () => {
    act = (end) => end.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{');
    using socket = await upload('Content-Length: 100000', 'early');
    await eventually('Mason hears the beginning', () => mason.heard.endsWith('early'));
    await sleep(50);
    await socket.write('LATE');
    await sleep(50);
    ends[0]?.write('}');
    expect((await socket.answer()).status).toBe(413);
    expect(mason.heard).not.toContain('LATE');
  });

  test('a refusal reaches a caller who reads nothing before all is written: what comes late is read and forgotten', async () => {
    act = (end) => {
      end.pause();
      setTimeout(() => end.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n{}'), 200);
    };
    using socket = await upload('Content-Length: 100000000', 'x');
    socket.pause();
    for (let written = 0; written < 24; written++) await socket.write(Buffer.alloc(MB));
    socket.resume();
    expect((await socket.answer()).status).toBe(413);
  });

  test('429: everybody waits, and the caller is told when to send it again, for it was not kept', async () => {
    early('429 Too Many Requests', 'Retry-After: 1\r\n');
    using socket = await upload('Transfer-Encoding: chunked', '3\r\nabc\r\n');
    const answer = await socket.answer();
    expect(expectRefusal(answer, 429)).toMatch(/send it again/);
    expect(answer.headers['retry-after']).toBe('1');
    expect(await newest()).toMatchObject({ result: 'failed', errorCode: 'mason_refused_rate' });
    const from = performance.now();
    act = (end) => end.write(OK);
    expect((await download()).status).toBe(200);
    expect(performance.now() - from).toBeGreaterThan(500);
  });

  test('200, and goes on reading: what comes after it still arrives', async () => {
    act = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a":');
    using socket = await upload('Content-Length: 9', 'one');
    await socket.heard('{"a":');
    await socket.write('two');
    await eventually('Mason hears the second', () => mason.heard.endsWith('onetwo'));
    ends[0]?.write('1}\n');
    const answer = await socket.answer();
    expect([answer.status, answer.body.toString(), answer.headers['connection']]).toEqual([200, '{"a":1}\n', 'close']);
    await gone();
  });
});

test('Mason that takes nothing more holds the caller up, not the memory, and its time is bounded', async () => {
  act = (socket) => socket.pause();
  const before = process.memoryUsage().arrayBuffers;
  using socket = await upload('Content-Length: 500000000', '');
  const chunk = Buffer.alloc(MB);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 400 && !socket.isClosed; sent++) await socket.write(chunk);
  })();
  const answer = await socket.answer();
  expect(expectRefusal(answer, 504)).toMatch(/not known/);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * MB);
  expect(sent).toBeLessThan(100);
  expect(await newest()).toMatchObject({ result: 'unknown', attempts: [{ failure: 'timeout' }] });
  await socket.closed();
  await sending;
});

describe('a download', () => {
  test('that breaks off breaks off for the caller too, and the record says so', async () => {
    act = (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort');
    const answer = await download();
    await expect(answer.text()).rejects.toThrow();
    expect(await newest()).toMatchObject({ result: 'aborted', operation: 'artifact.download', bytesOut: 5 });
  });

  test('that is refused for its rate, or reset before it began, takes another turn: nothing was begun', async () => {
    const answers = ['HTTP/1.1 429 Slow\r\nContent-Length: 0\r\nRetry-After: 0\r\n\r\n', undefined, OK];
    act = (socket) => {
      const next = answers[ends.length - 1];
      if (next === undefined) socket.resetAndDestroy();
      else socket.write(next);
    };
    expect((await download()).status).toBe(200);
    expect(await newest()).toMatchObject({ attempts: [{ status: 429 }, { failure: 'unreachable' }, { status: 200 }] });
  });

  test('that stands still ends in time; so does one whose caller leaves', async () => {
    act = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun');
    await expect(download().then((answer) => answer.text())).rejects.toThrow();
    await gone();
    ends = [];
    using socket = await RawSocket.open(gateway.port);
    await socket.write(`GET /v1/default/artifact/1/content HTTP/1.1\r\n${auth()}\r\n`);
    await socket.heard('begun');
    socket.reset();
    await gone();
  });

  test('two that are equal are two: neither is held for the other', async () => {
    act = (socket) => socket.write(OK);
    await Promise.all([download(), download()]);
    expect(ends).toHaveLength(2);
  });

  test("tells nothing of Mason's house, and no piece of the key wherever it is cut", async () => {
    const body = `${'x'.repeat(50)}${OWNER_KEY}${'y'.repeat(50)}`;
    act = (socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nContent-Type: application/octet-stream\r\nETag: "${OWNER_KEY}"\r\n` +
          'Set-Cookie: a=b\r\nServer: inside\r\nConnection: X-Inside\r\nX-Inside: 1\r\nLocation: http://inside/\r\n\r\n',
      );
      const cut = 50 + 7;
      socket.write(body.slice(0, cut), () => setTimeout(() => socket.write(body.slice(cut)), 5));
    };
    const answer = await download();
    const names = [...answer.headers.keys()];
    for (const name of ['set-cookie', 'server', 'x-inside', 'location']) expect(names).not.toContain(name);
    expect(answer.headers.get('etag')).toMatch(/^"\*+"$/);
    expect(await answer.text()).toBe(body.replace(OWNER_KEY, '*'.repeat(OWNER_KEY.length)));
  });
});

describe('an answer that does not fit what was asked (RFC 9110 15.3.7, 15.4.5, 15.5.17)', () => {
  const PART = '206 Partial Content\r\nContent-Range: bytes 5-6/100';
  const walks = { call: '/v1/default/device/1', transfer: '/v1/default/artifact/1/content' };

  test.each([
    [PART, {}, 502],
    [PART, { 'if-none-match': '"x"' }, 502],
    [PART, { range: 'bytes=5-6' }, 206],
    ['304 Not Modified', {}, 502],
    ['304 Not Modified', { 'if-modified-since': new Date(0).toUTCString() }, 304],
    ['416 Range Not Satisfiable', {}, 502],
    ['416 Range Not Satisfiable', { range: 'bytes=5-6' }, 416],
  ])('%s to a read with %j: %s, on both walks', async (line, headers, status) => {
    act = (end) => end.write(`HTTP/1.1 ${line}\r\n${status === 304 ? '' : 'Content-Length: 2\r\n'}\r\n{}`);
    for (const [walk, path] of Object.entries(walks)) {
      const answer = await gateway.call(token, path, { headers });
      expect([walk, answer.status]).toEqual([walk, status]);
      await answer.text();
      expect((await newest())['errorCode']).toBe(status === 502 ? 'mason_bad_answer' : undefined);
    }
  });

  test('a part, to an upload: nobody knows what became of it, whatever its caller asked for', async () => {
    act = (end) => end.write(`HTTP/1.1 ${PART}\r\nContent-Length: 2\r\n\r\n{}`);
    using socket = await upload('Range: bytes=5-6\r\nContent-Length: 3', 'abc');
    expect(expectRefusal(await socket.answer(), 502)).toMatch(/206.*not known/);
    expect(await newest()).toMatchObject({ result: 'unknown', errorCode: 'mason_bad_answer' });
  });
});

test('An error whose words drip for ever holds no place for ever: its status passes without them', async () => {
  let drips: NodeJS.Timeout | undefined;
  act = (end) => {
    end.write('HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n');
    drips = setInterval(() => end.write('x'), FIRST_BYTE_MS / 10);
  };
  try {
    expect((await download()).status).toBe(404);
    await gone();
  } finally {
    clearInterval(drips);
  }
  const metrics = await (await fetch(`${gateway.privateUrl}/metrics`)).text();
  expect(metrics).toMatch(/^mason_gateway_transfers_open 0$/m);
});

test('An upload brings Mason the headers on the list and the key, nothing of the caller', async () => {
  act = (socket) => setTimeout(() => socket.write(OK), 20);
  const before = mason.heard.length;
  using socket = await upload(
    'Content-Length: 3\r\nContent-Type: application/zip\r\nCookie: a=b\r\nX-Api-Key: mine\r\nOrigin: http://127.0.0.1\r\n' +
      'Connection: keep-alive, If-Match\r\nIf-Match: "1"\r\nTE: trailers\r\nX_Forwarded_User: root\r\nIdempotency-Key: k',
    'abc',
  );
  expect((await socket.answer()).status).toBe(200);
  const [, ...lines] = mason.heard.slice(before).split('\r\n');
  expect(lines.map((line) => line.replace(/^request-id: .*/, 'request-id: …')).toSorted()).toEqual(
    [
      '',
      'abc',
      `authorization: basic ${OWNER_KEY}`,
      'connection: close',
      'content-length: 3',
      'content-type: application/zip',
      `host: 127.0.0.1:${mason.port}`,
      'idempotency-key: k',
      'request-id: …',
      'user-agent: mason-gateway',
    ].toSorted(),
  );
});
