import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Caller, openPublicDoor, type PublicDoor } from './public-door.ts';

let door: PublicDoor;
let operator: Caller;

beforeAll(async () => {
  door = await openPublicDoor();
  operator = await door.page(['operator']);
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
  expect(door.bugs).toEqual([]);
});

const TEAMS = '/admin/v1/teams';
const JSON_TYPE = { 'content-type': 'application/json' };

describe('what an act is given', () => {
  test.each([
    ['a list', '[{"slug":"evil"}]', 400, 'it is a list'],
    ['broken JSON', '{"slug":', 400, 'one JSON object'],
    ['a name twice, on which readers differ', '{"slug":"good","slug":"evil"}', 400, '"slug" twice'],
    ['a prototype', '{"__proto__":{"slug":"evil"}}', 400, '__proto__'],
    ['a prototype beside what is asked for', '{"slug":"evil","__proto__":{"name":"x"}}', 400, '__proto__'],
    ['a constructor', '{"slug":"evil","constructor":{"prototype":{}}}', 400, 'constructor'],
    ['a hundred thousand levels', `{"slug":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, 'nested deeper'],
    ['more than is read', `{"slug":"${'a'.repeat(262_144)}"}`, 413, '262144 bytes'],
    ['a field that there is not', '{"slug":"evil","admin":true}', 400, 'admin: expected no such field'],
  ])('%s as body is refused', async (_, body, status, words) => {
    const answer = await door.ask({ ...operator, ...JSON_TYPE }, 'POST', TEAMS, body);
    expect([answer.status, answer.body]).toEqual([
      status,
      { type: 'invalid_request_error', message: expect.stringContaining(words) },
    ]);
    expect((await door.management.store.teams.list()).map(({ slug }) => slug)).toEqual(['acme', 'beta']);
  });

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/json; charset=utf-16', 415],
    ['application/json; charset=iso-8859-1', 415],
    ['application/json, text/plain', 415],
    ['application/jsonp', 415],
    ['text/json', 415],
    ['application/json;charset=UTF-8', 400],
    ['Application/JSON; charset="utf-8"', 400],
  ])('of the type %s it is %s', async (type, status) => {
    const answer = await door.ask({ ...operator, 'content-type': type }, 'POST', TEAMS, '{"slug":"no good"}');
    expect(answer.status).toBe(status);
  });

  test('compressed, or in another encoding than it says, it is refused', async () => {
    const send = (body: Uint8Array, more: Record<string, string>) =>
      fetch(door.url + TEAMS, {
        method: 'POST',
        headers: { ...operator, ...JSON_TYPE, ...more },
        body: Uint8Array.from(body),
      });
    const json = Buffer.from('{"slug":"evil"}');
    expect((await send(gzipSync(json), { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await send(gzipSync(json), {})).status).toBe(400);
    expect((await send(Buffer.from('{"slug":"evil"}', 'utf16le'), {})).status).toBe(400);
    expect((await send(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), {})).status).toBe(400);
  });

  test('a key in JSON that cannot be read is not repeated', async () => {
    const secret = 'mason-key-very-secret';
    for (const body of [`{"key":"${secret}`, `{"key":${secret}}`, `{"key":"${secret}",}`, `${secret}`]) {
      const answer = await door.ask({ ...operator, ...JSON_TYPE }, 'POST', '/admin/v1/keys', body);
      expect(answer.status).toBe(400);
      for (let at = 0; at + 6 <= secret.length; at += 1) {
        expect(answer.body.message).not.toContain(secret.slice(at, at + 6));
      }
    }
  });

  test('each field comes from one place: the path, and by the method the query or the body', async () => {
    const cases: [string, string, unknown, number, string][] = [
      ['GET', '/admin/v1/apps?team=acme&team=beta', undefined, 400, 'team: expected once in the query'],
      ['GET', '/admin/v1/apps?team=acme&nonsense=1', undefined, 400, 'nonsense: expected no such field'],
      ['GET', '/admin/v1/apps?__proto__=x', undefined, 400, '__proto__: expected no such field'],
      ['GET', '/admin/v1/apps?team[]=acme', undefined, 400, 'team[]: expected no such field'],
      ['POST', '/admin/v1/keys?key=secret', { team: 'acme' }, 400, 'query: expected none with POST'],
      ['PATCH', '/admin/v1/apps/acme/robot', { team: 'beta', weight: 2 }, 400, 'team: expected in the path only'],
      ['DELETE', '/admin/v1/apps/acme/robot?team=beta', undefined, 400, 'team: expected in the path only'],
      ['DELETE', '/admin/v1/apps/acme/robot', { team: 'beta' }, 400, 'body: expected none with DELETE'],
      ['GET', '/admin/v1/apps?team=acme', undefined, 200, ''],
    ];
    for (const [method, target, body, status, words] of cases) {
      const answer = await door.ask(operator, method, target, body);
      expect([target, answer.status, answer.body.message ?? '']).toEqual([
        target,
        status,
        expect.stringContaining(words),
      ]);
    }
  });

  test('a path is spelled in one way: no other case, no slash at the end', async () => {
    for (const path of ['/admin/v1/Teams', '/admin/v1/teams/', '/admin/v1', '/admin/v1/']) {
      expect([path, (await door.ask(operator, 'GET', path)).status]).toEqual([path, 404]);
    }
  });

  test('whoever is unknown is refused before a byte of the body is read', async () => {
    const socket = connect(door.port, '127.0.0.1');
    socket.write(
      'POST /admin/v1/teams HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n{',
    );
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('a body whose framing breaks is refused, and the connection ends', async () => {
    const headers = Object.entries(operator).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(door.port, '127.0.0.1');
    socket.write(
      `POST /admin/v1/teams HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n` +
        `${headers.join('')}\r\n5\r\n{"slu\r\nnonsense\r\n`,
    );
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [\s\S]*connection: close/i);
  });
});
