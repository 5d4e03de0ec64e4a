import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { systemClock } from '../../src/domain/clock.ts';
import type { SessionStore, Ticket } from '../../src/domain/session.ts';
import { RedisClient } from '../../src/redis/redis-client.ts';
import { redisSessions } from '../../src/redis/redis-sessions.ts';
import type { RedisSettings } from '../../src/redis/redis-settings.ts';
import { session, sessionStoreContract } from '../contracts/session-store-contract.ts';
import { eventually } from '../support/eventually.ts';
import { RedisServer, someRedis } from '../support/redis-server.ts';

let redis: Awaited<ReturnType<typeof someRedis>>;
beforeAll(async () => {
  redis = await someRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

async function opened(settings: RedisSettings): Promise<RedisClient> {
  const client = new RedisClient({ settings, clock: systemClock, onProblem: () => {} });
  await eventually('Redis is ready', () => client.health().state === 'ready');
  return client;
}

sessionStoreContract('Redis', async () => {
  const settings = { ...redis.settings, keyPrefix: `${redis.settings.keyPrefix}${randomBytes(4).toString('hex')}:` };
  const [client, other] = [await opened(settings), await opened(settings)];
  const raw = other.connect() as Redis;
  await once(raw, 'ready');
  return {
    store: redisSessions(client),
    other: redisSessions(other),
    held: async () =>
      (await Promise.all((await keysBelow(raw, other.keys.sessions)).map((key) => held(raw, key)))).flat(),
    cutOff: async () => client[Symbol.dispose](),
    close: async () => {
      const keys = await keysBelow(raw, settings.keyPrefix);
      if (keys.length > 0) await raw.del(...keys);
      raw.disconnect();
      client[Symbol.dispose]();
      other[Symbol.dispose]();
    },
  };
});

async function keysBelow(raw: Redis, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const keys of raw.scanStream({ match: `${prefix}*` })) found.push(...(keys as string[]));
  return [...new Set(found)];
}

/** What a thief reads out of one key, of its name too. */
async function held(raw: Redis, key: string): Promise<unknown[]> {
  const name = key
    .split(':')
    .slice(2)
    .filter((part) => part !== '');
  const fromName = key.includes('}:') ? name.slice(-1) : [];
  const isIndex = ['ends', 'seen', 'tickets'].includes(fromName[0] ?? '');
  const inName = isIndex ? [] : fromName;
  switch (await raw.type(key)) {
    case 'string':
      return [...inName, await raw.get(key)];
    case 'set':
      return [...inName, ...(await raw.smembers(key))];
    case 'zset':
      return [
        ...inName,
        ...(await raw.zrange(key, '0', '-1', 'WITHSCORES')).map((each) => each.replace(/^-(?=\d)/, '')),
      ];
    case 'hash': {
      const fields = await raw.hgetallBuffer(key);
      return [
        ...inName,
        ...Object.entries(fields).map(([field, value]) => (field === 'sealed' ? value : String(value))),
      ];
    }
    default:
      return [];
  }
}

describe('sessions on Redis', () => {
  const stack: (() => unknown)[] = [];

  afterEach(async () => {
    for (const end of stack.splice(0).reverse()) await end();
  });

  async function stage(
    options: Partial<RedisSettings> = {},
  ): Promise<{ server: RedisServer; store: SessionStore; client: RedisClient }> {
    const server = await RedisServer.start();
    stack.push(() => server[Symbol.asyncDispose]());
    const client = await opened(server.settings(options));
    stack.push(() => client[Symbol.dispose]());
    return { server, client, store: redisSessions(client) };
  }

  const ticket: Ticket = { digest: 'ticket', sessionDigest: 'digest-a', method: 'GET', target: '/v1', endsAt: 30_000 };
  const unavailable = { name: 'GatewayError', code: 'store_unavailable', retryAfterMs: 1_000 };
  const works = (store: SessionStore): Promise<boolean> =>
    store.list(1).then(
      () => true,
      () => false,
    );

  test('Redis is killed and starts empty: nobody is signed in any more, and people can sign in, without a restart', async () => {
    const { server, store } = await stage();
    await store.add(session('a'));
    await server.kill();
    await expect(store.find('digest-a')).rejects.toMatchObject(unavailable);
    await server.restart();
    await eventually('the store is back', () => works(store));
    expect(await store.find('digest-a')).toBeUndefined();
    await store.add(session('a'));
    expect(await store.find('digest-a')).toEqual(session('a'));
  });

  test('Redis is frozen: each question is answered with store_unavailable, and sessions are there again after it', async () => {
    const { server, store } = await stage({ commandMs: 100 });
    await store.add(session('a'));
    server.freeze();
    const asked = [store.find('digest-a'), store.touch(new Map([['digest-a', 5_000]])), store.list(1)];
    for (const each of asked) await expect(each).rejects.toMatchObject(unavailable);
    server.thaw();
    await eventually('the store is back', () => works(store));
    expect(await store.find('digest-a')).toMatchObject({ id: 'ses_a' });
  });

  test('Redis is flushed: every session is over, which is no failure', async () => {
    const { server, store } = await stage();
    await store.add(session('a'));
    await store.addTicket(ticket);
    await server.flush();
    expect(await store.find('digest-a')).toBeUndefined();
    expect(await store.takeTicket('ticket', 1)).toBeUndefined();
    expect(await store.end({ personId: 'per_1' })).toEqual([]);
  });

  test('Redis became a replica that takes no writes: nobody signs in or out unnoticed', async () => {
    const { server, store } = await stage();
    await store.add(session('a'));
    await server.readOnly(true);
    await expect(store.end({ digest: 'digest-a' })).rejects.toMatchObject(unavailable);
    await eventually('it is told of every write', () =>
      store.add(session('b')).then(
        () => false,
        (error: { code: string }) => error.code === 'store_unavailable',
      ),
    );
    await server.readOnly(false);
    await eventually('the store is back', () => works(store));
    expect(await store.end({ digest: 'digest-a' })).toEqual(['digest-a']);
  });

  test('Redis has no memory left: nobody signs in, those who are in stay in, and signing out works', async () => {
    const { server, store } = await stage();
    await store.add(session('a'));
    await store.addTicket(ticket);
    await server.outOfMemory(true);
    await expect(store.add(session('b'))).rejects.toMatchObject(unavailable);
    await expect(store.addTicket({ ...ticket, digest: 'other' })).rejects.toMatchObject(unavailable);
    expect(await store.find('digest-a')).toEqual(session('a'));
    expect(await store.takeTicket('ticket', 1)).toEqual(ticket);
    expect(await store.end({ personId: 'per_1' })).toEqual(['digest-a']);
    await server.outOfMemory(false);
    await store.add(session('b'));
    expect((await store.list(9)).map(({ id }) => id)).toEqual(['ses_b']);
  });

  test('scripts are flushed, connections killed: the next question is answered', async () => {
    const { server, store } = await stage();
    await store.add(session('a'));
    await server.command('SCRIPT', 'FLUSH');
    expect(await store.find('digest-a')).toEqual(session('a'));
    await server.killClients();
    await eventually('the store is back', () => works(store));
    expect(await store.find('digest-a')).toEqual(session('a'));
  });

  test('no gateway runs that sweeps: what ended goes by itself, an hour after its end and not before', async () => {
    const { server, store, client } = await stage();
    const now = Date.now();
    await store.add(session('past', { endsAt: 1 }));
    await store.add(session('short', { endsAt: now + 1_000 }));
    await store.add(session('long', { endsAt: now + 60_000 }));
    await store.addTicket({ ...ticket, sessionDigest: 'digest-long', endsAt: now + 5_000 });
    const root = client.keys.sessions;
    const goesIn = async (key: string): Promise<number> =>
      Number(await server.command('PEXPIRETIME', root + key)) - now;
    const hour = 3_600_000;
    expect(await goesIn('s:digest-past')).toBeGreaterThan(hour - 1_000);
    expect(await goesIn('s:digest-short')).toBe(hour + 1_000);
    expect(await goesIn('id:ses_short')).toBe(hour + 1_000);
    for (const key of ['s:digest-long', 'person:per_1', 'provider:provider-1', 'of:digest-long']) {
      expect([key, await goesIn(key)]).toEqual([key, hour + 60_000]);
    }
    expect(await goesIn('t:ticket')).toBe(hour + 5_000);
  });

  test('sessions that went by their expiry leave no trace in any index once somebody sweeps', async () => {
    const { server, store, client } = await stage();
    await store.add(session('a', { endsAt: 5_000 }));
    await store.add(session('b'));
    for (const key of ['s:digest-a', 'id:ses_a']) await server.command('DEL', client.keys.sessions + key);
    expect((await store.list(9)).map(({ id }) => id)).toEqual(['ses_b']);
    expect((await store.listByPerson('per_1')).map(({ id }) => id)).toEqual(['ses_b']);
    expect(await store.sweep(6_000, 0)).toBe(0);
    expect(await server.command('ZCARD', `${client.keys.sessions}ends`)).toBe(1);
    expect(await server.command('ZCARD', `${client.keys.sessions}seen`)).toBe(1);
    expect(await store.end({ personId: 'per_1' })).toEqual(['digest-b']);
    expect(await server.command('EXISTS', `${client.keys.sessions}person:per_1`)).toBe(0);
  });

  test('a thousand sessions that ended are swept in steps, and all are gone', async () => {
    const { store } = await stage();
    // Not all at once: the last of a thousand in a row may be told that Redis does not answer in time.
    for (let from = 0; from < 1_000; from += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, n) => store.add(session(String(from + n), { endsAt: 5_000 + (n % 2) }))),
      );
    }
    const touched = Array.from({ length: 1_000 }, (_, n): [string, number] => [`digest-${n}`, 9_000]);
    await store.touch(new Map(touched));
    expect((await store.list(2_000)).filter(({ lastSeenAt }) => lastSeenAt === 9_000)).toHaveLength(1_000);
    expect(await store.sweep(5_001, 0)).toBe(500);
    expect(await store.sweep(1, 9_001)).toBe(500);
    expect(await store.list(1)).toEqual([]);
  });

  test('what Redis does not understand is a mistake of ours, and not told as a failure of the store', async () => {
    const { server, store, client } = await stage();
    await server.command('SET', `${client.keys.sessions}s:digest-a`, 'not a hash');
    await expect(store.find('digest-a')).rejects.toMatchObject({ name: 'RedisFailure', code: 'WRONGTYPE' });
  });
});
