import { execFile } from 'node:child_process';
import { createHmac, createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WebhookSink, type WebhookSinkOptions } from '../../../src/audit/sinks/webhook-sink.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import { FIRST, SECOND } from '../../support/certificates.ts';
import { findProgram } from '../../tools/find-program.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let port: number;
let answer: { status: number; headers: Record<string, string> } | 'silence';
const received: Received[] = [];
const sinks: WebhookSink[] = [];

beforeAll(async () => {
  server = createServer({ cert: FIRST.cert, key: FIRST.key }, async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    received.push({ headers: req.headers, body: Buffer.concat(chunks).toString('latin1') });
    if (answer !== 'silence') res.writeHead(answer.status, answer.headers).end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterEach(async () => {
  received.length = 0;
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function opened(options: Partial<WebhookSinkOptions> = {}): WebhookSink {
  answer = { status: 204, headers: {} };
  const sink = new WebhookSink({
    url: `https://127.0.0.1:${port}/events?tenant=1`,
    secret: createSecretKey('a-shared-secret', 'utf8'),
    ca: FIRST.cert,
    privateHosts: [],
    timeoutMs: 2_000,
    clock: systemClock,
    ...options,
  });
  sinks.push(sink);
  return sink;
}

describe('a webhook that follows the record', () => {
  test('signs what it sends with its time, and names the same events the same', async () => {
    const sink = opened();
    await sink.deliver('{"a":1}\n');
    await sink.deliver('{"a":1}\n');
    const [first, second] = received as [Received, Received];
    expect(first.body).toBe('{"a":1}\n');
    const timestamp = String(first.headers['gateway-timestamp']);
    expect(Math.abs(Number(timestamp) - Date.now() / 1_000)).toBeLessThan(60);
    const signature = createHmac('sha256', 'a-shared-secret').update(`${timestamp}.${first.body}`).digest('hex');
    expect(first.headers['gateway-signature']).toBe(`v1=${signature}`);
    expect(first.headers['gateway-delivery']).toBe(second.headers['gateway-delivery']);
    await sink.deliver('{"a":2}\n');
    expect(received[2]?.headers['gateway-delivery']).not.toBe(first.headers['gateway-delivery']);
  });

  test('is believed by the Python of docs/auditors.md once, and not when a byte was changed or it is late', async () => {
    const python = findProgram({ programs: ['python3'], debianPackage: 'python3', variable: 'NONE_SUCH' });
    if (python === undefined) return;
    await opened().deliver('{"name":"Zo\\u00eb"}\n');
    const [{ headers, body }] = received as [Received];
    const given = Object.fromEntries(
      ['Timestamp', 'Delivery', 'Signature'].map((name) => [
        `Gateway-${name}`,
        headers[`gateway-${name.toLowerCase()}`],
      ]),
    );
    const docs = readFileSync(new URL('../../../docs/auditors.md', import.meta.url), 'utf8');
    const [, code = ''] = /^```python\n(.*?)^```$/ms.exec(docs) ?? [];
    const asked = `
import json, sys
headers, body, seen = json.loads(sys.argv[1]), sys.argv[2].encode(), set()
late = {**headers, "Gateway-Timestamp": "1"}
for secret, heads, text in [("x", headers, body), ("a-shared-secret", headers, body + b" "), ("a-shared-secret", late, body),
                            ("a-shared-secret", headers, body), ("a-shared-secret", headers, body)]:
    print(is_ours(secret.encode(), heads, text, seen))`;
    const { stdout } = await promisify(execFile)(python, ['-c', code + asked, JSON.stringify(given), body]);
    expect(stdout.trim().split('\n')).toEqual(['False', 'False', 'False', 'True', 'False']);
  });

  test.each([301, 307, 400, 500])('%d is a failure, and nobody is followed elsewhere', async (status) => {
    const sink = opened();
    answer = { status, headers: { location: `https://127.0.0.1:${port}/elsewhere` } };
    await expect(sink.deliver('{}\n')).rejects.toThrow(`got ${status}`);
    expect(received).toHaveLength(1);
  });

  test('a receiver that says nothing is given up in time', async () => {
    const sink = opened({ timeoutMs: 200 });
    answer = 'silence';
    await expect(sink.deliver('{}\n')).rejects.toThrow(/timeout|aborted/i);
  });

  test('a stranger’s certificate, and a name that leads into the own network, are given nothing', async () => {
    await expect(opened({ ca: SECOND.cert }).deliver('{}\n')).rejects.toThrow(/self-signed|unable to verify/);
    const byName = `https://localhost:${port}/`;
    await expect(opened({ url: byName }).deliver('{}\n')).rejects.toThrow('private addresses only');
    expect(received).toEqual([]);
    await opened({ url: byName, privateHosts: ['localhost'] }).deliver('{}\n');
    expect(received).toHaveLength(1);
  });
});
