import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const ENTRY = join(import.meta.dirname, '../../src/cli.ts');
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cli-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** The program itself, in a process and a data directory of its own. */
async function gateway(words: readonly string[], env: Record<string, string> = {}) {
  return await new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', ENTRY, ...words],
      { env: { PATH: process.env['PATH'], GATEWAY_DATA_DIR: join(directory, 'data'), ...env }, cwd: directory },
      (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

describe('the program', () => {
  test('keeps what one command did for the next, with no gateway running', async () => {
    expect(await gateway(['team', 'add', 'acme', '--json'])).toMatchObject({ code: 0, err: '' });
    const { out } = await gateway(['audit', 'query', '--json']);
    const acts = (JSON.parse(out).data as { event: { act: string; result: string } }[])
      .filter(({ event }) => event.act === 'team.add')
      .map(({ event }) => event.result);
    expect(acts).toEqual(['done', 'intended']);
  });

  test('ends with the exit code of what happened', async () => {
    const [usage, refused, misconfigured] = await Promise.all([
      gateway(['team', 'add']),
      gateway(['team', 'remove', 'nobody']),
      gateway(['config', 'check'], { GATEWAY_PORT: 'eighty', MASON_BASE_URL: 'ftp://x' }),
    ]);
    expect([usage.code, refused.code, misconfigured.code]).toEqual([2, 1, 1]);
    expect(refused.err).toBe('gateway: there is no team nobody\n');
    expect(misconfigured.err).toContain('GATEWAY_PORT');
    expect(misconfigured.out).toBe('');
  });
});
