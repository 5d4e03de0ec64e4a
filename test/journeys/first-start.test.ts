import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { failedStart, type GatewayProcess, spawnGateway } from '../support/gateway-process.ts';

const sh = promisify(execFile);

let directory: string;
let first: GatewayProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'first-start-'));
  first = await spawnGateway(directory, { GATEWAY_LOG_LEVEL: 'warn' });
});
afterAll(async () => {
  await first[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

/** Whether a process runs; one that ended and was not waited for does not. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const mode = async (file: string): Promise<number> => (await stat(join(directory, 'data', file))).mode & 0o777;

describe('a first start with nothing configured', () => {
  test('It prints exactly one token, in a call that works as it is printed', async () => {
    expect(`${first.stdout()}${first.stderr()}`.match(/mgw_/g)).toHaveLength(1);
    const curl = /^ +(curl .*)$/m.exec(first.stdout())?.[1] as string;
    const { stdout } = await sh('sh', ['-c', `${curl} --silent --show-error`]);
    const answer = JSON.parse(stdout) as { data: { id: string }[]; nextPage?: string };
    expect(answer.data).toHaveLength(3);
    expect(answer.nextPage).toBeDefined();
  });

  test('Only this account can read what it keeps', async () => {
    expect(await mode('.')).toBe(0o700);
    expect(await mode('master.key')).toBe(0o600);
    expect(await mode('gateway.sock')).toBe(0o600);
  });

  test('It is on loopback, with health on a door of its own', async () => {
    expect((await fetch(`${first.privateUrl}/readyz`)).status).toBe(200);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(404);
  });

  test('The second start prints no token, and the first one’s works on', async () => {
    const token = /mgw_\w+/.exec(first.stdout())?.[0] as string;
    expect(await first.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    first = await spawnGateway(directory, { GATEWAY_LOG_LEVEL: 'warn' });
    expect(`${first.stdout()}${first.stderr()}`).not.toContain('mgw_');
    const answer = await fetch(`${first.url}/v1/default/device?limit=1`, {
      headers: { authorization: `basic ${token}` },
    });
    expect(answer.status).toBe(200);
  });
});

describe('a start that cannot be', () => {
  test('Each says in one line what is wrong and what to do, and ends with 1', async () => {
    await using taken = createServer();
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    const port = String((taken.address() as AddressInfo).port);
    const place = async (name: string): Promise<string> => {
      const path = join(directory, name);
      await mkdir(path);
      return path;
    };
    const copy = async (name: string): Promise<string> => {
      const path = await place(name);
      await mkdir(join(path, 'data'));
      for (const file of ['gateway.db', 'gateway.db-wal', 'master.key']) {
        await cp(join(directory, 'data', file), join(path, 'data', file)).catch(() => undefined);
      }
      return path;
    };
    await writeFile(join(directory, 'a-file'), '');
    const otherKey = await copy('other-key');
    await writeFile(
      join(otherKey, 'data/master.key'),
      `${Buffer.from(Array.from({ length: 32 }, (_, at) => at * 5 + 7)).toString('base64')}\n`,
      { mode: 0o600 },
    );
    const noKey = await copy('no-key');
    await rm(join(noKey, 'data/master.key'));
    const openKey = await copy('open-key');
    await chmod(join(openKey, 'data/master.key'), 0o644);
    const bad = await place('bad-config');
    await writeFile(join(bad, 'gateway.yaml'), 'listen: { headersMs: 1, hots: a }\n');

    const file = join(directory, 'a-file');
    const starts: [what: string, cwd: string, env: Record<string, string>, words: RegExp][] = [
      [
        'a',
        await place('a'),
        { GATEWAY_PORT: port },
        /GATEWAY_PORT: port \d+ on 127\.0\.0\.1 is taken; .*set GATEWAY_PORT/,
      ],
      [
        'b',
        await place('b'),
        { GATEWAY_PRIVATE_PORT: port },
        /GATEWAY_PRIVATE_PORT: port \d+ on 127\.0\.0\.1 is taken/,
      ],
      ['c', await place('c'), { SIMULATOR_PORT: port }, /SIMULATOR_PORT: port \d+ is taken/],
      [
        'd',
        await place('d'),
        { GATEWAY_DATA_DIR: join(file, 'data') },
        /GATEWAY_DATA_DIR: cannot make the directory .*ENOTDIR/,
      ],
      ['e', await place('e'), { GATEWAY_DATA_DIR: file }, /GATEWAY_DATA_DIR: cannot make the directory .*EEXIST/],
      ['f', await place('f'), { GATEWAY_HOST: '192.0.2.1' }, /GATEWAY_PORT: cannot listen on 192\.0\.2\.1/],
      ['g', await place('g'), { MASON_BASE_URL: 'http://api.bymason.com' }, /MASON_BASE_URL .*in the clear/],
      ['h', await place('h'), { GATEWAY_CONFIG: 'none.yaml' }, /none\.yaml: expected a readable file/],
      ['another gateway runs', directory, {}, /a gateway runs on .* already/],
      ['another master key', otherKey, {}, /master key/i],
      ['no master key', noKey, {}, /master key/i],
      ['a master key that all can read', openKey, {}, /master key/i],
    ];
    const wrong: unknown[] = [];
    const startNext = async (): Promise<void> => {
      for (let next = starts.pop(); next !== undefined; next = starts.pop()) {
        const [what, cwd, env, words] = next;
        const { code, stdout, stderr } = await failedStart(cwd, env);
        const isOneLine = /^mason-gateway: [^\n]+\n$/.test(stderr) && words.test(stderr);
        if (code !== 1 || !isOneLine || /mgw_|\bat \S+\.ts/.test(stdout + stderr))
          wrong.push([what, code, stdout, stderr]);
      }
    };
    // Not all at once: each is a process that loads everything.
    await Promise.all([startNext(), startNext(), startNext()]);
    expect(wrong).toEqual([]);
    const { code, stderr } = await failedStart(bad, { GATEWAY_CONFIG: 'gateway.yaml' });
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^mason-gateway: gateway\.yaml: listen\.headersMs: .*got 1$/),
      expect.stringMatching(/^mason-gateway: gateway\.yaml: listen: .*"hots"$/),
    ]);
  }, 60_000);
});

describe('a log that nobody reads any more', () => {
  test('The gateway goes on, and ends when it is told to', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'no-reader-'));
    // A real pipe: what `spawn` makes are sockets, which fail otherwise.
    const main = join(import.meta.dirname, '../../src/main.ts');
    const { stdout } = await sh(
      'sh',
      ['-c', `("${process.execPath}" "${main}" 2>/dev/null & echo $! >&3) 3>pid | head -n 1; cat pid`],
      { cwd, env: { GATEWAY_PORT: '0', GATEWAY_PRIVATE_PORT: '0', SIMULATOR_PORT: '0' } },
    );
    const pid = Number(stdout.trim().split('\n').at(-1));
    await eventually('it can be asked', () => stat(join(cwd, 'data/gateway.sock')).catch(() => undefined));
    process.kill(pid, 'SIGTERM');
    await eventually('it has ended', () => (isAlive(pid) ? undefined : true));
    await rm(cwd, { recursive: true });
  });

  test('A second gateway on one directory is refused before it writes anything on record', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'second-'));
    const gateway = await spawnGateway(cwd);
    const segments = () => readdir(join(cwd, 'data/audit'));
    const before = (await segments()).filter((name) => name.endsWith('.db'));
    expect(await failedStart(cwd)).toMatchObject({ code: 1 });
    expect((await segments()).filter((name) => name.endsWith('.db'))).toEqual(before);
    await gateway.end('SIGTERM');
    await rm(cwd, { recursive: true });
  });
});
