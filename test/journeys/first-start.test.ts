import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type End, failedStart, type GatewayProcess, spawnGateway } from '../support/gateway-process.ts';

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
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
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
      `${Buffer.alloc(32, 7)
        .map((byte, at) => byte + at * 5)
        .toString('base64')}\n`,
      { mode: 0o600 },
    );
    const noKey = await copy('no-key');
    await rm(join(noKey, 'data/master.key'));
    const openKey = await copy('open-key');
    await chmod(join(openKey, 'data/master.key'), 0o644);
    const bad = await place('bad-config');
    await writeFile(join(bad, 'gateway.yaml'), 'listen: { port: 99999, hots: a }\n');

    const starts: readonly (readonly [string, Promise<End>, RegExp])[] = [
      [
        'public port',
        failedStart(await place('a'), { GATEWAY_PORT: port }),
        /^mason-gateway: GATEWAY_PORT: port \d+ on 127\.0\.0\.1 is taken/,
      ],
      [
        'private port',
        failedStart(await place('b'), { GATEWAY_PRIVATE_PORT: port }),
        /^mason-gateway: GATEWAY_PRIVATE_PORT: port \d+ .*taken/,
      ],
      [
        'simulator port',
        failedStart(await place('c'), { SIMULATOR_PORT: port }),
        /^mason-gateway: SIMULATOR_PORT: port \d+ is taken/,
      ],
      [
        'data directory',
        failedStart(await place('d'), { GATEWAY_DATA_DIR: join(directory, 'a-file', 'data') }),
        /^mason-gateway: GATEWAY_DATA_DIR: cannot make the directory .*ENOTDIR/,
      ],
      [
        'a file as data directory',
        failedStart(await place('e'), { GATEWAY_DATA_DIR: join(directory, 'a-file') }),
        /^mason-gateway: GATEWAY_DATA_DIR: .*EEXIST/,
      ],
      ['another gateway', failedStart(directory), /^mason-gateway: .*another gateway/],
      ['another master key', failedStart(otherKey), /^mason-gateway: .*master key/i],
      ['no master key', failedStart(noKey), /^mason-gateway: .*master key/i],
      ['a master key for all to read', failedStart(openKey), /^mason-gateway: .*master key/i],
      [
        'an address that is none',
        failedStart(await place('f'), { GATEWAY_HOST: '192.0.2.1' }),
        /^mason-gateway: GATEWAY_PORT: cannot listen on 192\.0\.2\.1/,
      ],
      [
        'Mason in the clear',
        failedStart(await place('g'), { MASON_BASE_URL: 'http://api.bymason.com' }),
        /^mason-gateway: MASON_BASE_URL .*in the clear/,
      ],
      [
        'no such file',
        failedStart(await place('h'), { GATEWAY_CONFIG: 'none.yaml' }),
        /^mason-gateway: none\.yaml: expected a readable file/,
      ],
    ];
    const told = await Promise.all(starts.map(async ([what, end, words]) => [what, await end, words] as const));
    const wrong = told.filter(([, { code, stderr, stdout }, words]) => {
      const lines = stderr.trimEnd().split('\n');
      return code !== 1 || lines.length !== 1 || !words.test(stderr) || /mgw_|\bat \S+\.ts/.test(stdout + stderr);
    });
    expect(wrong).toEqual([]);
    const { code, stderr } = await failedStart(bad, { GATEWAY_CONFIG: 'gateway.yaml' });
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^mason-gateway: gateway\.yaml: listen\.port: .*got 99999$/),
      expect.stringMatching(/^mason-gateway: gateway\.yaml: listen: .*"hots"$/),
    ]);
    taken.close();
  }, 60_000);
});
