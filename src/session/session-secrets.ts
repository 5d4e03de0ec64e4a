import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, linkSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';

/** 43 characters of base64url are 32 bytes. */
const SECRET = /^[A-Za-z0-9_-]{43,256}$/;
const SECRETS_MAX = 10;
const FILE_BYTES_MAX = SECRETS_MAX * 257;
/** Of 43 random characters of 64, about 31 are distinct; fewer than this never happens by chance. */
const DISTINCT_MIN = 16;
const GROUP_WRITE = 0o020;
const WORLD = 0o007;

/**
 * The secrets that sign session cookies: one a line, at least 32 random bytes in base64url. The first signs, all are accepted:
 * a new first line rotates without sign-outs, and removing the old one later ends what it signed. Made, mode 0600, when the
 * file is absent.
 *
 * @param options.allowSharedMode for read-only mounts that cannot set a mode: takes the file whatever its mode
 * @throws Error with one line that names the file, what was expected and what was found, and nothing of the content
 */
export function openSessionSecrets(file: string, { allowSharedMode }: { allowSharedMode: boolean }): readonly string[] {
  const text = readPrivately(file, allowSharedMode) ?? create(file) ?? readPrivately(file, allowSharedMode) ?? '';
  const secrets = text.split('\n').filter((line) => line !== '');
  if (secrets.length === 0 || secrets.length > SECRETS_MAX) {
    throw unusable(file, `expected 1 to ${SECRETS_MAX} secrets, one a line, found ${secrets.length}`);
  }
  for (const [index, secret] of secrets.entries()) {
    const where = `secret ${index + 1} of ${secrets.length}`;
    if (!SECRET.test(secret)) throw unusable(file, `${where}: expected 43 to 256 characters of base64url${HOW_TO}`);
    if (new Set(secret).size < DISTINCT_MIN) throw unusable(file, `${where}: expected random characters${HOW_TO}`);
  }
  if (new Set(secrets).size < secrets.length) throw unusable(file, 'expected each secret once, found one twice');
  return secrets;
}

const HOW_TO = '; make one with: openssl rand -base64 32 | tr "+/" "-_" | tr -d "="';

/** Undefined when there is no such file. */
function readPrivately(file: string, allowSharedMode: boolean): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw unusable(file, `cannot be read (${code})`);
  }
  try {
    // Of the open file, not of the name: nobody can swap it between the check and the reading.
    const status = fstatSync(descriptor);
    if (!status.isFile() || status.size > FILE_BYTES_MAX) {
      throw unusable(file, `expected a file of at most ${FILE_BYTES_MAX} bytes, found something else`);
    }
    if (!allowSharedMode && (status.mode & (WORLD | GROUP_WRITE)) !== 0) {
      const mode = `0${(status.mode & 0o777).toString(8)}`;
      throw unusable(file, `expected mode 0600, 0400 or 0440, found ${mode}: others can get at it; chmod 600 it`);
    }
    return readFileSync(descriptor, 'latin1');
  } finally {
    closeSync(descriptor);
  }
}

/** Undefined when another gateway was first: its file appeared meanwhile, complete. */
function create(file: string): string | undefined {
  const text = `${randomBytes(32).toString('base64url')}\n`;
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    // link(2) refuses to replace what exists, which rename(2) would do.
    linkSync(draft, file);
    return text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return undefined;
    throw unusable(file, `cannot be made (${code})`);
  } finally {
    removeDraft(draft);
  }
}

function removeDraft(draft: string): void {
  try {
    unlinkSync(draft);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function unusable(file: string, why: string): Error {
  return new Error(`session secrets ${file}: ${why}`);
}
