import { readFileSync } from 'node:fs';
import type { KeyOptions } from './options.ts';
import { UsageError, wrong } from './parse-values.ts';
import { SCOPES } from './scopes.ts';

/** `<key>=<scope>,<scope>`; the key may contain `=`, a scope cannot. */
export function parseKey(given: string): KeyOptions {
  const equals = given.lastIndexOf('=');
  const key = given.slice(0, Math.max(0, equals));
  if (key === '') throw wrong('--key', '<key>=<scope>,<scope>', given);
  return { key, scopes: knownScopes('--key', given.slice(equals + 1).split(',')) };
}

/** A JSON file with a list of keys, so that they need not be on a command line which every process can read. */
export function readKeyFile(file: string): KeyOptions[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--key-file: expected a readable JSON file, got ${(error as Error).message}`);
  }
  if (!Array.isArray(value)) throw new UsageError('--key-file: expected a list of keys, got something else');
  return value.map((entry, at) => readEntry(entry, `--key-file, entry ${at + 1}`));
}

function readEntry(entry: unknown, where: string): KeyOptions {
  const { key, scopes, label, account } = Object(entry) as Record<string, unknown>;
  const named = [label, account].every((name) => name === undefined || typeof name === 'string');
  const scoped = Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string');
  if (typeof key !== 'string' || key === '' || !scoped || !named) {
    throw new UsageError(`${where}: expected {"key", "scopes": [], "label"?, "account"?}, got something else`);
  }
  return {
    key,
    scopes: knownScopes(where, scopes),
    ...(typeof label === 'string' && { label }),
    ...(typeof account === 'string' && { account }),
  };
}

function knownScopes(where: string, scopes: readonly string[]): readonly string[] {
  for (const scope of scopes) {
    if (!SCOPES.has(scope.toLowerCase())) throw wrong(where, `scopes among ${[...SCOPES].join(', ')}`, scope);
  }
  return scopes;
}
