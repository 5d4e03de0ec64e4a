import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MIGRATIONS } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/open-store.ts';
import { migrationsContract } from '../contracts/migrations-contract.ts';
import { peopleContract } from '../contracts/people-contract.ts';
import { recordKeepingContract } from '../contracts/record-keeping-contract.ts';
import { session, sessionStoreContract } from '../contracts/session-store-contract.ts';
import { type StorePair, storeContract } from '../contracts/store-contract.ts';
import { usageContract } from '../contracts/usage-contract.ts';

async function openPair(): Promise<StorePair & { readonly file: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'store-'));
  const file = join(directory, 'gateway.db');
  const store = await openStore({ file });
  const other = await openStore({ file });
  return {
    store,
    other,
    file,
    async close() {
      await store.close();
      await other.close();
      await rm(directory, { recursive: true });
    },
  };
}

storeContract('SQLite', openPair);
peopleContract('SQLite', openPair);
usageContract('SQLite', openPair);
recordKeepingContract('SQLite', openPair);
sessionStoreContract('SQLite', async () => {
  const { store, other, file, close } = await openPair();
  return {
    store: store.sessions,
    other: other.sessions,
    async held() {
      const thief = new DatabaseSync(file, { readOnly: true });
      const rows = ['sessions', 'tickets'].flatMap((table) => thief.prepare(`select * from ${table}`).all());
      thief.close();
      return rows.flatMap((row) => Object.values(row));
    },
    cutOff: () => store.close(),
    close,
  };
});

migrationsContract('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-'));
  const file = join(directory, 'gateway.db');
  return {
    open: (migrations) => openStore({ file, migrations }),
    kept: () => readFile(file),
    close: () => rm(directory, { recursive: true }),
  };
});

describe('the SQLite file', () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'store-'));
    file = join(directory, 'gateway.db');
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  test('is nobody else’s to read, with its log beside it', async () => {
    const store = await openStore({ file });
    await store.settings.set('a', 'b');
    for (const name of ['gateway.db', 'gateway.db-wal', 'gateway.db-shm']) {
      expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    }
    await store.close();
  });

  test('keeps what it had over a restart', async () => {
    const store = await openStore({ file });
    await store.settings.set('instance', 'x');
    await store.close();
    const again = await openStore({ file });
    expect(await again.settings.get('instance')).toBe('x');
    await again.close();
  });

  test('of four gateways that start at once on an empty directory, all start', async () => {
    const program = `
      import { openStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/open-store.ts'))};
      const store = await openStore({ file: ${JSON.stringify(file)} });
      process.stdout.write(await store.settings.setIfAbsent('instance', String(process.pid)));
      await store.close();`;
    const seen = await Promise.all(
      Array.from({ length: 4 }, () =>
        promisify(execFile)(process.execPath, [
          '--disable-warning=ExperimentalWarning',
          '--input-type=module',
          '--eval',
          program,
        ]),
      ),
    );
    expect(new Set(seen.map(({ stdout }) => stdout)).size).toBe(1);
    expect(seen.map(({ stderr }) => stderr)).toEqual(['', '', '', '']);
  });

  test('a file that is no database is refused by name', async () => {
    await writeFile(file, 'this is not a database, whatever its name says, and it goes on for a while'.repeat(40));
    await expect(openStore({ file })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining(file),
    });
  });

  test('a directory that is not there is refused by name', async () => {
    await expect(openStore({ file: join(directory, 'absent', 'gateway.db') })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('absent'),
    });
  });

  test('while another process holds the write lock, reads go on, and a change gives up in time', async () => {
    const store = await openStore({ file, busyMsMax: 200 });
    const rude = new DatabaseSync(file);
    rude.exec('begin immediate');
    const change = store.settings.set('a', 'b');
    const failed = expect(change).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await Promise.race([store.revision(), failed.then(() => 'the change gave up first')])).toBe(0);
    await failed;
    rude.exec('rollback');
    await store.settings.set('a', 'c');
    expect(await store.settings.get('a')).toBe('c');
    rude.close();
    await store.close();
  });

  test('a database of the release before comes up with everything it had, and the release before still runs on it', async () => {
    await (await openStore({ file, migrations: MIGRATIONS.slice(0, 1) })).close();
    const before = new DatabaseSync(file);
    before.exec(`
      insert into teams values ('team_1', 'acme', 'Acme', 1, x'00ff');
      insert into apps values ('app_1', 'team_1', 'dashboard', 1, 2);
      insert into budgets values ('budget_1', 'main', 5, 1000, null, 3);
      insert into mason_keys values
        ('key_1', 'team_1', 'main', 'https://mason', '["fleet:read"]', 'budget_1', 'fp', 'abcd', x'01', 4, 5);
      insert into settings values ('instance', 'x');
      update revision set value = 7;`);
    const rows = (): object[] =>
      ['teams', 'apps', 'budgets', 'settings', 'revision'].map((table) =>
        before.prepare(`select * from ${table}`).all(),
      );
    const had = rows();
    const store = await openStore({ file });
    // New columns aside.
    expect(rows()).toMatchObject(had);
    expect(await store.keys.list()).toMatchObject([{ id: 'key_1', sealed: new Uint8Array([1]), previous: undefined }]);
    expect(await store.keys.rotate('key_1', { fingerprint: 'fp-2', last4: '', sealed: new Uint8Array([2]) }, 9)).toBe(
      true,
    );
    await store.sessions.add(session('a'));
    // As the release before writes, which names its own columns only.
    before.exec(`insert into mason_keys
      (id, team_id, name, origin, scopes, budget_id, fingerprint, last4, sealed, created_at)
      values ('key_2', 'team_1', 'second', 'https://mason', '[]', 'budget_1', 'fp-3', '', x'03', 6)`);
    before.close();
    expect((await store.keys.list()).map(({ name, previous }) => [name, previous?.fingerprint])).toEqual([
      ['main', 'fp'],
      ['second', undefined],
    ]);
    await (await openStore({ file, migrations: MIGRATIONS.slice(0, 1) })).close();
    await store.close();
  });

  test('behind a locked database, browsers hear of it long before changes give up, however many wait; and nothing happens later', async () => {
    const store = await openStore({ file, busyMsMax: 4_000 });
    await store.sessions.add(session('a'));
    const rude = new DatabaseSync(file);
    rude.exec('begin immediate');
    let gaveUp = false;
    const change = store.settings.set('a', 'b').catch(() => {
      gaveUp = true;
    });
    const asked = [
      ...Array.from({ length: 20 }, (_, n) => store.sessions.add(session(`late-${n}`))),
      store.sessions.end({ digest: 'digest-a' }),
      store.sessions.touch(new Map([['digest-a', 9_000]])),
      store.links.take('x', 1),
      store.people.signIn({ id: 'per_1', issuer: 'i', subject: 's', name: 'n', grants: [], at: 1 }),
    ];
    expect(await store.sessions.find('digest-a')).toEqual(session('a'));
    const answers = await Promise.allSettled(asked);
    expect(gaveUp).toBe(false);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable', retryAfterMs: 1_000 } });
    }
    rude.exec('rollback');
    rude.close();
    await change;
    expect(gaveUp).toBe(false);
    await store.settings.set('behind', 'all of them');
    expect(await store.sessions.list(100)).toEqual([session('a')]);
    expect(await store.people.list()).toEqual([]);
    await store.close();
  });

  test('browsers that gave up behind a locked database hold nobody up who comes after them', async () => {
    const store = await openStore({ file, busyMsMax: 300 });
    const yardstick = await openStore({ file, busyMsMax: 300 });
    const rude = new DatabaseSync(file);
    rude.exec('begin immediate');
    const settled: string[] = [];
    const note = (what: string) => () => settled.push(what);
    const browsers = Array.from({ length: 20 }, () => store.sessions.end({ digest: 'x' }).catch(() => undefined));
    const change = store.settings.set('a', 'b').catch(note('a change behind twenty browsers'));
    const tenChanges = Array.from({ length: 10 }, (_, n) => yardstick.settings.set('a', String(n)));
    const ten = Promise.allSettled(tenChanges).then(note('ten changes, each waiting its time'));
    await Promise.race([change, ten]);
    expect(settled).toEqual(['a change behind twenty browsers']);
    rude.exec('rollback');
    rude.close();
    await Promise.all([...browsers, ten]);
    await store.close();
    await yardstick.close();
  });

  test('a store that was broken serves again without a restart once it is whole', async () => {
    const store = await openStore({ file });
    await store.sessions.add(session('a'));
    const surgeon = new DatabaseSync(file);
    surgeon.exec('alter table sessions rename to elsewhere');
    await expect(store.sessions.find('digest-a')).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(store.sessions.end({ digest: 'digest-a' })).rejects.toMatchObject({ code: 'store_unavailable' });
    surgeon.exec('alter table elsewhere rename to sessions');
    expect(await store.sessions.find('digest-a')).toEqual(session('a'));
    expect(await store.sessions.end({ digest: 'digest-a' })).toEqual(['digest-a']);
    surgeon.close();
    await store.close();
  });

  test('what callers hear of a failure names no file and no value', async () => {
    const store = await openStore({ file });
    const vandal = new DatabaseSync(file);
    vandal.exec('drop table tokens');
    vandal.close();
    const failure = await store.tokens.findGrant('the-digest').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'store_unavailable', message: expect.not.stringContaining('token') });
    expect(String(failure)).not.toContain(directory);
    await store.close();
  });
});
