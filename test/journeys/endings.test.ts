import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { OWNER_KEY, startGateway } from '../support/gateway.ts';
import { type GatewayProcess, spawnGateway } from '../support/gateway-process.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

let simulator: SimulatorProcess;
let directory: string;
let token: string;

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`, '--latency', '5..40']);
  directory = await mkdtemp(join(tmpdir(), 'endings-'));
  await using gateway = await startGateway({ masonUrl: simulator.url, dataDir: directory });
  token = await gateway.token();
});
beforeEach(() => simulator.reset());
afterAll(async () => {
  await simulator.close();
  await rm(directory, { recursive: true });
});

const start = (): Promise<GatewayProcess> =>
  spawnGateway(directory, { GATEWAY_DATA_DIR: directory, MASON_BASE_URL: simulator.url, GATEWAY_LOG_LEVEL: 'warn' });

/** The record of an ended gateway, read by its successor. */
const recordAfter = async (): Promise<Readonly<Record<string, unknown>>[]> => {
  await using successor = await startGateway({ masonUrl: simulator.url, dataDir: directory });
  return await successor.record();
};

const change = (gateway: GatewayProcess, name: string): Promise<Response> =>
  fetch(`${gateway.url}/v1/default/group`, {
    method: 'POST',
    body: JSON.stringify({ name }),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  });

test('A gateway is killed in the middle of a hundred changes: each that reached Mason is on record', async () => {
  const gateway = await start();
  const changes = Array.from({ length: 100 }, (_, n) =>
    change(gateway, `killed-${n}`).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  await eventually('some have arrived', async () => (await simulator.stats()).requestsReached >= 25);
  expect(await gateway.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
  const statuses = await Promise.all(changes);
  expect(statuses.filter((status) => status === 0).length).toBeGreaterThan(0);

  const reached = (await simulator.requests(1_000)).map(({ head }) => /\r\nrequest-id: (.*)\r\n/.exec(head)?.[1]);
  expect(reached.length).toBeGreaterThanOrEqual(25);
  const events = await recordAfter();
  const intents = new Set(events.filter(({ kind }) => kind === 'intent').map(({ requestId }) => requestId));
  expect(reached.filter((id) => !intents.has(id))).toEqual([]);
});

test('SIGTERM under load: what is under way finishes, nothing new begins, the end is clean and all of it is on record', async () => {
  const gateway = await start();
  const headers = { authorization: `Bearer ${token}` };
  // A reader who is slow to take a large answer, begun before the end.
  await simulator.faults({ match: { path: '/v1/default/sim' }, fault: { kind: 'large', bytes: 12_000_000 } });
  await simulator.faults({
    match: { path: '/v1/default/device' },
    times: 'always',
    fault: { kind: 'slow-headers', delayMs: 800 },
  });
  await simulator.faults({
    match: { path: '/v1/default/group' },
    times: 'always',
    fault: { kind: 'slow-headers', delayMs: 800 },
  });
  const slow = connect({ port: gateway.port, host: '127.0.0.1' });
  slow.write(`GET /v1/default/sim HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`);
  await once(slow, 'readable');
  const underWay = [
    ...Array.from({ length: 20 }, () => fetch(`${gateway.url}/v1/default/device?limit=1`, { headers })),
    ...Array.from({ length: 10 }, (_, n) => change(gateway, `term-${n}`)),
  ];
  await eventually('all are at Mason', async () => (await simulator.stats()).requestsReached === 31);
  const ended = gateway.end('SIGTERM');
  const refused = await eventually('new calls are refused', async () => {
    const answer = await fetch(`${gateway.url}/v1/default/user`, { headers }).catch(() => 'refused' as const);
    return answer === 'refused' || answer.status === 503 ? answer : undefined;
  });
  if (refused !== 'refused') expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  let bytes = 0;
  for await (const chunk of slow as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(bytes).toBeGreaterThan(12_000_000);
  const answers = await Promise.all(underWay);
  expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200));
  expect(await ended).toMatchObject({ code: 0, signal: null, stderr: '' });

  const events = await recordAfter();
  const outcomes = new Map(events.filter(({ kind }) => kind === 'outcome').map((event) => [event['requestId'], event]));
  const mine = answers.map(({ headers }) => outcomes.get(headers.get('request-id')));
  expect(mine.map((event) => event?.['result'])).toEqual(Array(30).fill('answered'));
  expect(events.find(({ operation }) => operation === 'sim.list')).toMatchObject({
    result: 'answered',
    bytesOut: 12_000_000,
  });
  expect(events.filter(({ act }) => act === 'gateway.stop').length).toBeGreaterThan(0);
});
