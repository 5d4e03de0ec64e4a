import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { openSessionSecrets } from '../../src/session/session-secrets.ts';

const directory = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const fresh = (): string => randomBytes(32).toString('base64url');
const nowhere = (): string => join(directory, `${++files}.secret`);
const file = (text: string, mode = 0o600): string => {
  const path = nowhere();
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};
const open = (path: string, allowSharedMode = false): readonly string[] =>
  openSessionSecrets(path, { allowSharedMode });
const problem = (path: string): string => {
  try {
    open(path);
  } catch (error) {
    return (error as Error).message;
  }
  return 'opened';
};

describe('B13: the secrets of cookies', () => {
  test('are made at the first start, for this account alone, and stay', () => {
    const path = nowhere();
    const [secret, ...more] = open(path);
    expect(more).toEqual([]);
    expect(Buffer.from(secret ?? '', 'base64url')).toHaveLength(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(open(path)).toEqual([secret]);
    expect(readdirSync(directory).filter((name) => name.startsWith(`${files}.secret.`))).toEqual([]);
  });

  test('one a line, in order: the first signs', () => {
    const secrets = [fresh(), fresh(), fresh()];
    expect(open(file(`${secrets.join('\n')}\n`))).toEqual(secrets);
    expect(open(file(`\n${secrets.join('\n\n')}`))).toEqual(secrets);
  });

  test.each([0o600, 0o400, 0o440, 0o640])('mode %o is taken', (mode) => {
    expect(open(file(fresh(), mode))).toHaveLength(1);
  });

  test.each([0o644, 0o660, 0o666, 0o604, 0o601, 0o620])(
    'mode %o is refused, unless the mount cannot do better',
    (mode) => {
      const path = file(fresh(), mode);
      expect(problem(path)).toMatch(/expected mode 0600, 0400 or 0440, found 0\d{3}/);
      expect(open(path, true)).toHaveLength(1);
    },
  );

  test.each([
    ['empty', ''],
    ['blank lines', '\n\n'],
    ['too short', 'abcdefghijklmnopqrstuvwxyz'],
    ['a placeholder', 'changeme'],
    ['one character', 'A'.repeat(43)],
    ['other characters', `${'x y/'.repeat(20)}`],
    ['Windows line ends', `${fresh()}\r\n${fresh()}\r\n`],
    ['one good, one bad', `${fresh()}\nbad\n`],
    ['eleven', Array.from({ length: 11 }, fresh).join('\n')],
    ['too long', 'x'.repeat(10_000)],
  ])('%s: refused with one line that names the file and nothing of the content', (_what, text) => {
    const path = file(text);
    const said = problem(path);
    expect(said).toContain(path);
    expect(said).not.toContain('\n');
    for (const line of text.split(/\r?\n/)) if (line.length > 5) expect(said).not.toContain(line);
  });

  test('the same one twice is a mistake', () => {
    const secret = fresh();
    expect(problem(file(`${secret}\n${secret}`))).toMatch(/once/);
  });

  test('a directory in its place, or none above it, is told', () => {
    const path = nowhere();
    mkdirSync(path);
    expect(problem(path)).toMatch(/expected a file|cannot be read/);
    expect(problem(join(directory, 'missing', 'x'))).toMatch(/cannot be made \(ENOENT\)/);
  });

  test('an existing file is never written to', () => {
    const text = `${fresh()}\n`;
    const path = file(text, 0o400);
    open(path);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
