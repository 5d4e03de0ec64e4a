import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { desiredTeams } from '../manage/apply-input.ts';
import { inputProblems } from '../manage/input.ts';
import { isKnownScope } from '../mason/scopes.ts';
import { CliError, usageError } from './cli-error.ts';
import { keyFromFile } from './mason-key-input.ts';
import type { Rooms } from './rooms.ts';

type ReadVariable = Rooms<never>['readVariable'];
type Mapping = Readonly<Record<string, unknown>>;

const FILE_BYTES_MAX = 1_048_576;
const ALIASES_MAX = 50;

/** A secret is named in the file, and stands elsewhere: the file belongs into version control. */
const reference = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })]);
const desiredFile = z.strictObject({ teams: desiredTeams(isKnownScope) });

/**
 * Reads the file for `apply`, with the secrets that it refers to as `{env: NAME}` or `{file: path}` (relative to the file).
 *
 * @throws CliError with every problem, each on a line with its place in the file; no secret is repeated
 */
export function readTeamsFile(file: string, readVariable: ReadVariable): Mapping {
  const given = parse(file, textOf(file));
  const problems: string[] = [];
  const resolved = withSecrets(given, (secret, where) => {
    try {
      return secretOf(secret, dirname(file), readVariable);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      problems.push(`${where}: ${error.message}`);
      return undefined;
    }
  });
  problems.push(...inputProblems(desiredFile, resolved));
  if (problems.length > 0) throw usageError(problems.map((problem) => `${file}: ${problem}`).join('\n'));
  return resolved;
}

function textOf(file: string): string {
  try {
    const { size } = statSync(file);
    if (size <= FILE_BYTES_MAX) return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  throw usageError(`${file}: expected at most ${FILE_BYTES_MAX} bytes`);
}

function parse(file: string, text: string): Mapping {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  if (document.errors.length > 0) {
    // The lines after the first one repeat what stands in the file.
    throw usageError(document.errors.map(({ message }) => `${file}: ${message.split('\n')[0]}`).join('\n'));
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch {
    throw usageError(`${file}: expected at most ${ALIASES_MAX} uses of an alias`);
  }
  if (isMapping(value)) return value;
  throw usageError(`${file}: expected a mapping with "teams"`);
}

/** The same with each `teams.<team>.keys.<key>.key` replaced; without those for which there is nothing. */
function withSecrets(given: Mapping, replace: (secret: unknown, where: string) => string | undefined): Mapping {
  return within(given, 'teams', (teams) =>
    each(teams, (team, slug) =>
      within(team, 'keys', (keys) =>
        each(keys, (key, name) => {
          if (!('key' in key)) return key;
          const { key: secret, ...rest } = key;
          const value = replace(secret, `teams.${slug}.keys.${name}.key`);
          return value === undefined ? rest : { ...rest, key: value };
        }),
      ),
    ),
  );
}

function within(mapping: Mapping, field: string, change: (inner: Mapping) => Mapping): Mapping {
  const inner = mapping[field];
  return isMapping(inner) ? { ...mapping, [field]: change(inner) } : mapping;
}

function each(mapping: Mapping, change: (inner: Mapping, name: string) => Mapping): Mapping {
  return Object.fromEntries(
    Object.entries(mapping).map(([name, inner]) => [name, isMapping(inner) ? change(inner, name) : inner]),
  );
}

function secretOf(given: unknown, directory: string, readVariable: ReadVariable): string {
  const found = reference.safeParse(given);
  if (!found.success) {
    const came = typeof given === 'string' ? 'a text: a key never stands in the file itself' : 'something else';
    throw usageError(`expected {env: NAME} or {file: path}, got ${came}`);
  }
  if ('file' in found.data) return keyFromFile(resolve(directory, found.data.file));
  const value = readVariable(found.data.env);
  if (value !== undefined) return value;
  throw usageError(`expected the variable ${found.data.env} to be set, got nothing`);
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
