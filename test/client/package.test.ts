import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { json, type OddGateway, oddGateway } from './odd-gateway.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
/** Debian's, where there is one: older than what the client promises (22), which makes it the better judge. */
const OLDER_NODE = '/usr/bin/node';
const OLDEST_MAJOR = 20;

interface Manifest {
  readonly exports: { readonly './client': { readonly types: string; readonly default: string } };
  readonly bin: { readonly 'mason-gateway': string };
  readonly files: readonly string[];
  readonly scripts: { readonly build: string };
}

/** What a program that uses the package does. */
const PROGRAM = `
  import { createClient, GatewayCallError } from 'mason-gateway/client';
  const client = createClient({ baseUrl: process.argv[1], token: 't' });
  const names = [];
  for await (const { name } of client.devices.list({ limit: 1 })) names.push(name);
  const error = await client.devices.get('none').catch((error) => error);
  console.log(JSON.stringify([names, error instanceof GatewayCallError, error.status, error.message]));
`;

const CONSUMER = `
  import { createClient, type Device, GatewayCallError } from 'mason-gateway/client';
  const client = createClient({ baseUrl: '/', fetch });
  export async function names(): Promise<string[]> {
    const found: Device[] = [];
    for await (const device of client.devices.list({ limit: 100 })) found.push(device);
    return found.map(({ name }) => name);
  }
  // @ts-expect-error: what cannot be undone is confirmed
  export const wiped = client.notify.wipe({ devices: ['a'] });
  export const isOurs = (error: unknown): error is GatewayCallError => error instanceof GatewayCallError;
`;

describe('the package as it is built', () => {
  let folder: string;
  let manifest: Manifest;
  let gateway: OddGateway;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'package-'));
    for (const name of ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
      await cp(join(root, name), join(folder, name), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
    const PATH = `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`;
    await run('sh', ['-c', manifest.scripts.build], { cwd: folder, env: { PATH } });
    gateway = await oddGateway((res, { url }) => {
      if (url.endsWith('none')) json(res, { type: 'not_found_error', message: 'no such device' }, 404);
      else json(res, url.includes('after') ? { data: [{ name: 'b' }] } : { data: [{ name: 'a' }], nextPage: 'x' });
    });
  }, 120_000);
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const node = (program: string, ...args: string[]) =>
    run(program, args, { cwd: folder, env: {} }).catch(
      (error: { stdout: string; stderr: string; code: number }) => error,
    );

  test.each([process.execPath, OLDER_NODE])('%s imports the client by its name, and calls', async (program) => {
    const { stdout: version } = await run(program, ['--version']).catch(() => ({ stdout: 'v0' }));
    // Not there, or from another age: the promise is about the others.
    if (Number.parseInt(version.slice(1), 10) < OLDEST_MAJOR) return;
    const { stdout, stderr } = await node(program, '--input-type=module', '-e', PROGRAM, gateway.url);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([['a', 'b'], true, 404, 'no such device']);
  });

  test('Its types stand without those of Node, in a project for browsers', async () => {
    await writeFile(join(folder, 'consumer.ts'), CONSUMER);
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--noEmit', '--ignoreConfig'];
    const browser = ['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022', '--types', ''];
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { stdout } = await run(tsc, [...strict, ...browser, '--lib', 'es2023,dom', 'consumer.ts'], {
      cwd: folder,
    }).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });

  test('Its command runs, and tells an older Node what is wrong instead of a syntax error', async () => {
    const command = join(folder, manifest.bin['mason-gateway']);
    expect((await readFile(command, 'utf8')).startsWith('#!/usr/bin/env node\n')).toBe(true);
    const help = await node(process.execPath, command, '--help');
    expect(help.stdout).toContain('Usage:');
    const older = await node(OLDER_NODE, command, '--help');
    if ('code' in older && typeof older.code === 'number')
      expect(older.stderr).toMatch(/^mason-gateway needs Node 26 .*\n$/);
  });

  test('Pages and the example are in it, and the tools that made it are not', async () => {
    const { startSimulator } = (await import(join(folder, 'dist/simulator/start-simulator.js'))) as {
      startSimulator(): Promise<{ url: string; close(): Promise<void> }>;
    };
    const simulator = await startSimulator();
    try {
      const statuses = ['', 'app.js', 'style.css', 'client/client.js', 'client/wire.ts', 'client/generate.js'].map(
        async (name) => [name, (await fetch(`${simulator.url}/example/${name}`)).status],
      );
      expect(Object.fromEntries(await Promise.all(statuses))).toEqual({
        '': 200,
        'app.js': 200,
        'style.css': 200,
        'client/client.js': 200,
        'client/wire.ts': 200,
        'client/generate.js': 404,
      });
    } finally {
      await simulator.close();
    }
    expect(await readFile(join(folder, 'dist/session/pages/account.html'), 'utf8')).toContain('<html');
    expect(manifest.files).toContain('dist');
  });
});
