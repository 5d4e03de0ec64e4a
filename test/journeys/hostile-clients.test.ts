import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, expectRefusal, openBench, type RawBench } from '../support/raw-bench.ts';
import type { RawSocket } from '../support/raw-socket.ts';

const HEADERS_MS = 300;
const REQUEST_MS = 600;
const ANSWER_IDLE_MS = 500;

let bench: RawBench;
beforeAll(async () => {
  bench = await openBench({
    listen: { headersMs: HEADERS_MS, requestMs: REQUEST_MS, answerIdleMs: ANSWER_IDLE_MS },
    mason: { firstByteMs: 20_000 },
  });
  await bench.good();
});
afterAll(() => bench.close());

const LINE = 'POST /v1/default/group HTTP/1.1\r\n';
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
const heldBytes = (): number => process.memoryUsage().rss;
const callsOver = (): Promise<void> => eventually('no call is open', async () => (await bench.callsOpen()) === 0);

describe('a client that takes its time (slowloris)', () => {
  test.each([
    ['says nothing', []],
    ['stops in the request line', ['GET /v1/default/dev']],
    ['stops in its headers', ['GET /v1/default/device HTTP/1.1\r\nHost: m\r\n']],
    ['stops before the empty line', ['GET /v1/default/device HTTP/1.1\r\nHost: m\r\nX: y\r\n']],
  ])('20 connections whose client %s are told 408 and closed; others are served meanwhile', async (_, pieces) => {
    await bench.forget();
    const slow = await Promise.all(Array.from({ length: 20 }, () => bench.open()));
    await Promise.all(slow.map((socket) => socket.write(...pieces)));
    await Promise.all(Array.from({ length: 5 }, () => bench.good()));
    for (const socket of slow) {
      expectRefusal(await socket.answer(), 408);
      await socket.closed();
      socket[Symbol.dispose]();
    }
    expect(await bench.sim.stats()).toMatchObject({ requestsReached: 5, malformed: 0, incomplete: 0 });
  });

  test('a byte now and then does not extend the time for the headers', async () => {
    await bench.forget();
    using socket = await bench.open();
    for (const byte of 'GET /v1/default/device HTTP/1.1\r\n'.padEnd(2_000, 'X: drip\r\n')) {
      if (socket.isClosed) break;
      await socket.write(byte);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expectRefusal(await socket.answer(), 408);
    await socket.closed();
    await bench.untouched();
  });

  test.each([
    ['by length', 'Content-Length: 500\r\n\r\n', 'a'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n', '1\r\na\r\n'],
  ])('a body that drips %s ends with 408, and no request of it reaches Mason', async (_, rest, piece) => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(LINE + bench.auth + rest);
    while (!socket.rest.includes('\r\n\r\n') && !socket.isClosed) {
      await socket.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expectRefusal(await socket.answer(), 408);
    await socket.closed();
    await bench.untouched();
    await callsOver();
  });

  test.each([
    ['CONNECT', 'CONNECT m:443 HTTP/1.1\r\nHost: m\r\n\r\n'],
    ['garbage', '\x16\x03\x01\r\n\r\n'],
    ['a hostile path', 'GET /../ HTTP/1.1\r\nHost: m\r\n\r\n'],
    ['a body that is too large', `${LINE}Host: m\r\nContent-Length: 9999999\r\n\r\n`],
  ])('who never closes after %s holds no socket of the gateway', async (_, bytes) => {
    const before = sockets();
    const stubborn = await Promise.all(Array.from({ length: 10 }, () => bench.open()));
    await Promise.all(stubborn.map((socket) => socket.write(bytes)));
    await Promise.all(stubborn.map((socket) => socket.closed()));
    // Their own ends stay half open; the gateway's are gone.
    await eventually('the sockets of the gateway are gone', () => sockets() <= before + stubborn.length);
    for (const socket of stubborn) socket[Symbol.dispose]();
  });

  test('who sends 2,000 requests at once and awaits no answer is cut off before they are worked on', async () => {
    await bench.forget();
    await bench.sim.faults({ times: 'always', fault: { kind: 'hang' } });
    using socket = await bench.open();
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`.repeat(2_000));
    await socket.closed();
    await callsOver();
    expect((await bench.sim.stats()).mostInFlight).toBeLessThanOrEqual(1);
    await bench.sim.clearFaults();
    await bench.good();
  });

  test('who never reads an answer is cut off, and Mason is not read for it', async () => {
    await bench.forget();
    const { open } = (await bench.sim.stats()).connections;
    await bench.sim.faults({ kind: 'large', bytes: 500_000_000 });
    using socket = await bench.open();
    socket.pause();
    const before = heldBytes();
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`);
    await eventually('Mason is asked', async () => (await bench.sim.stats()).faultsPlayed === 1);
    await callsOver();
    // Bounded by the buffers of the sockets, far from what Mason has to say.
    expect(heldBytes() - before).toBeLessThan(50_000_000);
    const [event] = await bench.gateway.record({ operation: 'group.list' });
    expect(event).toMatchObject({ status: 499, result: 'aborted' });
    await eventually('the connection to Mason is given up', async () => {
      return (await bench.sim.stats()).connections.open <= open;
    });
    await bench.good();
  });

  test('small answers that stay unread hold no connection for ever either', async () => {
    await bench.forget();
    await bench.sim.faults({ times: 'always', fault: { kind: 'large', bytes: 64_000 } });
    using socket = await bench.open();
    socket.pause();
    // More than the system's buffers between the two take; each of them fits into the gateway's own.
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`.repeat(99));
    await eventually('the connection was cut', async () => {
      // Only who writes notices; and who writes more often would not be idle.
      await new Promise((resolve) => setTimeout(resolve, ANSWER_IDLE_MS * 2));
      await socket.write('\r\n');
      return socket.isClosed;
    });
    await bench.sim.clearFaults();
    await callsOver();
    await bench.good();
  });
});

describe('a client that goes away', () => {
  test('200 resets in the middle of uploads leave no socket and no call behind', async () => {
    await bench.good();
    await bench.forget();
    const before = sockets();
    for (let round = 0; round < 10; round += 1) {
      const uploads = await Promise.all(Array.from({ length: 20 }, () => bench.open()));
      await Promise.all(
        uploads.map((socket) =>
          socket.write(`${LINE}${bench.auth}Content-Length: 500000\r\n\r\n`, Buffer.alloc(50_000)),
        ),
      );
      for (const socket of uploads) socket.reset();
    }
    await callsOver();
    await eventually('their sockets are gone', () => sockets() <= before);
    await bench.untouched();
    await bench.good();
  });

  test.each([
    ['a RST', (socket: RawSocket) => socket.reset()],
    ['a FIN', (socket: RawSocket) => socket[Symbol.dispose]()],
  ])('leaving by %s while Mason works ends the call at Mason too', async (_, leave) => {
    await bench.forget();
    await bench.sim.faults({ kind: 'hang' });
    const { open } = (await bench.sim.stats()).connections;
    using socket = await bench.open();
    const body = '{"name":"leaver"}';
    await socket.write(`${LINE}${bench.auth}Content-Length: ${body.length}\r\n\r\n${body}`);
    await eventually('Mason has it', async () => (await bench.sim.stats()).faultsPlayed === 1);
    expect((await bench.sim.stats()).connections.open).toBe(open + 1);
    leave(socket);
    await eventually('the connection to Mason is given up', async () => {
      return (await bench.sim.stats()).connections.open === open;
    });
    await callsOver();
    const [event] = await bench.gateway.record({ operation: 'group.create', kind: 'outcome' });
    expect(event).toMatchObject({ status: 499, result: 'unknown', errorCode: 'caller_gone' });
    expect((await bench.sim.stats()).requestsReached).toBe(1);
    await bench.good();
  });
});

describe('an upload that is refused', () => {
  const MORE = Buffer.alloc(2_000_000, 0x20);
  test.each([
    ['by its length', 413, (auth: string) => [`${LINE}${auth}Content-Length: ${MORE.length}\r\n\r\n`, MORE]],
    [
      'by its chunks',
      413,
      (auth: string) => [
        `${LINE}${auth}Transfer-Encoding: chunked\r\n\r\n`,
        ...Array.from({ length: 40 }, () =>
          Buffer.concat([Buffer.from('c350\r\n'), MORE.subarray(0, 50_000), Buffer.from('\r\n')]),
        ),
        '0\r\n\r\n',
      ],
    ],
    ['for want of a token', 401, () => [`${LINE}Host: m\r\nContent-Length: ${MORE.length}\r\n\r\n`, MORE]],
  ])(
    '%s is told so although it goes on sending: no RST overtakes the answer (RFC 9112 9.6)',
    async (_, status, pieces) => {
      await bench.forget();
      using socket = await bench.open();
      const sent = socket.write(...pieces(bench.auth));
      const answer = await socket.answer();
      expectRefusal(answer, status);
      expect(answer.headers['connection']).toBe('close');
      await sent;
      expect(await socket.closed()).toBe('end');
      await bench.untouched();
    },
  );
});

describe('a JSON body that says more than one thing, or nothing (ASVS 5.0 V2)', () => {
  const deep = `{"devices":["d"],"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const json = 'application/json';
  test.each<[string, number, string, string | Buffer, string?]>([
    ['100,000 levels deep', 400, json, deep],
    ['100,000 levels deep and never closed', 400, json, '{"devices":'.concat('['.repeat(100_000))],
    ['the prototype', 400, json, '{"__proto__":{"devices":["d"]}}'],
    ['the prototype by the constructor', 400, json, '{"constructor":{"prototype":{"devices":["d"]}}}'],
    ['one name twice', 400, json, '{"devices":["a"],"devices":["b"]}'],
    ['one name twice, once escaped', 400, json, '{"devices":["a"],"d\\u0065vices":["b"]}'],
    ['one name twice, deep down', 400, json, '{"devices":["a"],"x":[{"y":{"z":1,"z":2}}]}'],
    ['two values', 400, json, '{"devices":["a"]}{"devices":["b"]}'],
    ['bytes behind', 400, json, '{"devices":["a"]}\0'],
    ['a comment', 400, json, '{"devices":["a"]/*,"devices":["b"]*/}'],
    ['a trailing comma', 400, json, '{"devices":["a"],}'],
    ['single quotes', 400, json, "{'devices':['a']}"],
    ['NaN', 400, json, '{"devices":["a"],"x":NaN}'],
    ['a list', 400, json, '["a"]'],
    ['a word', 400, json, '"a"'],
    ['null', 400, json, 'null'],
    ['nothing', 400, json, ''],
    ['half an object', 400, json, '{"devices":["a"'],
    ['no names', 400, json, '{"devices":[]}'],
    ['a number for a name', 400, json, '{"devices":[1]}'],
    ['an object for a list', 400, json, '{"devices":{"length":1,"0":"a"}}'],
    ['a name of 300 characters', 400, json, `{"devices":["${'a'.repeat(300)}"]}`],
    ['10,001 names', 400, json, JSON.stringify({ devices: Array.from({ length: 10_001 }, (_, at) => `d${at}`) })],
    ['a byte order mark', 400, json, '\xef\xbb\xbf{"devices":["a"]}'],
    ['bytes that are not UTF-8', 400, json, '{"devices":["\xff"]}'],
    ['overlong UTF-8', 400, json, '{"devices":["\xc0\xaf"]}'],
    ['UTF-16 unsaid', 400, json, Buffer.from('{"devices":["a"]}', 'utf16le')],
    ['UTF-16', 415, 'application/json; charset=utf-16', Buffer.from('{"devices":["a"]}', 'utf16le')],
    ['UTF-7', 415, 'application/json; charset=utf-7', '{"devices":["a"]}'],
    ['two charsets', 415, 'application/json; charset=utf-8; charset=utf-7', '{"devices":["a"]}'],
    ['a form', 415, 'application/x-www-form-urlencoded', 'devices=a'],
    ['plain text', 415, 'text/plain', '{"devices":["a"]}'],
    ['two types', 415, 'application/json, text/plain', '{"devices":["a"]}'],
    ['a gzip bomb', 415, json, gzipSync(Buffer.alloc(10_000_000)), 'gzip'],
    ['an unknown coding', 415, json, '{"devices":["a"]}', 'br, gzip'],
    ['2 MB', 413, json, `{"devices":["a"],"x":"${'x'.repeat(2_000_000)}"}`],
  ])('a reboot whose body is %s is refused with %d and never sent', async (_, status, type, body, ...[coding]) => {
    await bench.forget();
    using socket = await bench.open();
    const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
    const encoding = coding === undefined ? '' : `Content-Encoding: ${coding}\r\n`;
    const head = `POST /v1/default/notify/reboot HTTP/1.1\r\n${bench.auth}Content-Type: ${type}\r\n${encoding}`;
    await socket.write(`${head}Content-Length: ${bytes.length}\r\n\r\n`, bytes);
    expectRefusal(await socket.answer(), status);
    await bench.untouched();
    await bench.good();
  });

  test('what only Mason judges goes there byte for byte, and touches nothing here', async () => {
    await bench.forget();
    using socket = await bench.open();
    const body = '{"__proto__":{"polluted":1},"name":"a","name":"b","x":"\xff"}';
    const head = `POST /v1/default/device/none HTTP/1.1\r\n${bench.auth}Content-Type: text/odd\r\n`;
    await socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    expect(await socket.answer()).toMatchObject({ status: 404 });
    const [seen] = await bench.sim.requests();
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(body, 'latin1'));
    expect(seen?.body).toMatchObject({ bytes: body.length, sha256: Buffer.from(digest).toString('hex') });
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('more connections than there may be', () => {
  test('new ones are turned away, old ones are served, and a place that is free again is taken', async () => {
    await using small = await openBench({ listen: { connectionsMax: 10 } });
    const inside = await Promise.all(Array.from({ length: 10 }, () => small.open()));
    for (const socket of inside) await small.good(socket);
    await small.forget();
    const outside = await Promise.all(Array.from({ length: 30 }, () => small.open()));
    for (const socket of outside) {
      await socket.write(`GET /v1/default/group HTTP/1.1\r\n${small.auth}\r\n`);
      await socket.closed();
      expect(socket.rest).toBe('');
      socket[Symbol.dispose]();
    }
    await small.untouched();
    for (const socket of inside) await small.good(socket);
    for (const socket of inside) socket[Symbol.dispose]();
    await eventually('there is room again', () =>
      small.good().then(
        () => true,
        () => false,
      ),
    );
  });
});
