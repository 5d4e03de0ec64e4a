import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createClient, GatewayCallError } from '../../src/client/client.ts';
import { json, oddGateway } from './odd-gateway.ts';

const at = (baseUrl: string) => createClient({ baseUrl, token: 'mgw_x' });

/** What a call ends with. */
async function endOf(call: Promise<unknown>): Promise<GatewayCallError> {
  const end = await call.then(
    () => new Error('it went well'),
    (error: unknown) => error,
  );
  expect(end).toBeInstanceOf(GatewayCallError);
  return end as GatewayCallError;
}

describe('every end of a call that is not an answer is one error', () => {
  test('The gateway’s own refusal keeps its words, its id and its time', async () => {
    await using gateway = await oddGateway((res) =>
      json(res, { type: 'rate_limit_error', message: 'the line is full' }, 429, {
        'error-source': 'gateway',
        'request-id': 'id-1',
        'retry-after': '7',
      }),
    );
    expect(await endOf(at(gateway.url).devices.get('a'))).toMatchObject({
      name: 'GatewayCallError',
      type: 'rate_limit_error',
      message: 'the line is full',
      source: 'gateway',
      status: 429,
      requestId: 'id-1',
      retryAfterMs: 7_000,
    });
    expect(gateway.heard).toHaveLength(1);
  });

  test('Mason’s own is told apart, and a date to retry after is read', async () => {
    await using gateway = await oddGateway((res) =>
      json(res, { type: 'a_new_category', message: 'no' }, 503, {
        'error-source': 'mason',
        'retry-after': new Date(Date.now() + 60_000).toUTCString(),
      }),
    );
    const error = await endOf(at(gateway.url).groups.get('a'));
    expect(error).toMatchObject({ type: 'a_new_category', source: 'mason', status: 503, requestId: undefined });
    expect(error.retryAfterMs).toBeGreaterThan(50_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  test('/auth says no source: what has the gateway’s shape is the gateway’s', async () => {
    await using gateway = await oddGateway((res) => json(res, { type: 'authentication_error', message: 'who?' }, 401));
    expect(await endOf(at(gateway.url).session.get())).toMatchObject({ source: 'gateway', status: 401 });
  });

  test.each([
    ['a load balancer’s page', 502, 'text/html', '<html>Bad Gateway</html>'],
    ['nothing at all', 504, 'text/plain', ''],
    ['JSON of another shape', 500, 'application/json', '{"error":"x"}'],
    ['JSON null', 500, 'application/json', 'null'],
    ['a list', 403, 'application/json', '[1]'],
    ['types that are no texts', 403, 'application/json', '{"type":1,"message":{}}'],
  ])('An error that is %s comes from between here and the gateway', async (_, status, type, body) => {
    await using gateway = await oddGateway((res) => res.writeHead(status, { 'content-type': type }).end(body));
    const error = await endOf(at(gateway.url).devices.get('a'));
    expect(error).toMatchObject({ type: 'api_error', source: 'network', status });
    expect(error.message).toContain(String(status));
    expect(error.message).not.toContain('<html>');
  });

  test('A good answer that is no JSON is an error that asks for the right address', async () => {
    await using gateway = await oddGateway((res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>'));
    const error = await endOf(at(gateway.url).devices.get('a'));
    expect(error).toMatchObject({ type: 'api_error', source: 'network', status: 200 });
    expect(error.message).toContain('text/html');
  });

  test('A good answer without a body is none', async () => {
    await using gateway = await oddGateway((res) => res.writeHead(204).end());
    expect(await at(gateway.url).groups.delete('a')).toBeUndefined();
    expect(await at(gateway.url).session.logout()).toEqual({});
  });

  test('Nobody there, a connection that breaks off, and a body that breaks off', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const refused = await endOf(at(`http://127.0.0.1:${port}`).devices.get('a'));
    expect(refused).toMatchObject({ type: 'network_error', source: 'network', status: undefined });
    expect(refused.message).toContain('ECONNREFUSED');
    await using broken = await oddGateway((res, { url }) => {
      if (url.endsWith('/body')) res.writeHead(200, { 'content-length': '100' }).write('{"da');
      setImmediate(() => res.destroy());
    });
    for (const id of ['head', 'body']) {
      expect(await endOf(at(broken.url).devices.get(id))).toMatchObject({ type: 'network_error', source: 'network' });
    }
    expect(broken.heard).toHaveLength(2);
  });

  test('A redirect is followed by nobody: where it leads never hears of the token', async () => {
    await using elsewhere = await oddGateway((res) => json(res, {}));
    await using gateway = await oddGateway((res) => res.writeHead(307, { location: elsewhere.url }).end());
    expect(await endOf(at(gateway.url).devices.get('a'))).toMatchObject({ type: 'network_error' });
    expect(elsewhere.heard).toEqual([]);
  });
});

describe('time and abort', () => {
  test('A gateway that says nothing, and one that never comes to the end of its body, are given up at the deadline', async () => {
    await using gateway = await oddGateway((res, { url }) => {
      if (url.endsWith('/body')) res.writeHead(200).write('{');
    });
    for (const id of ['silent', 'body']) {
      const { signal } = new AbortController();
      const error = await endOf(at(gateway.url).devices.get(id, { deadlineMs: 50, signal }));
      expect(error).toMatchObject({ type: 'timeout_error', source: 'network', status: undefined });
      expect(error.message).toContain('50 ms');
    }
  });

  test('The caller’s abort ends the call, in flight and before it, with the caller’s reason', async () => {
    const controller = new AbortController();
    await using gateway = await oddGateway(() => controller.abort(new Error('left the page')));
    const client = at(gateway.url);
    const error = await endOf(client.devices.get('a', { signal: controller.signal }));
    expect(error).toMatchObject({ type: 'aborted', source: 'network', cause: new Error('left the page') });
    expect(await endOf(client.devices.get('a', { signal: controller.signal }))).toMatchObject({ type: 'aborted' });
    expect(gateway.heard).toHaveLength(1);
  });
});
