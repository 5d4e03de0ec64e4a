import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import type { RedisSettings } from '../../src/redis/redis-settings.ts';
import { findProgram } from '../tools/find-program.ts';
import { REDIS_SERVER } from '../tools/tools.ts';
import { eventually } from './eventually.ts';

/** Starts the server and ends it when this process is gone, however it went: then nothing holds the pipe open any more. */
const KEEPER = '"$@" >/dev/null 2>&1 & child=$!; echo $child; cat >/dev/null; kill -9 $child 2>/dev/null; wait';

/** For one question, answered now or not at all. */
const ONCE = {
  lazyConnect: true,
  retryStrategy: null,
  connectTimeout: 1_000,
  commandTimeout: 5_000,
  disconnectTimeout: 10,
};

export interface RedisServerOptions {
  /** More of the command line: `--maxmemory-policy`, `allkeys-lru`. */
  readonly args?: readonly string[];
  readonly password?: string;
  /** A sentinel with this configuration, instead of a server. */
  readonly sentinel?: string;
}

/**
 * A Redis of the test's own, on a free port of this machine, in a directory that goes with it. It keeps nothing: started
 * again, it is empty.
 */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly directory: string;
  readonly #options: RedisServerOptions;
  #keeper: ChildProcess | undefined;
  #pid = 0;

  private constructor(port: number, options: RedisServerOptions) {
    this.port = port;
    this.#options = options;
    this.directory = mkdtempSync(join(tmpdir(), 'redis-'));
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    try {
      await server.restart();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** How to reach it, directly or through another port of this machine. */
  settings(change: Partial<RedisSettings> & { port?: number } = {}): RedisSettings {
    const { port = this.port, ...rest } = change;
    return { ...settingsFor('127.0.0.1', port, 'test:'), ...rest };
  }

  /** As `redis-cli` would ask, on a connection of its own; answers are text. */
  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    const { password } = this.#options;
    const client = new Redis(this.port, { ...ONCE, ...(password === undefined ? {} : { password }) });
    client.on('error', () => {});
    try {
      return await client.call(name, args);
    } finally {
      client.disconnect();
    }
  }

  /** Ends it as a crash would, and comes back when it is gone. */
  async kill(): Promise<void> {
    const keeper = this.#keeper;
    this.#keeper = undefined;
    if (keeper === undefined) return;
    keeper.ref();
    const gone = once(keeper, 'exit');
    keeper.ref();
    keeper.stdin?.end();
    await gone;
  }

  /** Starts it, empty, on the port that it always had; ends what runs there of it before. */
  async restart(): Promise<void> {
    await this.kill();
    const program = findProgram(REDIS_SERVER);
    if (program === undefined) throw new Error('redis-server is missing: npm run tools');
    const { args = [], password, sentinel } = this.#options;
    const command = [program, '--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory];
    if (password !== undefined) command.push('--requirepass', password);
    if (sentinel === undefined) command.push('--save', '', '--appendonly', 'no', ...args);
    else command.splice(1, Number.POSITIVE_INFINITY, this.#write(sentinel), '--sentinel');
    const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#keeper = keeper;
    const lines = createInterface(keeper.stdout);
    const [line] = (await once(lines, 'line')) as [string];
    this.#pid = Number(line);
    // A test that forgets to end it must end all the same.
    for (const each of [keeper, keeper.stdin, keeper.stdout]) Reflect.get(each, 'unref')?.call(each);
    await eventually('Redis answers', () =>
      this.command('PING').then(
        (answer) => answer === 'PONG',
        () => false,
      ),
    );
  }

  /** Takes the processor away from it: it accepts connections and answers nothing. */
  freeze(): void {
    process.kill(this.#pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.#pid, 'SIGCONT');
  }

  async flush(): Promise<void> {
    await this.command('FLUSHALL');
  }

  async configure(setting: string, value: string | number): Promise<void> {
    await this.command('CONFIG', 'SET', setting, value);
  }

  /** Makes it a replica that takes no writes (its master is nowhere), or a master again. */
  async readOnly(isReadOnly: boolean): Promise<void> {
    await this.command('REPLICAOF', ...(isReadOnly ? ['127.0.0.1', 1] : ['NO', 'ONE']));
  }

  /** Lets every write that needs memory fail, or none. */
  async outOfMemory(isOut: boolean): Promise<void> {
    await this.configure('maxmemory', isOut ? 1 : 0);
  }

  async killClients(): Promise<void> {
    await this.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await this.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #write(configuration: string): string {
    const file = join(this.directory, 'sentinel.conf');
    writeFileSync(file, `port ${this.port}\nbind 127.0.0.1\ndir ${this.directory}\n${configuration}\n`);
    return file;
  }
}

/** A Redis to use, not to break: that of `REDIS_URL` under a prefix of this run, or one of the test's own. */
export async function someRedis(): Promise<AsyncDisposable & { readonly settings: RedisSettings }> {
  const given = process.env['REDIS_URL'];
  if (given === undefined || given === '') {
    const server = await RedisServer.start();
    return { settings: server.settings(), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }
  const { hostname, port } = new URL(given);
  const settings = settingsFor(hostname, Number(port || 6_379), `test-${randomBytes(6).toString('hex')}:`);
  return { settings, [Symbol.asyncDispose]: async () => {} };
}

function settingsFor(host: string, port: number, keyPrefix: string): RedisSettings {
  return {
    at: { kind: 'server', host, port },
    db: 0,
    user: undefined,
    password: undefined,
    tls: undefined,
    keyPrefix,
    commandMs: 500,
    connectMs: 1_000,
  };
}

/** A port that is free now, for programs that cannot take port 0 and tell which they got. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
