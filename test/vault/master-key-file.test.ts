import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkMasterKey } from '../../src/vault/check-master-key.ts';
import { masterKeyFrom } from '../../src/vault/master-key.ts';
import { createMasterKey, readMasterKey } from '../../src/vault/master-key-file.ts';
import { openVault } from '../../src/vault/open-vault.ts';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vault-'));
  file = join(directory, 'master.key');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function put(text: string, mode = 0o600): Promise<void> {
  await writeFile(file, text, { mode });
  await chmod(file, mode);
}

const read = () => readMasterKey(file, { allowSharedMode: false });
const GOOD = randomBytes(32).toString('base64');

describe('the master key file', () => {
  test('is made complete, for its owner only, and reads back the same', async () => {
    const made = createMasterKey(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'latin1')).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(read().id).toBe(made.id);
    expect(await readdir(directory)).toEqual(['master.key']);
  });

  test('a key that is there is never replaced: everything sealed hangs on it', async () => {
    await put(GOOD);
    expect(() => createMasterKey(file)).toThrow(expect.objectContaining({ reason: 'master_key_exists' }));
    expect(await readFile(file, 'latin1')).toBe(GOOD);
    expect(await readdir(directory)).toEqual(['master.key']);
  });

  test('prints nowhere', () => {
    const made = createMasterKey(file);
    const bytes = made.key.export();
    const shown = inspect(made, { depth: 9, showHidden: true }) + JSON.stringify(made) + String(made.key);
    expect(shown).not.toContain(bytes.toString('hex'));
    expect(shown).not.toContain(bytes.toString('base64'));
  });

  test.each([0o644, 0o604, 0o660, 0o620, 0o602, 0o601, 0o666, 0o777])(
    'mode %s lets others at it: refused',
    async (mode) => {
      await put(GOOD, mode);
      expect(read).toThrow(
        expect.objectContaining({
          reason: 'master_key_shared',
          message: expect.stringMatching(
            new RegExp(`^master key ${file}: expected mode 0600, 0400 or 0440, found 0${mode.toString(8)}:`),
          ),
        }),
      );
      expect(readMasterKey(file, { allowSharedMode: true }).id).toMatch(/^[0-9a-f]{16}$/);
    },
  );

  test.each([0o600, 0o400, 0o440, 0o640])('mode %s is fine', async (mode) => {
    await put(GOOD, mode);
    expect(read().id).toMatch(/^[0-9a-f]{16}$/);
  });

  test('a secret mount’s symbolic link is followed, and the mode of what it points at counts', async () => {
    const target = join(directory, 'data');
    await writeFile(target, GOOD, { mode: 0o400 });
    await symlink(target, file);
    expect(read().id).toMatch(/^[0-9a-f]{16}$/);
    await chmod(target, 0o444);
    expect(read).toThrow(expect.objectContaining({ reason: 'master_key_shared' }));
  });

  test.each([
    ['changeme', 'expected 32 bytes in base64, found 6'],
    ['', 'expected 32 bytes in base64, found 0'],
    [randomBytes(16).toString('base64'), 'found 16'],
    [randomBytes(33).toString('base64'), 'found 33'],
    ['not base64!', 'found other characters'],
  ])('%j is no key: one line says what was expected and what was found', async (text, message) => {
    await put(text);
    expect(read).toThrow(
      expect.objectContaining({ reason: 'master_key_malformed', message: expect.stringContaining(message) }),
    );
    expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining('\n') }));
  });

  test.each([
    [Buffer.alloc(32), 'the same byte throughout'],
    [Buffer.alloc(32, 'abcdefgh\x80', 'latin1'), 'only 9 different bytes'],
    [Buffer.from('change-me-please-this-is-no-key!'), 'plain text'],
  ])('a key that nobody drew at random is refused (%#)', async (bytes, found) => {
    await put(bytes.toString('base64'));
    expect(read).toThrow(
      expect.objectContaining({ reason: 'master_key_weak', message: expect.stringContaining(found) }),
    );
  });

  test('errors never repeat what the file holds', async () => {
    await put(`${GOOD.slice(0, 30)}`);
    expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining(GOOD.slice(0, 8)) }));
  });

  test('an absent file is told apart from a bad one, so that the first start can make it', async () => {
    expect(read).toThrow(expect.objectContaining({ reason: 'master_key_missing' }));
    await mkdir(file);
    expect(read).toThrow(expect.objectContaining({ reason: 'master_key_malformed' }));
    expect(() => createMasterKey(join(directory, 'absent', 'master.key'))).toThrow(
      expect.objectContaining({ reason: 'master_key_unusable' }),
    );
  });
});

describe('the check of the master key', () => {
  const kept = () => {
    const values = new Map<string, string>();
    return {
      values,
      async setIfAbsent(name: string, value: string): Promise<string> {
        if (!values.has(name)) values.set(name, value);
        return values.get(name) ?? value;
      },
    };
  };

  test('the same key passes at every start', async () => {
    const settings = kept();
    const vault = openVault({ masterKey: createMasterKey(file) });
    await checkMasterKey(vault, settings);
    await checkMasterKey(openVault({ masterKey: read() }), settings);
  });

  test('another key is noticed at the start, not with the first call, and the line says what to do', async () => {
    const settings = kept();
    const first = openVault({ masterKey: createMasterKey(file) });
    await checkMasterKey(first, settings);
    const other = openVault({ masterKey: masterKeyFrom(randomBytes(32), 'other') });
    await expect(checkMasterKey(other, settings)).rejects.toMatchObject({
      reason: 'unknown_key',
      message: expect.stringMatching(
        new RegExp(
          `^this master key \\(${other.masterKeyId}\\) is not .*${first.masterKeyId}.*put the former master key back`,
        ),
      ),
    });
    settings.values.set('master_key_check', 'AAAA');
    await expect(checkMasterKey(first, settings)).rejects.toMatchObject({ reason: 'unknown_format' });
  });
});
