import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { eventually } from './eventually.ts';
import { findPostgres, makeCluster, type PostgresProgram } from './postgres-cluster.ts';
import { freePort } from './redis-server.ts';

/**
 * Starts the server, and ends it (an immediate shutdown, as after a crash) when a line comes, or when this process is gone,
 * however it went: then nothing holds the pipe open any more, and nobody needs the directory.
 */
const KEEPER = `directory=$1; shift; "$@" >/dev/null 2>&1 & child=$!; echo $child
if read -r _; then kill -QUIT $child; wait; else kill -QUIT $child; kill -CONT $child; wait; rm -rf "$directory"; fi 2>/dev/null`;

/** Nothing is lost by it but what a loss of power would take, and tests do not lose power. */
const HURRIED = ['fsync=off', 'full_page_writes=off'];

const SMALL = ['shared_buffers=16MB', 'max_connections=60', 'max_wal_size=64MB', 'logging_collector=off'];

export interface PostgresServerOptions {
  /** Flushes to the disk what it says is written, as an operator's does; without, it is much faster. */
  readonly isDurable?: boolean;
  /** More settings: `max_connections=5`. */
  readonly settings?: readonly string[];
  /** Takes TLS, and from outside of it nothing. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A PostgreSQL of the test's own, on a free port of this machine, in a directory that goes with it. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly directory: string;
  readonly #program: PostgresProgram;
  readonly #options: PostgresServerOptions;
  #keeper: ChildProcess | undefined;
  #pid = 0;
  #frozen: readonly number[] = [];

  private constructor(port: number, options: PostgresServerOptions) {
    this.port = port;
    this.#options = options;
    this.#program = findPostgres();
    this.directory = makeCluster(this.#program);
    if (options.tls !== undefined) this.#takeTlsOnly(options.tls);
  }

  static async start(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort(), options);
    try {
      await server.restart();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Of its first database, for what needs none of its own. */
  get url(): string {
    return this.urlOf('postgres');
  }

  /** @param port another way to the server, a proxy's */
  urlOf(database: string, port = this.port): string {
    return `postgres://gateway@127.0.0.1:${port}/${database}`;
  }

  /** Makes an empty database and answers its URL. */
  async freshDatabase(): Promise<string> {
    return await freshDatabase(this.url);
  }

  /** As `psql` would ask, on a connection of its own. */
  async query(text: string, database = 'postgres'): Promise<readonly Record<string, unknown>[]> {
    return await ask(this.urlOf(database), text, this.#options.tls !== undefined);
  }

  /** Ends every connection of others, as an operator's `pg_terminate_backend` does. */
  async terminateConnections(): Promise<void> {
    await this.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where pid <> pg_backend_pid() and backend_type = 'client backend'`);
  }

  /** Ends it as `pg_ctl stop -m immediate` does: what was committed is there again after `restart`. */
  async stop(): Promise<void> {
    this.thaw();
    const keeper = this.#keeper;
    this.#keeper = undefined;
    if (keeper === undefined) return;
    keeper.ref();
    const gone = once(keeper, 'exit');
    keeper.stdin?.end('end\n');
    await gone;
  }

  /** Ends it as the kernel does when memory is short; what it leaves behind, the next start clears away. */
  async kill(): Promise<void> {
    process.kill(this.#pid, 'SIGKILL');
    await this.stop();
  }

  /** Starts it on the port and the data that it always had; ends what runs there of it before. */
  async restart(): Promise<void> {
    await this.stop();
    // After a kill the processes of the old one hold its shared memory for a moment.
    await eventually('PostgreSQL answers', async () => {
      if (this.#keeper === undefined || !isAlive(this.#pid)) await this.#spawn();
      return this.query('select 1').then(
        () => true,
        () => false,
      );
    });
  }

  /** Takes the processor away from all of it: it accepts connections (the kernel does) and answers nothing. */
  async freeze(): Promise<void> {
    const client = await connected(this.url, this.#options.tls !== undefined);
    // First the one that starts others, then those that there are.
    process.kill(this.#pid, 'SIGSTOP');
    const { rows } = await client.query<{ pid: number }>(
      'select pid from pg_stat_activity order by pid = pg_backend_pid()',
    );
    this.#frozen = rows.map(({ pid }) => pid);
    for (const pid of this.#frozen) signal(pid, 'SIGSTOP');
    client.connection.stream.destroy();
  }

  thaw(): void {
    if (this.#frozen.length === 0) return;
    for (const pid of [...this.#frozen, this.#pid]) signal(pid, 'SIGCONT');
    this.#frozen = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #spawn(): Promise<void> {
    await this.stop();
    const { isDurable = false, settings = [] } = this.#options;
    const all = [...SMALL, ...(isDurable ? [] : HURRIED), ...settings, 'unix_socket_directories='];
    const command = [
      this.#program.postgres,
      '-D',
      join(this.directory, 'data'),
      '-p',
      String(this.port),
      '-h',
      '127.0.0.1',
    ];
    for (const setting of all) command.push('-c', setting);
    const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', this.directory, ...command], {
      ...this.#program.as,
      cwd: this.directory,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#keeper = keeper;
    const [line] = (await once(createInterface(keeper.stdout), 'line')) as [string];
    this.#pid = Number(line);
    // A test that forgets to end it must end all the same.
    for (const each of [keeper, keeper.stdin, keeper.stdout]) Reflect.get(each, 'unref')?.call(each);
  }

  #takeTlsOnly({ cert, key }: { cert: string; key: string }): void {
    const data = join(this.directory, 'data');
    writeFileSync(join(data, 'server.crt'), cert);
    // Root's are taken when the group may read and nobody else; here it is everybody's key anyway.
    const { uid, gid } = this.#program.as;
    const keyFile = join(data, 'server.key');
    writeFileSync(keyFile, key, { mode: 0o600 });
    if (uid !== undefined && gid !== undefined) chownSync(keyFile, uid, gid);
    writeFileSync(join(data, 'postgresql.auto.conf'), 'ssl = on\n');
    writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 trust\n');
  }
}

/** A PostgreSQL to use, not to break: that of `DATABASE_URL`, or one of the test's own. */
export interface SomePostgres extends AsyncDisposable {
  /** Makes an empty database, which goes with this, and answers its URL. */
  freshDatabase(): Promise<string>;
}

export async function somePostgres(): Promise<SomePostgres> {
  const given = process.env['DATABASE_URL'];
  if (given === undefined || given === '') return await PostgresServer.start();
  const made: string[] = [];
  return {
    freshDatabase: async () => {
      const url = await freshDatabase(given);
      made.push(url);
      return url;
    },
    [Symbol.asyncDispose]: async () => {
      for (const url of made)
        await ask(given, `drop database if exists ${new URL(url).pathname.slice(1)} with (force)`);
    },
  };
}

async function freshDatabase(server: string): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await ask(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}

async function ask(url: string, text: string, tls = false): Promise<readonly Record<string, unknown>[]> {
  const client = await connected(url, tls);
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function connected(url: string, tls: boolean): Promise<Client> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    ssl: tls ? { rejectUnauthorized: false } : false,
  });
  // Whoever breaks a server breaks this connection to it too.
  client.on('error', () => {});
  await client.connect();
  return client;
}

function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

/** False where the process is gone. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
