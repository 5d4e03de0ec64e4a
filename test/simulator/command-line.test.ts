import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseArguments } from '../../src/simulator/parse-arguments.ts';
import { spawnSimulator } from '../support/simulator.ts';
import { apiAt } from './api-client.ts';

const SOURCE = new URL('../../src/simulator/', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'simulator-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Runs the program until it ends by itself, or by this signal once it has said that it is ready. */
async function run(args: readonly string[], signal?: NodeJS.Signals) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', SOURCE)), ...args]);
  const output = { stdout: '', stderr: '' };
  child.stdout.once('data', () => {
    if (signal !== undefined) child.kill(signal);
  });
  child.stdout.on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.on('data', (text) => {
    output.stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code, ...output };
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with 0', async (signal) => {
  const { code, stdout, stderr } = await run(['--port', '0'], signal);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Simulated Mason at http:\/\/127\.0\.0\.1:\d+ /);
});

test('a hanging call does not keep it from ending, and its caller learns at once', async () => {
  const sim = await spawnSimulator();
  await sim.faults({ kind: 'hang' });
  const call = expect(apiAt(sim.url)('GET', '/default/group')).rejects.toThrow('fetch failed');
  while ((await sim.stats()).faultsPlayed === 0);
  expect(await sim.close()).toBe(0);
  await call;
});

test('it does not outlive a test run that was killed', async () => {
  const child = spawn(process.execPath, [
    fileURLToPath(new URL('main.ts', SOURCE)),
    '--port',
    '0',
    '--until-stdin-ends',
  ]);
  await once(child.stdout, 'data');
  child.stdin.end();
  expect((await once(child, 'close'))[0]).toBe(0);
});

test('a port that is taken is told in one line', async () => {
  await using sim = await spawnSimulator();
  const { code, stderr } = await run(['--port', String(sim.port)]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^simulator: cannot listen: .*EADDRINUSE.*\n$/);
  await expect(spawnSimulator(['--port', String(sim.port)])).rejects.toThrow(/ended with 1 at its start: .*EADDRINUSE/);
});

test('help shows the options with examples', async () => {
  const { code, stdout } = await run(['--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/--limit-kind KIND.*Examples.*_sim\/faults/s);
});

test('keys may come from a file instead of the command line, which every process can read', async () => {
  const keys = [{ key: 'secret', scopes: ['fleet:read'], label: 'team', account: 'acme' }];
  await using sim = await spawnSimulator(['--key-file', file('keys.json', JSON.stringify(keys))]);
  expect((await apiAt(sim.url)('GET', '/default/group', { key: 'secret' })).status).toBe(200);
  expect((await apiAt(sim.url)('GET', '/default/group')).status).toBe(401);
  expect((await sim.stats()).keys).toMatchObject([{ label: 'team', key: 'secret', accepted: 1 }]);
});

describe('an option that cannot be meant is refused in one line that says what was expected', () => {
  test.each([
    [['--limit', '100'], /^--limit: expected calls per window like 100\/1s.*, got "100"$/],
    [['--limit', '0/1s'], /--limit/],
    [['--limit', '1/99d'], /--limit/],
    [['--limit', '1/1s', '--limit-kind', 'leaky'], /--limit-kind: expected one of fixed, .*, got "leaky"/],
    [['--limit', '1/1s', '--limit-depth', '5'], /--limit-depth: expected --limit-kind token-bucket/],
    [['--rate-headers', 'ietf'], /--rate-headers: expected --limit besides/],
    [['--limit-scope', 'key'], /--limit-scope: expected --limit besides/],
    [['--latency', '80..20'], /--latency: expected milliseconds/],
    [['--jitter', '-5'], /jitter/],
    [['--port', '65536'], /--port: expected a whole number from 0 to 65535, got "65536"/],
    [['--groups', '0'], /--groups/],
    [['--key', 'fleet:read'], /--key: expected <key>=<scope>,<scope>/],
    [['--key', 'k=fleet:reed'], /--key: expected scopes among .*, got "fleet:reed"/],
    [['--key-file', '/nonexistent'], /--key-file: expected a readable JSON file/],
    [['--colour'], /--colour/],
    [['extra'], /extra/],
  ])('%j', (args, complaint) => {
    expect(() => parseArguments(args)).toThrow(complaint);
    try {
      parseArguments(args);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });

  test('a key file of another shape', () => {
    expect(() => parseArguments(['--key-file', file('object.json', '{}')])).toThrow('--key-file: expected a list');
    expect(() => parseArguments(['--key-file', file('bad.json', '[{"key":"k"}]')])).toThrow('--key-file, entry 1');
  });

  test('and the program ends with 2', async () => {
    const { code, stderr } = await run(['--port', 'x']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'simulator: --port: expected a whole number from 0 to 65535, got "x" (see --help)\n',
    });
  });
});

test('it runs in a worker thread too', async () => {
  const workerData = { devices: 4, groups: 2, keys: [{ key: 'k', scopes: ['fleet:read'] }] };
  const worker = new Worker(new URL('worker.ts', SOURCE), { workerData });
  const [{ port }] = await once(worker, 'message');
  const { body } = await apiAt(`http://127.0.0.1:${port}`)('GET', '/default/device', { key: 'k' });
  expect(body.data).toHaveLength(4);
  await worker.terminate();
});

test('an idle connection is closed after the time that was asked for, without a hint that would warn the caller', async () => {
  await using sim = await spawnSimulator(['--keep-alive-ms', '150']);
  const response = await fetch(`${sim.url}/v1/default/group`, { headers: { authorization: 'basic demo-owner-key' } });
  expect(response.headers.get('keep-alive')).toBeNull();
  expect(response.headers.get('connection')).toBe('keep-alive');
  await response.text();
  const began = performance.now();
  while ((await sim.stats()).connections.open > 0);
  expect(performance.now() - began).toBeLessThan(2000);
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

// A machine without a network has nobody else who could call.
(outside === undefined ? test.skip : test)('nobody from another machine controls it', async () => {
  await using sim = await spawnSimulator(['--host', '0.0.0.0']);
  const response = await fetch(`http://${outside}:${sim.port}/_sim/reset`, { method: 'POST' });
  expect(response.status).toBe(403);
  expect((await apiAt(`http://${outside}:${sim.port}`)('GET', '/default/group')).status).toBe(200);
});
