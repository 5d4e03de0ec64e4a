import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import { RedisClient } from '../../src/redis/redis-client.ts';
import { redisSessions } from '../../src/redis/redis-sessions.ts';
import type { RedisSettings } from '../../src/redis/redis-settings.ts';
import { session } from '../contracts/session-store-contract.ts';
import { eventually } from '../support/eventually.ts';
import { SELF_SIGNED } from '../support/raw-certificate.ts';
import { freePort, RedisServer, type RedisServerOptions } from '../support/redis-server.ts';

const SLOTS = 16_384;

const stack: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of stack.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function start(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  stack.push(server);
  return server;
}

async function opened(settings: RedisSettings): Promise<RedisClient> {
  const client = new RedisClient({ settings, clock: systemClock, onProblem: () => {} });
  stack.push({ [Symbol.asyncDispose]: async () => client[Symbol.dispose]() });
  await eventually('Redis is ready', () => client.health().state === 'ready');
  return client;
}

const here = (server: RedisServer) => ({ host: '127.0.0.1', port: server.port });

/** Fails where its keys are spread over nodes. */
const WRITE_BOTH = {
  name: 'writeBoth-2',
  lua: "redis.call('SET', KEYS[1], 1) redis.call('SET', KEYS[2], 1)",
  sha1: 'f'.repeat(40),
  numberOfKeys: 2,
};

test('a cluster: what belongs together lies together, on whichever node', async () => {
  const nodes = await Promise.all([1, 2].map(() => start({ args: ['--cluster-enabled', 'yes'] })));
  const [first, second] = nodes as [RedisServer, RedisServer];
  await first.command('CLUSTER', 'ADDSLOTSRANGE', 0, SLOTS / 2 - 1);
  await second.command('CLUSTER', 'ADDSLOTSRANGE', SLOTS / 2, SLOTS - 1);
  await second.command('CLUSTER', 'MEET', '127.0.0.1', first.port);
  for (const node of nodes) {
    await eventually('the cluster stands', async () =>
      String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
  }
  const client = await opened(first.settings({ at: { kind: 'cluster', hosts: [here(first)] } }));
  for (let n = 0; n < 20; n++) {
    const key = client.keys.budgetSlots(`budget_${n}`);
    await client.run(WRITE_BOTH, [key, `${key}:more`]);
  }
  const sessions = redisSessions(client);
  await sessions.add(session('a'));
  await sessions.touch(new Map([['digest-a', 2_000]]));
  expect(await sessions.find('digest-a')).toEqual(session('a', { lastSeenAt: 2_000 }));
  expect(await sessions.end({ personId: 'per_1' })).toEqual(['digest-a']);
  const sizes = await Promise.all(nodes.map(async (node) => Number(await node.command('DBSIZE'))));
  expect(Math.min(...sizes)).toBeGreaterThan(2);
});

test('sentinels: the master is killed, and the replica that they choose is used', async () => {
  const master = await start();
  const replica = await start({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
  await eventually('the replica follows', async () =>
    String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
  );
  const sentinel = await start({
    sentinel: [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 300',
      'sentinel failover-timeout main 3000',
    ].join('\n'),
  });
  await eventually('the sentinel knows the replica', async () =>
    JSON.stringify(await sentinel.command('SENTINEL', 'REPLICAS', 'main')).includes(String(replica.port)),
  );
  const client = await opened(master.settings({ at: { kind: 'sentinel', name: 'main', hosts: [here(sentinel)] } }));
  await master.kill();
  await eventually('it is away', () => client.health().state === 'away');
  await eventually('the sentinel chose the replica', async () =>
    JSON.stringify(await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')).includes(
      String(replica.port),
    ),
  );
  await eventually('it is back, on the replica', () => client.health().state === 'ready');
  expect(await replica.command('GET', client.keys.beat)).toBe('');
});

test('TLS: a server that no certificate vouches for is never spoken to, one that is vouched for is', async () => {
  const server = await start();
  const file = (name: string, text: string): string => {
    const path = join(server.directory, name);
    writeFileSync(path, text);
    return path;
  };
  const cert = file('cert.pem', SELF_SIGNED.cert);
  const tlsPort = await freePort();
  const files = ['tls-cert-file', cert, 'tls-key-file', file('key.pem', SELF_SIGNED.key), 'tls-ca-cert-file', cert];
  await server.command('CONFIG', 'SET', ...files, 'tls-auth-clients', 'no', 'tls-port', tlsPort);
  await opened(server.settings({ port: tlsPort, tls: { ca: SELF_SIGNED.cert } }));
  const wary = new RedisClient({
    settings: server.settings({ port: tlsPort, tls: {} }),
    clock: systemClock,
    onProblem: () => {},
  });
  stack.push({ [Symbol.asyncDispose]: async () => wary[Symbol.dispose]() });
  await eventually('it says why', () => wary.health().problem?.includes('self-signed certificate'));
  expect(wary.health().state).toBe('away');
});
