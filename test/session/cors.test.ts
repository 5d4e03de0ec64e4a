import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { GatewayError } from '../../src/domain/errors.ts';
import { answerError, answerJson } from '../../src/http/answer.ts';
import { createCors } from '../../src/session/cors.ts';
import { openTestRoom, type TestRoom } from './room.ts';

const APP = 'https://app.example.com';
const LOCAL = 'http://localhost:5173';
const FRONTENDS = [
  { origin: APP, teams: ['acme'] },
  { origin: LOCAL, teams: ['acme'] },
];

let room: TestRoom;

beforeEach(async () => {
  room = await openTestRoom({ frontends: FRONTENDS });
});

afterEach(async () => {
  await room[Symbol.asyncDispose]();
});

const PATHS = ['/v1/default/device', '/auth/session', '/auth/nothing', '/auth/account', '/'];

describe('C6: who may read answers', () => {
  test.each([APP, LOCAL])(
    '%s may, errors too, with the cookie, and sees the headers of the contract',
    async (origin) => {
      for (const path of PATHS) {
        const { status, headers } = await room.ask('GET', path, { headers: { Origin: origin, 'X-Requested-By': 'x' } });
        expect(headers['access-control-allow-origin']).toBe(origin);
        expect(headers['access-control-allow-credentials']).toBe('true');
        expect(headers['vary']).toBe('Origin');
        const exposed = String(headers['access-control-expose-headers']).split(', ');
        expect(exposed).toEqual(
          expect.arrayContaining(['Request-Id', 'Error-Source', 'Server-Timing', 'RateLimit', 'Retry-After', 'ETag']),
        );
        if (path.startsWith('/v1')) expect(status).toBe(401);
      }
    },
  );

  test.each([
    'https://app.example.com.evil.test',
    'https://evilapp.example.com',
    'https://x.app.example.com',
    'https://example.com',
    'http://app.example.com',
    'https://app.example.com.',
    'https://app.example.com:443',
    'https://app.example.com:8443',
    'https://APP.example.com',
    'HTTPS://app.example.com',
    'https://app.example.com/',
    'https://app.example.com, https://evil.test',
    'https://evil.test',
    'null',
    '*',
    '',
    'http://localhost:5174',
    'http://127.0.0.1:5173',
  ])('"%s" may not', async (origin) => {
    for (const path of PATHS) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const asked = method === 'OPTIONS' ? { 'Access-Control-Request-Method': 'GET' } : {};
        const { headers } = await room.ask(method, path, { headers: { Origin: origin, ...asked } });
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
        expect(headers['vary']).toBe('Origin');
      }
    }
  });

  test('who sends two origins is neither', async () => {
    const { headers } = await room.ask('GET', '/auth/session', { headers: { Origin: [APP, LOCAL] } });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('a listed page calls with the cookie and the static header', async () => {
    const cookie = await room.signIn();
    const headers = { Origin: APP, 'Sec-Fetch-Site': 'same-site', 'X-Requested-By': 'x' };
    for (const method of ['GET', 'POST', 'DELETE']) {
      expect((await room.ask(method, '/v1/default/device', { cookie, headers })).status).toBe(200);
    }
    expect(room.hits.map(({ frontend }) => frontend)).toEqual([APP, APP, APP]);
  });
});

describe('C7: preflights', () => {
  const preflight = (path: string, origin: string, cookie?: string) =>
    room.ask('OPTIONS', path, {
      cookie,
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'DELETE',
        'Access-Control-Request-Headers': 'x-requested-by, gateway-team, x-evil, authorization',
      },
    });

  test('are answered here, by fixed lists, without any cookie', async () => {
    const cookie = await room.signIn();
    for (const path of PATHS) {
      const { status, headers, text } = await preflight(path, APP, cookie);
      expect([status, text]).toEqual([204, '']);
      expect(headers).toMatchObject({
        'access-control-allow-origin': APP,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-max-age': '600',
        vary: 'Origin',
      });
      const allowed = String(headers['access-control-allow-headers']).toLowerCase().split(', ');
      expect(allowed).toEqual(expect.arrayContaining(['x-requested-by', 'gateway-team', 'gateway-confirm', 'prefer']));
      expect(allowed.filter((name) => ['x-evil', 'authorization', 'cookie', '*'].includes(name))).toEqual([]);
      expect(headers['set-cookie']).toBeUndefined();
    }
    expect(room.hits).toEqual([]);
  });

  test('of strangers are answered alike, and allow nothing', async () => {
    for (const path of PATHS) {
      const { status, headers } = await preflight(path, 'https://evil.test');
      expect(status).toBe(204);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect(room.hits).toEqual([]);
  });
});

describe('without frontends', () => {
  test('nothing is set, and nobody may read', async () => {
    await using alone = await openTestRoom();
    for (const origin of [APP, `http://localhost:${alone.port}`, undefined]) {
      const { headers } = await alone.ask('GET', '/auth/session', {
        headers: origin === undefined ? {} : { Origin: origin },
      });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control') || name === 'vary')).toEqual([]);
    }
    const asked = { Origin: APP, 'Access-Control-Request-Method': 'GET' };
    expect((await alone.ask('OPTIONS', '/v1/default/device', { headers: asked })).status).toBe(204);
  });

  test('a request without Origin costs nothing', () => {
    const cors = createCors([]);
    const untouched = new Proxy({} as ServerResponse, {
      get: (_target, name) => {
        throw new Error(`${String(name)} was touched`);
      },
    });
    expect(cors({ headers: {}, method: 'GET' } as never, untouched)).toBe(false);
  });
});

test('the headers stay, however the answer is written: as a list, as an object, as an error', async () => {
  const cors = createCors(FRONTENDS);
  const server = createServer((req, res) => {
    cors(req, res);
    if (req.url === '/list')
      res.writeHead(200, ['Content-Type', 'text/plain', 'ETag', '"1"', 'X-Twice', '1', 'X-Twice', '2']).end();
    else if (req.url === '/object') answerJson(res, 200, {});
    else answerError(res, new GatewayError('not_found', 'nothing'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    for (const path of ['/list', '/object', '/error']) {
      const { headers } = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Origin: APP } });
      expect([path, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([path, APP, 'Origin']);
      if (path === '/list') expect(headers.get('x-twice')).toBe('1, 2');
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
