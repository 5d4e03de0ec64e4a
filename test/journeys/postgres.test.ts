import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import { takeGatewayPlace } from '../../src/store/postgres/gateway-place.ts';
import { settingsOf } from '../store/postgres-pairs.ts';
import { eventually } from '../support/eventually.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { openPage } from '../support/page.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const LIST = '/v1/default/device?limit=1';
const REBOOT = [
  '/v1/default/notify/reboot',
  { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ group: 'canary' }) },
] as const;

let postgres: PostgresServer;
let redis: RedisServer;
let url: string;
let simulator: SimulatorProcess;
let elsewhere: string | undefined;
let one: TestGateway;
let two: TestGateway;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([PostgresServer.start(), RedisServer.start()]);
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`]);
  url = await postgres.freshDatabase();
  const { hostname, port, pathname } = new URL(url);
  const database = { url: `postgres://${hostname}:${port}${pathname}`, user: 'gateway' };
  const settings = (id: string) => ({ gateway: { id }, database, redis: { url: redis.url } });
  one = await startGateway({ masonUrl: simulator.url, settings: settings('one') });
  // Another machine: of the first one's files it has the two that an operator copies.
  elsewhere = await mkdtemp(join(tmpdir(), 'gateway-'));
  for (const file of ['master.key', 'session.secret']) await cp(join(one.dataDir, file), join(elsewhere, file));
  const dataDir = { gateway: { id: 'two', dataDir: elsewhere } };
  two = await startGateway({
    masonUrl: simulator.url,
    settings: { ...settings('two'), ...dataDir, ...secretsIn(elsewhere) },
    dataDir: elsewhere,
  });
});

afterAll(async () => {
  await two?.close();
  await one?.close();
  await simulator?.close();
  await redis?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
  if (elsewhere !== undefined) await rm(elsewhere, { recursive: true, force: true });
});

const secretsIn = (directory: string) => ({
  masterKey: { file: join(directory, 'master.key') },
  sessions: { secretFile: join(directory, 'session.secret') },
});

describe('Two gateways on two machines, one PostgreSQL and one Redis', () => {
  test('know the same teams, tokens and sessions, and what ends at one ends at both; no file holds any of it', async () => {
    const token = await one.token({ app: 'roaming' });
    await eventually('the token is known', async () => (await two.call(token, LIST)).status === 200);
    const { data } = (await two.administer('token.list', { team: 'alpha', app: 'roaming' })) as {
      data: { id: string }[];
    };
    await two.administer('token.revoke', { id: data[0]?.id });
    await eventually('the token is over', async () => (await one.call(token, LIST)).status === 401);
    const page = await openPage(one, { role: 'lead', team: 'alpha' });
    const headers = { Cookie: page.cookie, 'X-Requested-By': 'test', 'Sec-Fetch-Site': 'same-origin' };
    const atTwo = async (): Promise<number> => (await fetch(two.url + LIST, { headers })).status;
    await eventually('the session is known', async () => (await atTwo()) === 200);
    await page.call('/auth/logout', { method: 'POST' });
    await eventually('the session is over', async () => (await atTwo()) === 401);
    for (const directory of [one.dataDir, two.dataDir]) expect(await readdir(directory)).not.toContain('gateway.db');
  });

  test('keep off a third one that does not know of their calls, or that has the name of one', async () => {
    let now = 0;
    const clock = {
      ...systemClock,
      now: () => {
        now += 10_000;
        return now;
      },
    };
    const third = { gatewayId: 'three', sharesBudgets: true, clock, onProblem: () => undefined };
    for (const change of [{ sharesBudgets: false }, { gatewayId: 'one' }]) {
      const refused = takeGatewayPlace(settingsOf(url), { ...third, ...change });
      await expect(refused).rejects.toMatchObject({ code: 'conflict' });
    }
    await (await takeGatewayPlace(settingsOf(url), third))[Symbol.asyncDispose]();
  });

  test('while it is down, reads with known tokens are served and changes are not; both are told, and all is well again by itself', async () => {
    const token = await one.token();
    const both = [one, two];
    // Each change of the store makes gateways forget what they knew: the last one is to be behind both.
    const last = await one.token({ app: 'last' });
    for (const gateway of both) {
      await eventually('the last token is known', async () => (await gateway.call(last, LIST)).status === 200);
    }
    const { data } = (await one.administer('token.list', { team: 'alpha', app: 'last' })) as { data: { id: string }[] };
    await one.administer('token.revoke', { id: data[0]?.id });
    for (const gateway of both) {
      await eventually('the last token is over', async () => (await gateway.call(last, LIST)).status === 401);
      expect((await gateway.call(token, LIST)).status).toBe(200);
    }
    const sent = (await simulator.stats()).requestsReached;
    await postgres.stop();
    for (const gateway of both) {
      await eventually('it is noticed', async () => {
        const ready = await fetch(`${gateway.privateUrl}/readyz`);
        const said = await ready.text();
        return ready.status === 503 && /database test_\w+ of 127\.0\.0\.1:\d+ does not answer/.test(said);
      });
      expect((await gateway.call(token, LIST)).status).toBe(200);
      const change = await gateway.call(token, ...REBOOT);
      expect([change.status, change.headers.get('error-source')]).toEqual([503, 'gateway']);
    }
    expect((await simulator.stats()).requestsReached).toBe(sent + 2);
    await postgres.restart();
    for (const gateway of both) {
      await eventually('it is ready', async () => (await fetch(`${gateway.privateUrl}/readyz`)).status === 200);
      await eventually('changes go again', async () => (await gateway.call(token, ...REBOOT)).status !== 503);
    }
  });
});
