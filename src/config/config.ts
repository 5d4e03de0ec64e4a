import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { checkBrowserSettings } from './browser-settings.ts';
import { checkDatabase, type DatabaseConfig } from './database-settings.ts';
import { type Env, readEnv } from './env.ts';
import { isLoopback } from './loopback.ts';
import { checkRedis, type RedisConfig } from './redis-settings.ts';
import { type ConfigInput, configSchema } from './schema.ts';

/** Where the file is looked for when nobody names one; there it may be absent. */
const DEFAULT_FILE = 'config/gateway.yaml';

/** All settings, checked and frozen. It can be printed: what is secret in it shows as a mask. */
export type Config = Readonly<Omit<ConfigInput, 'mason' | 'masterKey' | 'sessions' | 'database' | 'redis'>> & {
  readonly masterKey: { readonly file: string; readonly allowSharedMode: boolean; readonly given: boolean };
  /** `origin` undefined: the simulator stands in for Mason. */
  readonly mason: Readonly<Omit<ConfigInput['mason'], 'baseUrl'>> & { readonly origin: string | undefined };
  readonly sessions: Readonly<Omit<ConfigInput['sessions'], 'secretFile'>> & { readonly secretFile: string };
  readonly database: DatabaseConfig;
  readonly redis: RedisConfig;
  /** The file that was read; undefined when there was none. */
  readonly source: string | undefined;
};

/** Every problem of a configuration at once, a line each: where, what was expected, what came. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads the file and the environment; a variable wins over the file.
 *
 * @throws ConfigError
 */
export function loadConfig(env: Env = readEnv()): Config {
  const problems: string[] = [];
  const source = env.GATEWAY_CONFIG ?? DEFAULT_FILE;
  const text = readText(source, env.GATEWAY_CONFIG !== undefined, problems);
  const given = withEnvironment(text === undefined ? {} : parseYaml(source, text, problems), env);
  const result = configSchema.safeParse(given);
  if (!result.success) {
    for (const issue of result.error.issues) {
      const where = issue.path.join('.') || '(top level)';
      const said = /expected|^Unrecognized/.test(issue.message) ? issue.message : `expected ${issue.message}`;
      problems.push(`${origin(issue.path, env, source)}: ${where}: ${said}${got(given, issue.path)}`);
    }
    throw new ConfigError(problems);
  }
  const config = complete(result.data, text === undefined ? undefined : source, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(config);
}

function readText(file: string, mustExist: boolean, problems: string[]): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (mustExist || code !== 'ENOENT')
      problems.push(`${file}: expected a readable file (GATEWAY_CONFIG), got ${code}`);
    return undefined;
  }
}

function parseYaml(file: string, text: string, problems: string[]): Record<string, unknown> {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  for (const error of document.errors) problems.push(`${file}: ${error.message.split('\n')[0]}`);
  if (document.errors.length > 0) return {};
  const value: unknown = document.toJS({ maxAliasCount: 50 });
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value)) {
    // A room whose settings are all commented out is null in YAML: it has its defaults.
    return Object.fromEntries(Object.entries(value).filter(([, room]) => room !== null));
  }
  problems.push(
    `${file}: expected a mapping of settings at the top level, got ${Array.isArray(value) ? 'a list' : typeof value}`,
  );
  return {};
}

/** Which variable sets what; ports and paths stay text until the schema reads them. */
const BY_VARIABLE: readonly (readonly [keyof Env, string, string])[] = [
  ['GATEWAY_HOST', 'listen', 'host'],
  ['GATEWAY_PORT', 'listen', 'port'],
  ['GATEWAY_PUBLIC_URL', 'listen', 'publicUrl'],
  ['GATEWAY_PRIVATE_HOST', 'listen', 'privateHost'],
  ['GATEWAY_PRIVATE_PORT', 'listen', 'privatePort'],
  ['GATEWAY_DATA_DIR', 'gateway', 'dataDir'],
  ['GATEWAY_ID', 'gateway', 'id'],
  ['GATEWAY_LOG_LEVEL', 'gateway', 'logLevel'],
  ['GATEWAY_MASTER_KEY_FILE', 'masterKey', 'file'],
  ['MASON_BASE_URL', 'mason', 'baseUrl'],
  ['DATABASE_URL', 'database', 'url'],
  ['REDIS_URL', 'redis', 'url'],
  ['SIMULATOR_PORT', 'simulator', 'port'],
];

function withEnvironment(file: Record<string, unknown>, env: Env): Record<string, unknown> {
  const merged = { ...file };
  for (const [variable, room, setting] of BY_VARIABLE) {
    const value = env[variable];
    if (value === undefined) continue;
    const own = merged[room];
    merged[room] = { ...(typeof own === 'object' && own !== null ? own : {}), [setting]: value };
  }
  return merged;
}

function origin(path: readonly PropertyKey[], env: Env, file: string): string {
  const found = BY_VARIABLE.find(
    ([variable, room, key]) => path[0] === room && path[1] === key && env[variable] !== undefined,
  );
  return found?.[0] ?? file;
}

function got(given: unknown, path: readonly PropertyKey[]): string {
  let value = given;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return '';
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  if (value === undefined || (typeof value === 'object' && value !== null)) return '';
  return `, got ${JSON.stringify(value)?.slice(0, 80)}`;
}

function complete(input: ConfigInput, source: string | undefined, problems: string[]): Config {
  const { baseUrl, ...mason } = input.mason;
  const dataDir = resolve(input.gateway.dataDir);
  if (input.calls.waitDefaultMs > input.calls.waitMaxMs) {
    problems.push(
      `calls.waitDefaultMs: expected at most calls.waitMaxMs (${input.calls.waitMaxMs}), got ${input.calls.waitDefaultMs}`,
    );
  }
  checkBrowserSettings(input, problems);
  return {
    ...input,
    gateway: { ...input.gateway, dataDir },
    sessions: { ...input.sessions, secretFile: resolve(input.sessions.secretFile ?? join(dataDir, 'session.secret')) },
    masterKey: {
      file: resolve(input.masterKey.file ?? join(dataDir, 'master.key')),
      allowSharedMode: input.masterKey.allowSharedMode,
      given: input.masterKey.file !== undefined,
    },
    database: checkDatabase(input.database, problems),
    redis: checkRedis(input.redis, problems),
    mason: { ...mason, origin: baseUrl === undefined ? undefined : masonOrigin(baseUrl, mason.privateHosts, problems) },
    source,
  };
}

/** Takes `https://api.bymason.com`, with or without a trailing `/v1` as callers write it. */
function masonOrigin(baseUrl: string, privateHosts: readonly string[], problems: string[]): string | undefined {
  const where = 'MASON_BASE_URL (mason.baseUrl)';
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    // Without what stands before an "@": it may be a password.
    const shown = JSON.stringify(baseUrl.replace(/^.*@/s, '...@'));
    problems.push(`${where}: expected an address such as https://api.bymason.com, got ${shown}`);
    return undefined;
  }
  if (
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== '' ||
    !/^\/(?:v1\/?)?$/.test(url.pathname)
  ) {
    problems.push(
      `${where}: expected scheme, host and port only (the path is /v1), got ${JSON.stringify(url.origin + url.pathname)}`,
    );
    return undefined;
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:' && !isLoopback(host) && !privateHosts.includes(host)) {
    problems.push(
      `${where}: expected https: the team's keys would travel in the clear to ${host}; if that is meant, add it to mason.privateHosts`,
    );
  } else if (isIP(host) === 0 && host === 'localhost' && !privateHosts.includes(host)) {
    return url.origin.replace('localhost', '127.0.0.1');
  }
  return url.origin;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

/** The configuration for people: as it is in force, with where it came from. */
export function describeConfig(config: Config): Record<string, unknown> {
  const source = config.source ?? 'defaults and environment';
  return { ...config, source, simulated: config.mason.origin === undefined };
}
