import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request as rawRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OPERATES } from '../../src/domain/authority.ts';
import { startGateway } from '../support/gateway.ts';
import { type GatewayProcess, spawnGateway } from '../support/gateway-process.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const KEY = 'canary+key/Zq7~Xw9=Lm2&Kd4?Hs6';
const DEAD_KEY = 'canary-dead-key-Pv8$Rt5';
const OPERATOR = { actor: { kind: 'operator' }, authority: OPERATES } as const;

let simulator: SimulatorProcess;
let gateway: GatewayProcess;
let directory: string;
let token: string;
let deadToken: string;
let linkSecret: string;
let cookieId: string;
/** Everything that left the gateway. */
const left: string[] = [];

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${KEY}=account:owner`]);
  directory = await mkdtemp(join(tmpdir(), 'canary-'));
  {
    await using seed = await startGateway({
      masonUrl: simulator.url,
      dataDir: directory,
      keys: [{ key: KEY, scopes: ['account:owner'] }],
    });
    token = await seed.token();
    const { acts } = seed.gateway;
    await acts['team.add'](OPERATOR, { slug: 'dead' });
    await acts['key.add'](OPERATOR, { team: 'dead', name: 'k', key: DEAD_KEY, scopes: ['fleet:read'] });
    await acts['app.add'](OPERATOR, { team: 'dead', name: 'app' });
    deadToken = (await acts['token.create'](OPERATOR, { team: 'dead', app: 'app', scopes: ['fleet:read'] })).token;
    const grants = [{ role: 'lead', team: 'alpha' }];
    linkSecret = (await acts['link.create'](OPERATOR, { name: 'Canary', grants })).secret;
    left.push(JSON.stringify(await acts['key.list'](OPERATOR)), JSON.stringify(await acts['token.list'](OPERATOR)));
  }
  gateway = await spawnGateway(directory, {
    GATEWAY_DATA_DIR: directory,
    MASON_BASE_URL: simulator.url,
    GATEWAY_LOG_LEVEL: 'debug',
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await simulator.close();
  await rm(directory, { recursive: true });
});

const call = async (path: string, init: RequestInit = {}, as = token): Promise<void> => {
  const answer = await fetch(`${gateway.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json', ...init.headers },
  });
  left.push(JSON.stringify([...answer.headers]), await answer.text().catch(String));
};

/** The ways in which a secret could have been written down. */
const forms = (secret: string): string[] => {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    bytes.toString('utf16le'),
  ];
};

async function* filesIn(path: string): AsyncGenerator<[string, Buffer]> {
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) yield [file, await readFile(file)];
  }
}

/** Somebody signs in with the link, calls and manages; the cookie itself is the one thing that may leave. */
async function workAsPage(): Promise<void> {
  const own = { 'x-requested-by': 'page', 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
  const body = JSON.stringify({ secret: linkSecret });
  const signedIn = await fetch(`${gateway.url}/auth/link`, { method: 'POST', headers: own, body });
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  [cookieId = ''] = decodeURIComponent(cookie.split('=')[1] ?? '')
    .slice(2)
    .split('.');
  left.push(await signedIn.text());
  for (const [method, path, sent] of [
    ['GET', '/v1/default/device?limit=1'],
    ['GET', `/v1/default/device?session=${cookieId}`],
    ['POST', '/v1/default/device/1', `{"name":"${cookieId}`],
    ['GET', '/auth/session'],
    ['GET', '/auth/sessions'],
    ['GET', '/auth/nothing'],
    ['POST', '/auth/link', body],
    ['POST', '/auth/ticket', '{"method":"GET","path":"/v1/default/device"}'],
    ['GET', '/admin/v1/keys'],
    ['GET', '/admin/v1/tokens'],
    ['GET', '/admin/v1/audit?limit=100'],
    ['POST', '/admin/v1/keys', `{"team":"alpha","name":"x","key":"${KEY}","scopes":["fleet:read"],"nope":1}`],
    ['POST', '/auth/logout'],
    ['GET', '/v1/default/device'],
  ] as const) {
    const answer = await fetch(gateway.url + path, { method, headers: { ...own, cookie }, body: sent ?? null });
    left.push(JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie')), await answer.text());
  }
}

test('A key or token is nowhere but at Mason and with its owner: not in answers, logs, metrics, record or data', async () => {
  const body = (value: unknown): RequestInit => ({ method: 'POST', body: JSON.stringify(value) });
  await call('/v1/default/device?limit=1');
  await call('/v1/default/group', body({ name: 'canary' }));
  await call('/v1/default/notify/reboot', body({ group: 'canary' }));
  await call('/v1/default/notify/wipe', body({ group: 'canary' }));
  // Where a careless client might put its token, or somebody a key.
  for (const secret of [token, KEY, DEAD_KEY]) {
    const segment = encodeURIComponent(secret).replaceAll('%2F', '-');
    // Mason repeats what it does not know, so that this answer does not count.
    if (secret === token) await call(`/v1/default/device/${segment}`).then(() => left.pop());
    await call(`/v1/default/device?access_token=${encodeURIComponent(secret)}`);
    await call('/v1/default/device/1', body({ name: 'x', token: secret }));
    await call('/v1/default/device', {
      headers: { cookie: `a=${secret}`, 'x-api-key': secret, referer: `https://a/?k=${encodeURIComponent(secret)}` },
    });
    await call('/v1/default/device', { headers: { authorization: `Basic ${secret}` } });
    await call('/v1/default/device', { headers: { authorization: secret } });
  }
  await call('/v1/default/device', { headers: { 'x-request-id': `id ${token}` } });
  await call('/v1/default/device', {}, deadToken);
  await call(
    '/v1/default/device',
    {},
    token.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')),
  );
  for (const fault of [
    { kind: 'echo-authorization', in: 'body' },
    { kind: 'echo-authorization', in: 'header' },
    { kind: 'echo-authorization', chunked: true, delayMs: 0 },
    { kind: 'status', status: 400, body: JSON.stringify({ type: 'x', message: `bad ${KEY}` }) },
    { kind: 'status', status: 500, body: `plain ${KEY} and ${Buffer.from(KEY).toString('base64')}` },
    { kind: 'status', status: 409, body: JSON.stringify({ error: { details: encodeURIComponent(KEY) } }) },
    { kind: 'response-headers', headers: { ETag: `"${KEY}"`, 'Content-Disposition': `attachment; filename="${KEY}"` } },
    { kind: 'status-line', line: `HTTP/1.1 abc ${KEY}` },
    { kind: 'reset', when: 'after-headers' },
    { kind: 'truncated-body', framing: 'chunked' },
  ] as const) {
    await simulator.faults(fault);
    await call('/v1/default/device?limit=1').catch(() => undefined);
  }
  // Bytes that are no HTTP, with a token in them.
  await new Promise<void>((resolve) => {
    const request = rawRequest(`${gateway.url}/v1/default/device`, {
      headers: { authorization: `Bearer ${token}`, 'transfer-encoding': token },
    });
    request.on('response', (answer) => answer.resume().on('end', resolve)).on('error', () => resolve());
    request.end();
  });
  await workAsPage();
  left.push(
    await (await fetch(`${gateway.privateUrl}/metrics`)).text(),
    await (await fetch(`${gateway.privateUrl}/readyz`)).text(),
  );

  // The key did travel, or this test would prove nothing.
  expect(
    (await simulator.requests(500)).filter(({ head }) => head.includes(`basic ${KEY}\r\n`)).length,
  ).toBeGreaterThan(10);
  const { stdout, stderr, code } = await gateway.end('SIGTERM');
  expect(code).toBe(0);
  {
    await using reader = await startGateway({ masonUrl: simulator.url, dataDir: directory });
    left.push(JSON.stringify(await reader.record()));
  }

  const places: [string, Buffer][] = [
    ['answers, metrics and record', Buffer.from(left.join('\n'))],
    ['standard output', Buffer.from(stdout)],
    ['standard error', Buffer.from(stderr)],
  ];
  for await (const file of filesIn(directory)) places.push(file);
  expect(places.length).toBeGreaterThan(5);
  const secrets: Record<string, string> = {
    key: KEY,
    'dead key': DEAD_KEY,
    token,
    'dead token': deadToken,
    'link secret': linkSecret,
    'session id': cookieId,
  };
  expect([linkSecret.length, cookieId.length]).toEqual([43, 43]);
  const found = places.flatMap(([place, bytes]) =>
    Object.entries(secrets).flatMap(([name, secret]) =>
      forms(secret).flatMap((form) => (bytes.includes(form) ? [`${name} in ${place}: ${form}`] : [])),
    ),
  );
  expect(found).toEqual([]);
});
