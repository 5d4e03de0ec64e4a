import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import { Secret } from '../../src/domain/secret.ts';
import { RedisClient } from '../../src/redis/redis-client.ts';
import type { RedisScript } from '../../src/redis/redis-script.ts';
import type { RedisSettings } from '../../src/redis/redis-settings.ts';
import { serverProblems } from '../../src/redis/server-problems.ts';
import { eventually } from '../support/eventually.ts';
import { RedisServer, type RedisServerOptions } from '../support/redis-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const stack: (AsyncDisposable | Disposable)[] = [];
const problems: string[] = [];

afterEach(async () => {
  for (const each of stack.splice(0).reverse()) {
    if (Symbol.asyncDispose in each) await each[Symbol.asyncDispose]();
    else each[Symbol.dispose]();
  }
  problems.length = 0;
});

function keep<T extends AsyncDisposable | Disposable>(each: T): T {
  stack.push(each);
  return each;
}

const start = async (options: RedisServerOptions = {}): Promise<RedisServer> => keep(await RedisServer.start(options));

const open = (settings: RedisSettings): RedisClient =>
  keep(new RedisClient({ settings, clock: systemClock, onProblem: (problem) => problems.push(problem) }));

const opened = async (settings: RedisSettings): Promise<RedisClient> => {
  const client = open(settings);
  await eventually('Redis is ready', () => client.health().state === 'ready');
  return client;
};

function script(lua: string, numberOfKeys: number): RedisScript {
  return { name: 'test', lua, sha1: createHash('sha1').update(lua).digest('hex'), numberOfKeys };
}

const COUNT = script("return redis.call('INCRBY', KEYS[1], ARGV[1])", 1);

describe('the client of Redis', () => {
  test('Redis is absent at the start: nothing fails, nothing hangs, and it is used once it is there', async () => {
    const server = await start();
    await server.kill();
    const client = open(server.settings());
    expect(client.health()).toMatchObject({ state: 'away', problem: 'Redis has not answered yet' });
    await expect(client.run(COUNT, ['a', 1])).rejects.toMatchObject({ name: 'RedisFailure', away: true });
    await eventually('it says why', () => client.health().problem?.includes('ECONNREFUSED'));
    await server.restart();
    await eventually('it is used', () => client.health().state === 'ready');
    expect(await client.run(COUNT, ['a', 1])).toBe(1);
  });

  test('Redis is killed and comes back: what is asked meanwhile fails at once, each change is told once', async () => {
    const server = await start();
    const client = await opened(server.settings());
    const seen: string[] = [];
    client.onChange(({ state }) => seen.push(state));
    const { since } = client.health();
    await server.kill();
    await eventually('it is away', () => client.health().state === 'away');
    await expect(client.run(COUNT, ['a', 1])).rejects.toMatchObject({ away: true, code: undefined });
    expect(client.health().since).toBeGreaterThanOrEqual(since);
    await server.restart();
    await eventually('it is back', () => client.health().state === 'ready');
    expect(await client.run(COUNT, ['a', 1])).toBe(1);
    expect(seen).toEqual(['away', 'ready']);
  });

  test('Redis is frozen: callers hear so in time, nothing is done twice afterwards, and it is used again', async () => {
    const server = await start();
    const client = await opened(server.settings({ commandMs: 100 }));
    await client.run(COUNT, ['a', 1]);
    server.freeze();
    const asked = [1, 2, 3].map(() => client.run(COUNT, ['a', 1]));
    for (const each of asked) await expect(each).rejects.toMatchObject({ name: 'RedisFailure', away: true });
    expect(client.health().state).toBe('away');
    await eventually('the silent connection is given up', () =>
      client.run(COUNT, ['b', 1]).then(
        () => false,
        (error: Error) => error.message === 'there is no connection to Redis',
      ),
    );
    server.thaw();
    await eventually('it is back', () => client.health().state === 'ready');
    expect(await client.run(COUNT, ['a', 0])).toBeLessThanOrEqual(4);
  });

  test('a network that is 100 ms slow is no reason to be away', async () => {
    const server = await start();
    const proxy = keep(await TcpProxy.before(server.port));
    proxy.delayMs = 100;
    const client = await opened(server.settings({ port: proxy.port }));
    const counts = await Promise.all(Array.from({ length: 50 }, () => client.run(COUNT, ['a', 1])));
    expect(counts).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(Math.abs(client.health().clockAheadMs ?? Number.NaN)).toBeLessThan(100);
  });

  test('one gateway is cut off: it knows, the other goes on', async () => {
    const server = await start();
    const proxy = keep(await TcpProxy.before(server.port));
    const cut = await opened(server.settings({ port: proxy.port }));
    const whole = await opened(server.settings());
    proxy.cut();
    await eventually('it is away', () => cut.health().state === 'away');
    expect(await whole.run(COUNT, ['a', 1])).toBe(1);
    expect(whole.health().state).toBe('ready');
    proxy.mend();
    await eventually('it is back', () => cut.health().state === 'ready');
    expect(await cut.run(COUNT, ['a', 1])).toBe(2);
  });

  test('its connections are killed by an operator: it connects again', async () => {
    const server = await start();
    const client = await opened(server.settings());
    const seen: string[] = [];
    client.onChange(({ state }) => seen.push(state));
    await server.killClients();
    await eventually('it was away and is back', () => seen.join() === 'away,ready');
    expect(await client.run(COUNT, ['a', 1])).toBe(1);
  });

  test.each([
    ['a replica that takes no writes', 'READONLY', (server: RedisServer, on: boolean) => server.readOnly(on)],
    ['a Redis without memory', 'OOM', (server: RedisServer, on: boolean) => server.outOfMemory(on)],
  ])('%s is away, though it answers; then it is back', async (_, code, set) => {
    const server = await start();
    const client = await opened(server.settings());
    await set(server, true);
    await expect(client.run(COUNT, ['a', 1])).rejects.toMatchObject({ code, away: true });
    await eventually('it says why', () => client.health().problem?.includes(code));
    expect(client.health().state).toBe('away');
    await set(server, false);
    await eventually('it is back', () => client.health().state === 'ready');
    expect(await client.run(COUNT, ['a', 1])).toBe(1);
  });

  test('nobody writes for a while, and Redis becomes a replica: it is known before the next write', async () => {
    const server = await start();
    const client = await opened(server.settings());
    await server.readOnly(true);
    await eventually('it is away', () => client.health().problem?.startsWith('READONLY'));
  });

  test('scripts are forgotten by Redis: they are told again, and nobody notices', async () => {
    const server = await start();
    const client = await opened(server.settings());
    expect(await client.run(COUNT, ['a', 1])).toBe(1);
    expect(await server.command('SCRIPT', 'EXISTS', COUNT.sha1)).toEqual([1]);
    await server.command('SCRIPT', 'FLUSH');
    expect(await client.run(COUNT, ['a', 1])).toBe(2);
    expect(await server.command('SCRIPT', 'EXISTS', COUNT.sha1)).toEqual([1]);
  });

  test('some answers say that Redis is away, others that the question was wrong', async () => {
    const replies: [string, boolean][] = [
      ['LOADING Redis is loading the dataset in memory', true],
      ['MISCONF Redis is configured to save RDB snapshots', true],
      ['CLUSTERDOWN The cluster is down', true],
      ['NOAUTH Authentication required.', true],
      ['ERR no such thing', false],
      ['WRONGTYPE Operation against a key', false],
    ];
    const server = await start();
    const failing = script('return redis.error_reply(ARGV[1])', 0);
    const answers = replies.map(async ([reply, away]) => {
      const client = await opened(server.settings());
      await expect(client.run(failing, [reply])).rejects.toMatchObject({ code: reply.split(' ')[0], away });
      expect([reply, client.health().state]).toEqual([reply, away ? 'away' : 'ready']);
      await eventually('it is ready', () => client.health().state === 'ready');
    });
    await Promise.all(answers);
  });

  test('bytes come back as they went in', async () => {
    const server = await start();
    const client = await opened(server.settings());
    const bytes = new Uint8Array([0, 255, 13, 10, 128]);
    const keep = script("redis.call('SET', KEYS[1], ARGV[1]) return {redis.call('GET', KEYS[1]), 7}", 1);
    expect(await client.runForBytes(keep, ['bytes', bytes])).toEqual([Buffer.from(bytes), 7]);
  });

  test('keys that Redis may evict are said loudly, and only once', async () => {
    const server = await start({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    const client = await opened(server.settings());
    expect(problems).toEqual([expect.stringMatching(/expected maxmemory-policy noeviction, got allkeys-lru/)]);
    await server.killClients();
    await eventually('it is away', () => client.health().state === 'away');
    await eventually('it is back', () => client.health().state === 'ready');
    expect(problems).toHaveLength(1);
  });

  test('user and password are given; a wrong one is told, and never shown', async () => {
    const server = await start({ password: 'open-sesame' });
    const client = await opened(server.settings({ password: new Secret('open-sesame') }));
    expect(await client.run(COUNT, ['a', 1])).toBe(1);
    const stranger = open(server.settings({ user: 'default', password: new Secret('close-sesame') }));
    await eventually('it says why', () => stranger.health().problem?.startsWith('WRONGPASS'));
    const failure: unknown = await stranger.run(COUNT, ['a', 'close-sesame']).catch((error: unknown) => error);
    const refusing = script("return redis.error_reply('ERR no')", 0);
    const refused: unknown = await client.run(refusing, ['close-sesame']).catch((error: unknown) => error);
    expect(refused).toMatchObject({ message: expect.stringContaining('ERR no') });
    expect(inspect([failure, refused, stranger.health()], { depth: null, showHidden: true })).not.toContain(
      'close-sesame',
    );
  });

  test('a user without the rights that are needed: each is said loudly, and only once', async () => {
    const server = await start();
    await server.command('ACL', 'SETUSER', 'gateway', 'on', '>open', '~*', 'resetchannels', '+@all', '-evalsha');
    const client = await opened(server.settings({ user: 'gateway', password: new Secret('open') }));
    const changes: string[] = [];
    client.onChange(({ state }) => changes.push(state));
    keep(client.listen('news', () => {}));
    await eventually('that nobody may listen is said', () => problems.length === 1);
    // What is asked of it is answered all the same.
    expect([client.health().state, changes]).toEqual(['ready', []]);
    for (let i = 0; i < 3; i++) {
      await expect(client.run(COUNT, ['a', 1])).rejects.toMatchObject({ code: 'NOPERM', away: true });
    }
    await eventually('both are said', () => problems.length === 2);
    expect(problems.toSorted()).toEqual([
      expect.stringMatching(/refuses .* NOPERM .* channels/),
      expect.stringMatching(/refuses .* NOPERM .*'evalsha'/),
    ]);
  });

  test('closed while Redis is away, it tries no more', async () => {
    const server = await start();
    const client = await opened(server.settings());
    await server.kill();
    client[Symbol.dispose]();
    await expect(client.run(COUNT, ['a', 1])).rejects.toMatchObject({ name: 'RedisFailure' });
  });
});

test.each([
  ['redis_version:7.0.0\r\nmaxmemory_policy:noeviction\r\n', []],
  ['redis_version:10.2.1\r\n', []],
  ['redis_version:6.2.14\r\nmaxmemory_policy:noeviction\r\n', [/expected 7\.0 or newer, got 6\.2\.14/]],
  ['# Server\r\nredis_version:7.4.1\r\nmaxmemory_policy:volatile-ttl\r\n', [/noeviction, got volatile-ttl/]],
])('of a server that says %j an operator hears what is wrong with it', (info, expected) => {
  expect(serverProblems(info)).toEqual(expected.map((each) => expect.stringMatching(each)));
});
