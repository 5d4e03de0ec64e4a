import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FileSink, type FileSinkOptions } from '../../../src/audit/sinks/file-sink.ts';
import { scratchDirectory } from '../scratch-directory.ts';

let scratch: ReturnType<typeof scratchDirectory>;
let path: string;
let now: number;
let sink: FileSink;
const opened = (options: Partial<FileSinkOptions> = {}): FileSink => {
  sink = new FileSink({ path, rotateBytes: 100, rotateMs: 60_000, keep: 2, clock: { epochMs: () => now }, ...options });
  return sink;
};
const files = (): Record<string, string> =>
  Object.fromEntries(readdirSync(scratch.path).map((name) => [name, readFileSync(join(scratch.path, name), 'latin1')]));

beforeEach(() => {
  scratch = scratchDirectory();
  mkdirSync(scratch.path, { recursive: true });
  path = join(scratch.path, 'r');
  now = Date.now();
});
afterEach(async () => {
  await sink.close();
  scratch[Symbol.dispose]();
});

describe('a file that follows the record', () => {
  test('gives way by size, keeps as many as it is told, and is for its owner and group alone', async () => {
    opened();
    for (const n of [1, 2, 3, 4]) await sink.deliver(`${String(n).repeat(59)}\n`);
    expect(files()).toEqual({ r: `${'4'.repeat(59)}\n`, 'r.1': `${'3'.repeat(59)}\n`, 'r.2': `${'2'.repeat(59)}\n` });
    expect(statSync(path).mode & 0o027).toBe(0);
  });

  test('gives way by age', async () => {
    opened();
    await sink.deliver('a\n');
    now += 61_000;
    await sink.deliver('b\n');
    expect(files()).toEqual({ r: 'b\n', 'r.1': 'a\n' });
  });

  test('begins anew where somebody moved it away, and what was moved is whole', async () => {
    opened();
    await sink.deliver('a\n');
    renameSync(path, `${path}.moved`);
    await sink.deliver('b\n');
    expect(files()).toEqual({ r: 'b\n', 'r.moved': 'a\n' });
  });

  test('has no torn line after a crash in the middle of one', async () => {
    writeFileSync(path, 'whole\n');
    appendFileSync(path, `torn${'x'.repeat(70_000)}`);
    opened({ rotateBytes: 1_000_000 });
    await sink.deliver('torn, and whole now\n');
    expect(files()).toEqual({ r: 'whole\ntorn, and whole now\n' });
  });

  test('follows no link that somebody put there', async () => {
    const elsewhere = join(scratch.path, 'elsewhere');
    writeFileSync(elsewhere, 'mine\n');
    symlinkSync(elsewhere, path);
    await expect(opened().deliver('a\n')).rejects.toThrow('ELOOP');
    expect(readFileSync(elsewhere, 'utf8')).toBe('mine\n');
  });
});
