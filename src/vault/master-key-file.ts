import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { MASTER_KEY_BYTES, type MasterKey, masterKeyFrom } from './master-key.ts';
import { VaultError } from './vault-error.ts';

/** A key in base64 has 44 characters; whatever is much longer is another file. */
const FILE_BYTES_MAX = 1_024;
const GROUP_WRITE = 0o020;
const WORLD = 0o007;

/**
 * Reads the master key: base64 of 32 random bytes, in a file that others can neither read nor write.
 *
 * @param options.allowSharedMode for read-only mounts that cannot set a mode: takes the file whatever its mode
 * @throws VaultError with one line that names the file, what was expected and what was found, and nothing of the content.
 */
export function readMasterKey(file: string, options: { allowSharedMode: boolean }): MasterKey {
  const text = readPrivateText(file, options.allowSharedMode).trim();
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) {
    throw new VaultError('master_key_malformed', `master key ${file}: expected base64, found other characters`);
  }
  const bytes = Buffer.from(text, 'base64');
  try {
    return masterKeyFrom(bytes, file);
  } finally {
    bytes.fill(0);
  }
}

/**
 * Makes a master key for the first start, mode 0600. The file appears complete or not at all, also when several gateways
 * start at once: one makes it, the others are told.
 *
 * @throws VaultError `master_key_exists` when the file is there already: an existing key is never replaced;
 * `master_key_unusable` when it cannot be made.
 */
export function createMasterKey(file: string): MasterKey {
  const bytes = randomBytes(MASTER_KEY_BYTES);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeDurably(draft, `${bytes.toString('base64')}\n`);
  try {
    // link(2) refuses to replace what exists, which rename(2) would do.
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new VaultError('master_key_exists', `master key ${file}: expected no file, found one`, error);
  } finally {
    unlinkSync(draft);
  }
  syncDirectory(dirname(file));
  try {
    return masterKeyFrom(bytes, file);
  } finally {
    bytes.fill(0);
  }
}

function readPrivateText(file: string, allowSharedMode: boolean): string {
  const descriptor = openToRead(file);
  try {
    // Of the open file, not of the name: nobody can swap it between the check and the reading.
    const { mode, size } = fstatSync(descriptor);
    if ((mode & 0o170000) !== 0o100000 || size > FILE_BYTES_MAX) {
      throw new VaultError(
        'master_key_malformed',
        `master key ${file}: expected a file of 45 bytes, found something else`,
      );
    }
    if (!allowSharedMode && (mode & (WORLD | GROUP_WRITE)) !== 0) {
      throw new VaultError(
        'master_key_shared',
        `master key ${file}: expected mode 0600, 0400 or 0440, found 0${(mode & 0o777).toString(8)}: others can get at it; ` +
          `chmod 600 it, or set masterKey.allowSharedMode for a mount that cannot`,
      );
    }
    const bytes = Buffer.alloc(FILE_BYTES_MAX);
    const length = readSync(descriptor, bytes, 0, FILE_BYTES_MAX, 0);
    const text = bytes.toString('latin1', 0, length);
    bytes.fill(0);
    return text;
  } finally {
    closeSync(descriptor);
  }
}

function openToRead(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      throw new VaultError('master_key_missing', `master key ${file}: expected a file, found none`, error);
    }
    throw new VaultError('master_key_unusable', `master key ${file}: cannot be read (${codeOf(error)})`, error);
  }
}

function writeDurably(file: string, text: string): void {
  const descriptor = openToWrite(file);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openToWrite(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    throw new VaultError('master_key_unusable', `master key: ${file} cannot be made (${codeOf(error)})`, error);
  }
}

/** Without it, a loss of power may forget the name of a file whose content is safe. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}
