import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, expectRefusal, openBench, type RawBench } from '../support/raw-bench.ts';

let bench: RawBench;
beforeAll(async () => {
  bench = await openBench();
  await bench.good();
});
afterAll(() => bench.close());

const POST = 'POST /v1/default/group HTTP/1.1\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const chunked = (body: string) => `${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n${body}`;

describe('what may come on a connection besides', () => {
  test('a body shorter than its length, then the end: no request of it reaches Mason (RFC 9112 8)', async () => {
    await bench.good();
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`${POST}${bench.auth}${JSON_TYPE}Content-Length: 50\r\n\r\n`, '{"name":"half"');
    socket.end();
    expectRefusal(await socket.answer(), 400);
    await socket.closed();
    await bench.untouched();
    await eventually('the call is over', async () => (await bench.callsOpen()) === 0);
    await bench.good();
  });

  test.each([
    ['Host', 'evil.example'],
    ['Authorization', 'basic stolen'],
    ['Cookie', 'a=b'],
    ['X-Forwarded-User', 'root'],
  ])('a trailer named %s is not merged into the headers for Mason (RFC 9110 6.5.1)', async (name, value) => {
    await bench.forget();
    using socket = await bench.open();
    const body = JSON.stringify({ name: `trailer-${name.toLowerCase()}` });
    const rest = chunked(`${body.length.toString(16)}\r\n${body}\r\n0\r\n${name}: ${value}\r\n\r\n`);
    await socket.write(`${POST}${bench.auth}${rest}`);
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
    const [seen] = await bench.sim.requests();
    expect(seen).toMatchObject({ status: 200, body: { bytes: body.length, complete: true } });
    expect(seen?.head).not.toContain(value);
    await bench.good(socket);
  });

  test('many small chunk extensions are thrown away, not kept', async () => {
    await bench.forget();
    using socket = await bench.open();
    const body = JSON.stringify({ name: 'extended' });
    const pieces = [...body].map((character) => `1;${'e'.repeat(500)}\r\n${character}\r\n`).join('');
    await socket.write(`${POST}${bench.auth}${chunked(`${pieces}0\r\n\r\n`)}`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    expect((await bench.sim.requests())[0]?.body.bytes).toBe(body.length);
  });

  const smuggled = 'GET /v1/smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n';
  test.each([
    ['Content-Length', `Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`],
    ['chunks', `Transfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`],
  ])('the body of a GET by %s is not taken for the next request (RFC 9110 9.3.1)', async (_, rest) => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}${rest}`);
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
    await bench.good(socket);
    const seen = await bench.sim.requests();
    expect(seen.map(({ target }) => target)).toEqual(['/v1/default/group', '/v1/default/device?limit=1']);
    expect(seen[0]?.head).not.toMatch(/content-length|transfer-encoding/i);
    expect(seen[0]?.body.bytes).toBe(0);
  });

  test('two requests at once are answered in their order, each to its own caller (RFC 9112 9.3.2)', async () => {
    await bench.forget();
    await bench.sim.faults({ match: { path: '/v1/default/device' }, fault: { kind: 'slow-headers', delayMs: 150 } });
    using socket = await bench.open();
    const stranger = bench.auth.replace(bench.token, `mgw_${'0'.repeat(36)}`);
    await socket.write(
      `GET /v1/default/device HTTP/1.1\r\n${bench.auth}\r\nGET /v1/default/group HTTP/1.1\r\n${stranger}\r\n` +
        `GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`,
    );
    const first = await socket.answer();
    expect(JSON.parse(first.body.toString()).data[0]).toHaveProperty('imei');
    expect(await socket.answer()).toMatchObject({ status: 401 });
    const third = await socket.answer();
    expect(JSON.parse(third.body.toString()).data[0]).not.toHaveProperty('imei');
    expect((await bench.sim.stats()).requestsReached).toBe(2);
  });

  test('garbage behind a whole request: the request is answered, the rest is not, the connection ends (RFC 9112 9.6)', async () => {
    await bench.forget();
    using socket = await bench.open();
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n\x16\x03\x01garbage\r\n\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true, headers: { connection: 'close' } });
    await socket.closed();
    expect(socket.rest).toBe('');
    expect((await bench.sim.stats()).requestsReached).toBe(1);
  });

  test('bytes behind a "Connection: close" request are no request, and cost it no answer (RFC 9112 9.6)', async () => {
    await bench.forget();
    using socket = await bench.open();
    const get = `GET /v1/default/group HTTP/1.1\r\n${bench.auth}`;
    await socket.write(`${get}Connection: close\r\n\r\n${get}\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
    await socket.closed();
    expect(socket.rest).toBe('');
    expect((await bench.sim.stats()).requestsReached).toBe(1);
  });

  test('a change behind a refusal that closes the connection is not made, since nobody would hear of it', async () => {
    const body = '{"name":"behind"}';
    const change = `${POST}${bench.auth}${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`;
    for (const refused of [
      `GET /v1/../v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`,
      `GET /v1/default/group HTTP/1.1\r\n${bench.auth}Host: twice\r\n\r\n`,
      `POST /v1/default/group HTTP/1.1\r\n${bench.auth}Content-Length: 1048577\r\n\r\n${' '.repeat(1_048_577)}`,
    ]) {
      await bench.forget();
      using socket = await bench.open();
      await socket.write(refused + change);
      expectRefusal(await socket.answer(), 400, 413);
      await socket.closed();
      expect(socket.rest).toBe('');
      await bench.untouched();
    }
    await bench.good();
  });

  test('CONNECT behind a slow request is answered after it, not in its place (RFC 9112 9.3.2)', async () => {
    await bench.forget();
    await bench.sim.faults({ kind: 'slow-headers', delayMs: 100 });
    using socket = await bench.open();
    await socket.write(
      `GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\nCONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n`,
    );
    expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
    expectRefusal(await socket.answer(), 405);
    await socket.closed();
  });

  test('"Expect: 100-continue" gets its 100, then the answer (RFC 9110 10.1.1)', async () => {
    using socket = await bench.open();
    await socket.write(`${POST}${bench.auth}${JSON_TYPE}Expect: 100-Continue\r\nContent-Length: 17\r\n\r\n`);
    await socket.heard('HTTP/1.1 100 Continue\r\n\r\n');
    await socket.write('{"name":"expect"}');
    expect(await socket.answer()).toMatchObject({ status: 200, interim: [100] });
    await bench.good(socket);
  });

  test('an expectation in HTTP/1.0 is ignored: no interim answer (RFC 9110 10.1.1)', async () => {
    using socket = await bench.open();
    const line = 'POST /v1/default/group HTTP/1.0\r\n';
    await socket.write(
      `${line}${bench.auth}${JSON_TYPE}Expect: 100-continue\r\nContent-Length: 13\r\n\r\n{"name":"1.0"}`,
    );
    expect(await socket.answer()).toMatchObject({ interim: [] });
    await socket.closed();
  });

  test('HTTP/1.0 is answered in frames it knows, and closed', async () => {
    using socket = await bench.open();
    await socket.write(`GET /v1/default/group HTTP/1.0\r\nAuthorization: Bearer ${bench.token}\r\n\r\n`);
    const answer = await socket.answer();
    expect(answer).toMatchObject({ status: 200, complete: true });
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
    await socket.closed();
  });
});
