import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { boundedFetch, providerAgent } from '../../../src/session/oidc/bounded-fetch.ts';

const agent = providerAgent();
const ask = boundedFetch(agent);
const askBriefly = boundedFetch(agent, 300);

afterAll(() => agent.destroy());

async function served(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe('Asking an identity provider', () => {
  test('gives what it answered, and sends what was to be sent', async () => {
    await using server = await served(async (req, res) => {
      let body = '';
      for await (const chunk of req) body += String(chunk);
      res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify([req.method, req.headers['x'], body]));
    });
    const answer = await ask(server.url, {
      method: 'POST',
      headers: { x: 'y' },
      body: new URLSearchParams({ a: 'b c' }),
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await answer.json()).toEqual(['POST', 'y', 'a=b+c']);
  });

  test.each([
    'http://idp.example.com/',
    'http://10.0.0.1/',
    'http://localhost.example.com/',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
  ])('%s is not asked: nobody may stand between', async (url) => {
    await expect(ask(url, {})).rejects.toMatchObject({ code: 'sign_in_unavailable' });
  });

  test.each<[string, RequestListener]>([
    ['never answers', () => {}],
    [
      'answers a byte at a time and never ends',
      (_req, res) => {
        res.write('{');
        const timer = setInterval(() => res.write(' '), 20);
        res.once('close', () => clearInterval(timer));
      },
    ],
    ['hangs up', (req) => req.socket.destroy()],
    ['is broken', (_req, res) => res.writeHead(500).end()],
  ])('one that %s is unavailable', async (_what, listener) => {
    await using server = await served(listener);
    await expect(askBriefly(server.url, {})).rejects.toMatchObject({
      code: 'sign_in_unavailable',
      retryAfterMs: 5_000,
    });
  });

  test('an endless answer is given up, whether it says its length or not', async () => {
    await using announced = await served((_req, res) =>
      res.writeHead(200, { 'content-length': 10_000_000 }).end('x'.repeat(10_000_000)),
    );
    await using endless = await served((_req, res) => {
      const more = (): void => {
        if (!res.destroyed && res.write('x'.repeat(65_536))) setImmediate(more);
      };
      res.on('drain', more);
      more();
    });
    for (const { url } of [announced, endless]) {
      await expect(ask(url, {})).rejects.toMatchObject({ code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' });
    }
  });

  test('a packed answer stays packed: nothing small becomes 100 MB', async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    await using server = await served((_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    expect((await (await ask(server.url, {})).text()).length).toBeLessThanOrEqual(bomb.length);
  });

  test('a redirect is an answer, not an order', async () => {
    let stranger = 0;
    await using other = await served((_req, res) => {
      stranger += 1;
      res.end();
    });
    await using server = await served((_req, res) => res.writeHead(302, { location: other.url }).end());
    expect([(await ask(server.url, {})).status, stranger]).toEqual([302, 0]);
  });
});
