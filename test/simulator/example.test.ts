import { once } from 'node:events';
import { SourceTextModule } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseArguments } from '../../src/simulator/parse-arguments.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const GATEWAY = 'http://127.0.0.1:8080';

describe('the example frontend', () => {
  let simulator: SimulatorProcess;
  beforeAll(async () => {
    simulator = await spawnSimulator(['--example-gateway', GATEWAY]);
  });
  afterAll(async () => {
    await simulator.close();
  });
  const get = (path: string, init?: RequestInit) => fetch(simulator.url + path, { redirect: 'manual', ...init });

  test('It is a page with styles and scripts of its own, allowed to talk to its gateway and nobody else', async () => {
    const answer = await get('/example/');
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toContain(`connect-src 'self' ${GATEWAY};`);
    expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
    const html = await answer.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|\bon[a-z]+=|\bstyle=|https?:/);
    const named = Array.from(html.matchAll(/(?:src|href)="([^"#:]+)"/g), ([, name]) => name as string);
    expect(named).toContain('app.js');
    for (const name of named)
      expect([name, (await get(`/example/${name.replace('./', '')}`)).status]).toEqual([name, 200]);
  });

  test('The client comes as scripts without types, each module that another names', async () => {
    const seen = new Set<string>();
    const follow = async (name: string): Promise<void> => {
      if (seen.has(name)) return;
      seen.add(name);
      const answer = await get(`/example/${name}`);
      expect([name, answer.status, answer.headers.get('content-type')]).toEqual([
        name,
        200,
        'text/javascript; charset=utf-8',
      ]);
      const text = await answer.text();
      expect(() => new SourceTextModule(text)).not.toThrow();
      for (const [, from] of text.matchAll(/from '\.\/([^']+)'/g))
        await follow(new URL(`http://x/${name}/../${from}`).pathname.slice(1));
    };
    await follow('app.js');
    expect([...seen]).toContain('client/wire.ts');
  });

  test('It tells its page where the gateway is, and a thread is told after its start', async () => {
    expect(await (await get('/example/config.json')).json()).toEqual({ gatewayUrl: GATEWAY });
    const worker = new Worker(new URL('../../src/simulator/worker.ts', import.meta.url), {
      workerData: { port: 0 },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    try {
      const [{ url }] = (await once(worker, 'message')) as [{ url: string }];
      const told = async () =>
        ((await (await fetch(`${url}/example/config.json`)).json()) as { gatewayUrl: unknown }).gatewayUrl;
      expect(await told()).toBeNull();
      worker.postMessage({ gatewayUrl: 'http://127.0.0.1:1234' });
      while ((await told()) === null);
      expect(await told()).toBe('http://127.0.0.1:1234');
      const { headers } = await fetch(`${url}/example/`);
      expect(headers.get('content-security-policy')).toContain("connect-src 'self' http://127.0.0.1:1234;");
    } finally {
      await worker.terminate();
    }
  });

  test.each([
    '/example/../main.ts',
    '/example/%2e%2e/main.ts',
    '/example/client/../gateway.ts',
    '/example/client/%2e%2e%2fgateway.ts',
    '/example/client/generate.ts/..',
    '/example/client/',
    '/example/none.js',
    '/example/client/none.js',
    '/example/.hidden',
    '/example//etc/passwd',
  ])('Nothing else is served under it: %s', async (path) => {
    const { request } = await import('node:http');
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      request(simulator.url, { path }, (res) => resolve(res.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(answer).toBe(404);
  });

  test('It only answers, and is in no count of Mason’s', async () => {
    expect((await get('/example/', { method: 'POST' })).status).toBe(405);
    expect((await get('/example')).headers.get('location')).toBe('/example/');
    expect(await (await get('/example/', { method: 'HEAD' })).text()).toBe('');
    expect(await simulator.requests()).toEqual([]);
    expect((await simulator.stats()).requestsReached).toBe(0);
    expect((await simulator.stats()).connections).toEqual({ opened: 0, open: 0 });
  });
});

test('What is no address of a gateway is refused in one line', () => {
  for (const given of ['127.0.0.1:8080', 'ftp://x', 'http://x/path', 'http://a@b', '']) {
    expect(() => parseArguments(['--example-gateway', given])).toThrow(/^--example-gateway: expected an address/);
  }
});
