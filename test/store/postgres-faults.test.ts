import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { WRITE_LOCK } from '../../src/store/postgres/postgres-dialect.ts';
import type { PostgresSettings } from '../../src/store/postgres/postgres-settings.ts';
import { session } from '../contracts/session-store-contract.ts';
import { eventually } from '../support/eventually.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { SELF_SIGNED } from '../support/raw-certificate.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { TransactionPooler } from '../support/transaction-pooler.ts';
import { settingsOf } from './postgres-pairs.ts';

let server: PostgresServer;
let url: string;
let store: Store;

const open = (change: Partial<PostgresSettings> = {}, busyMsMax = 5_000): Promise<Store> =>
  openStore({ kind: 'postgres', server: settingsOf(url, change), busyMsMax });

const UNAVAILABLE = { name: 'GatewayError', code: 'store_unavailable', retryAfterMs: 1_000 };

/** More at once than there are connections. */
const readsOf = (from: Store): Promise<unknown>[] => Array.from({ length: 20 }, () => from.sessions.find('digest-a'));

async function expectAllRefused(asked: readonly Promise<unknown>[], cause?: string): Promise<void> {
  for (const answer of await Promise.allSettled(asked)) {
    expect(answer).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
    if (cause !== undefined)
      expect(answer).toMatchObject({ reason: { cause: { message: expect.stringContaining(cause) } } });
  }
}

const serves = (from: Store): Promise<boolean> =>
  from.sessions.find('digest-a').then(
    (found) => found !== undefined,
    () => false,
  );

beforeAll(async () => {
  server = await PostgresServer.start();
  url = await server.freshDatabase();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe('A PostgreSQL that fails, under a gateway that goes on', () => {
  beforeEach(async () => {
    store = await open();
    await store.sessions.end({ digest: 'digest-a' });
    await store.sessions.add(session('a'));
  });

  afterEach(async () => {
    await store.close();
  });

  test('connections that an operator ends are made anew, whether they were idle, busy or in a transaction', async () => {
    await Promise.all(readsOf(store));
    await using other = await open();
    const busy = [
      ...readsOf(store),
      other.settings.set('a', 'b'),
      other.sessions.touch(new Map([['digest-a', 2_000]])),
    ];
    await server.terminateConnections();
    for (const answer of await Promise.allSettled(busy)) {
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject(UNAVAILABLE);
    }
    await eventually('the store serves again', () => serves(store));
    await eventually('changes go through again', () =>
      other.settings.set('a', 'c').then(
        () => true,
        () => false,
      ),
    );
  });

  test.each(['stop', 'kill'] as const)(
    'a server that ends at once (%s) is told of, and used again when it is back',
    async (how) => {
      await Promise.all(readsOf(store));
      await server[how]();
      await expectAllRefused([...readsOf(store), store.settings.set('a', 'b'), store.revision(), store.people.list()]);
      await server.restart();
      await eventually('the store serves again', () => serves(store));
      await store.settings.set('a', 'b');
    },
  );

  test('behind a frozen server everybody who waits hears within a second; what was given up is not done later', async () => {
    await Promise.all(readsOf(store));
    await server.freeze();
    const asked = [
      ...readsOf(store),
      store.revision(),
      store.sessions.end({ digest: 'digest-a' }),
      store.links.take('x', 1),
    ];
    await expectAllRefused(asked, 'did not answer within 800 ms');
    server.thaw();
    await eventually('the store serves again', () => serves(store));
    await store.settings.set('behind', 'all of them');
    expect(await store.sessions.find('digest-a')).toEqual(session('a'));
  });

  test('a host that vanished with all its connections is not waited for: others are made once there is one again', async () => {
    await using way = await TcpProxy.before(server.port);
    await using far = await open({ port: way.port, connectMs: 300 }, 300);
    await Promise.all(readsOf(far));
    way.isDeaf = true;
    await expectAllRefused(readsOf(far));
    await expect(far.settings.set('a', 'b')).rejects.toMatchObject(UNAVAILABLE);
    way.isDeaf = false;
    // What was asked before is never answered on the connections it was asked on.
    await eventually('the store serves again', () => serves(far));
    await eventually('and changes', () =>
      far.settings.set('a', 'c').then(
        () => true,
        () => false,
      ),
    );
  });

  test('while another gateway’s change goes on and on, reads go on, and changes give up in time', async () => {
    await using patient = await open({}, 300);
    const database = new URL(url).pathname.slice(1);
    const rude = server.query(`begin; select pg_advisory_xact_lock(${WRITE_LOCK}); select pg_sleep(1.2)`, database);
    await eventually('the lock is held', async () => {
      const held = await server.query("select 1 from pg_locks where locktype = 'advisory' and granted", database);
      return held.length > 0;
    });
    // More than there are connections.
    const changes = Array.from({ length: 10 }, () => patient.settings.set('a', 'late'));
    const firstToGiveUp = Promise.race(changes).catch(() => 'a change gave up before the read was answered');
    expect(await Promise.race([patient.sessions.find('digest-a'), firstToGiveUp])).toEqual(session('a'));
    await expectAllRefused(changes);
    await rude;
    await patient.settings.set('a', 'd');
    expect(await patient.settings.get('a')).toBe('d');
  });
});

describe('A PostgreSQL that cannot be opened', () => {
  test.each([
    [
      'a database that is not there',
      { database: 'nowhere' },
      /nowhere of 127\.0\.0\.1:\d+ cannot be opened: .*does not exist/,
    ],
    ['a user that is not there', { user: 'nobody' }, /cannot be opened: .*"nobody" does not exist/],
    ['nobody who listens', { port: 1 }, /of 127\.0\.0\.1:1 cannot be opened: .*ECONNREFUSED/],
    ['no TLS where it is wanted', { tls: {} }, /cannot be opened: .*SSL/],
  ])('%s is told in one line', async (_what, change, message) => {
    await expect(open(change)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(message),
    });
  });

  test('a pooler that lends connections by the transaction is told of: it would take locks and settings elsewhere', async () => {
    await using pooler = await TransactionPooler.before(server.port, 'gateway', new URL(url).pathname.slice(1));
    await expect(open({ port: pooler.port })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/cannot be opened: a pooler lends .+ give the address of PostgreSQL itself/),
    });
  });

  test('over TLS it talks to whom it can believe, and to nobody else', async () => {
    await using secure = await PostgresServer.start({ tls: SELF_SIGNED });
    const at = { ...settingsOf(secure.url), host: 'localhost' };
    await using trusting = await openStore({ kind: 'postgres', server: { ...at, tls: { ca: SELF_SIGNED.cert } } });
    await trusting.settings.set('a', 'b');
    await expect(openStore({ kind: 'postgres', server: { ...at, tls: {} } })).rejects.toThrow(
      /self-signed certificate/,
    );
    await expect(openStore({ kind: 'postgres', server: at })).rejects.toThrow(/cannot be opened/);
  });

  test('what callers hear of a failure names no server and no value', async () => {
    await using broken = await open();
    const database = new URL(url).pathname.slice(1);
    await server.query('alter table tokens rename to elsewhere', database);
    const failure = await broken.tokens.findGrant('the-digest').catch((error: unknown) => error);
    await server.query('alter table elsewhere rename to tokens', database);
    expect(failure).toMatchObject({
      code: 'store_unavailable',
      message: expect.not.stringMatching(/token|127|digest/),
    });
    expect(await broken.tokens.findGrant('the-digest')).toBeUndefined();
  });
});
