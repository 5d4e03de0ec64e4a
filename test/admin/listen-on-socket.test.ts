import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { request, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listenOnSocket } from '../../src/admin/listen-on-socket.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'admin-'));
  path = join(directory, 'gateway.sock');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function ask(): Promise<string> {
  const asked = request({ socketPath: path, path: '/', agent: false });
  asked.end();
  const [answer] = await once(asked, 'response');
  return await text(answer);
}

/** A gateway of another process, killed without a chance to clean up. */
async function leaveDeadSocket(): Promise<void> {
  const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.stdout.write('up'))`;
  const child: ChildProcess = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.stdout === null) throw new Error('no output');
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('the socket', () => {
  test('is this account’s only, from the first moment, and gone after the close', async () => {
    const umask = process.umask();
    const listener = await listenOnSocket(path, (_req, res) => res.end('here'));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(umask);
    expect(await ask()).toBe('here');
    await listener.close();
    await listener.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test('of a gateway that was killed is replaced', async () => {
    await leaveDeadSocket();
    expect(await readdir(directory)).toEqual(['gateway.sock']);
    await using _listener = await listenOnSocket(path, (_req, res) => res.end('successor'));
    expect(await ask()).toBe('successor');
    expect(await readdir(directory)).toEqual(['gateway.sock']);
  });

  test('of a gateway that lives is left alone, and the newcomer is told', async () => {
    await using _first = await listenOnSocket(path, (_req, res) => res.end('first'));
    await expect(listenOnSocket(path, (_req, res) => res.end('second'))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('another gateway answers there'),
    });
    expect(await ask()).toBe('first');
  });

  test('when several start at once beside a dead one, exactly one gets it, and it answers', async () => {
    await leaveDeadSocket();
    const starts = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map((name) => listenOnSocket(path, (_req, res) => res.end(name))),
    );
    const listeners = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    expect(listeners).toHaveLength(1);
    expect(await ask()).toMatch(/^[abcd]$/);
    for (const listener of listeners) await listener.close();
  });

  test('is never put in the place of somebody’s file', async () => {
    await writeFile(path, 'precious');
    await expect(listenOnSocket(path, (_req, res) => res.end())).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('it is left alone'),
    });
    expect(await readFile(path, 'utf8')).toBe('precious');
  });

  test('a path that the system would cut is refused by its length', async () => {
    const long = join(directory, 'd'.repeat(107 - Buffer.byteLength(directory)));
    await expect(listenOnSocket(long, (_req, res) => res.end())).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/expected a path of at most 107 bytes, got 108: choose a shorter data directory/),
    });
    await using listener = await listenOnSocket(long.slice(0, -1), (_req, res) => res.end());
    expect(Buffer.byteLength(listener.path)).toBe(107);
  });

  test('a directory that is not there is said to be the reason', async () => {
    await expect(listenOnSocket(join(directory, 'no', 'x.sock'), (_req, res) => res.end())).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/x\.sock: (ENOENT|EACCES)/),
    });
  });

  test('a gateway that died in the middle of its start keeps nobody out', async () => {
    await mkdir(`${path}.lock`);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${path}.lock`, longAgo, longAgo);
    await using _listener = await listenOnSocket(path, (_req, res) => res.end('here'));
    expect(await readdir(directory)).toEqual(['gateway.sock']);
  });

  test('a request under way is answered before the socket goes', async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<ServerResponse>();
    const listener = await listenOnSocket(path, (_req, res) => arrive(res));
    const answer = ask();
    const res = await arrived;
    const closed = listener.close();
    res.end('late, but here');
    expect(await answer).toBe('late, but here');
    await closed;
  });
});
