import { readFileSync } from 'node:fs';
import { Secret } from '../domain/secret.ts';

const BYTES_MAX = 65_536;

/**
 * A secret that stands in a file of its own, as secret mounts give it; a line feed at its end is not part of it.
 *
 * @param setting its name, for the message
 * @throws Error with one clear line
 */
export function readSecretFile(setting: string, file: string): Secret {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${setting}: expected a readable file, got ${(error as NodeJS.ErrnoException).code} for ${file}`);
  }
  const value = text.replace(/\r?\n$/, '');
  if (value === '' || value.length > BYTES_MAX || /[\r\n]/.test(value)) {
    throw new Error(
      `${setting}: expected one line with the secret in ${file}, got ${value === '' ? 'nothing' : 'more'}`,
    );
  }
  return new Secret(value);
}
