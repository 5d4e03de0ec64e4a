import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MIGRATIONS } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/open-store.ts';
import { storeContract } from '../contracts/store-contract.ts';

storeContract('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-'));
  const file = join(directory, 'gateway.db');
  const store = await openStore({ file });
  const other = await openStore({ file });
  return {
    store,
    other,
    async close() {
      await store.close();
      await other.close();
      await rm(directory, { recursive: true });
    },
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

  test('a schema that only a newer release understands is refused in one clear line, and left alone', async () => {
    const newer = [
      ...MIGRATIONS,
      {
        version: MIGRATIONS.length + 1,
        oldestReader: MIGRATIONS.length + 1,
        statements: () => ['drop table settings'],
      },
    ];
    await (await openStore({ file, migrations: newer })).close();
    const before = await readFile(file);
    await expect(openStore({ file })).rejects.toMatchObject({
      name: 'GatewayError',
      code: 'store_unavailable',
      message: expect.stringMatching(
        /gateway\.db cannot be opened: its schema is version 2, .* knows up to 1: start the newer/,
      ),
    });
    expect(await readFile(file)).toEqual(before);
  });

  test('a newer schema that only added something still serves this release during a roll', async () => {
    const newer = [
      ...MIGRATIONS,
      {
        version: MIGRATIONS.length + 1,
        oldestReader: 1,
        statements: () => ['alter table teams add column motto text'],
      },
    ];
    await (await openStore({ file, migrations: newer })).close();
    const store = await openStore({ file });
    await store.teams.add({ id: 't', slug: 'acme', name: 'Acme', createdAt: 1, sealedDataKey: new Uint8Array([1]) });
    expect(await store.teams.list()).toHaveLength(1);
    await store.close();
  });

  test('a migration that fails half way leaves the schema as it was', async () => {
    await (await openStore({ file })).close();
    const broken = [
      ...MIGRATIONS,
      { version: 2, oldestReader: 1, statements: () => ['create table half (id text)', 'create nonsense'] },
    ];
    await expect(openStore({ file, migrations: broken })).rejects.toMatchObject({ code: 'store_unavailable' });
    const database = new DatabaseSync(file);
    expect(database.prepare("select name from sqlite_master where name = 'half'").all()).toEqual([]);
    database.close();
    await (await openStore({ file })).close();
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
