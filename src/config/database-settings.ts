import type { Secret } from '../domain/secret.ts';
import { DATABASE_URL_EXPECTED, type DatabaseUrl, parseDatabaseUrl } from './database-url.ts';
import { readSecretFile } from './read-secret-file.ts';
import type { ConfigInput } from './schema.ts';
import { readTlsFiles, type TlsMaterial } from './tls-files.ts';

/** As configured, without a password that can be seen. */
export type DatabaseConfig = Readonly<Omit<ConfigInput['database'], 'url'>> & {
  /** Without user and password. */
  readonly url: string | undefined;
  readonly password: Secret | undefined;
};

/** What PostgreSQL is reached by. */
export interface DatabaseSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: Secret | undefined;
  /** Undefined: in the clear. */
  readonly tls: TlsMaterial | undefined;
  readonly connectionsMax: number;
  readonly connectMs: number;
}

/** Takes the password out of the address, and finds what contradicts itself. */
export function checkDatabase({ url, ...database }: ConfigInput['database'], problems: string[]): DatabaseConfig {
  const { urlFile, tls, user, passwordFile } = database;
  if (url !== undefined && urlFile !== undefined) {
    problems.push('database: expected one of url (DATABASE_URL) and urlFile, got both');
  }
  const parsed = url === undefined ? undefined : parseDatabaseUrl(url);
  if (url !== undefined && parsed === undefined) {
    // What came is not told: it may be, or hold, a password.
    problems.push(
      `DATABASE_URL (database.url): expected ${DATABASE_URL_EXPECTED}, with every sign of a password percent-encoded`,
    );
  }
  if (parsed !== undefined) {
    const contradiction = contradictionIn(parsed, database);
    if (contradiction !== undefined) problems.push(contradiction);
  }
  if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined)) {
    problems.push('database.tls: expected certFile and keyFile together, got one of them');
  }
  if (url === undefined && urlFile === undefined && (user ?? passwordFile ?? tls) !== undefined) {
    problems.push('database: expected url or urlFile beside user, passwordFile and tls, got neither');
  }
  const shownUser = parsed?.user ?? user;
  return {
    ...database,
    ...(shownUser === undefined ? {} : { user: shownUser }),
    url: parsed?.shown,
    password: parsed?.password,
  };
}

/**
 * Reads the files that the settings name; undefined when there is no database.
 *
 * @throws Error with one clear line
 */
export function databaseSettings(config: DatabaseConfig): DatabaseSettings | undefined {
  const { urlFile, passwordFile, connectionsMax, connectMs } = config;
  const inFile = urlFile === undefined ? undefined : readDatabaseUrl(urlFile, config);
  const url = inFile ?? (config.url === undefined ? undefined : parseDatabaseUrl(config.url));
  if (url === undefined) return undefined;
  const user = inFile?.user ?? config.user;
  if (user === undefined) throw new Error(`database: ${NO_USER}`);
  const password =
    inFile?.password ??
    config.password ??
    (passwordFile === undefined ? undefined : readSecretFile('database.passwordFile', passwordFile));
  return {
    host: url.host,
    port: url.port,
    database: url.database,
    user,
    password,
    tls: (url.tls ?? config.tls !== undefined) ? readTlsFiles('database', config.tls ?? {}) : undefined,
    connectionsMax,
    connectMs,
  };
}

/** What is wrong with the files that the settings name; empty when all is well. Connects to nothing. */
export function problemsOfDatabase(config: DatabaseConfig): string[] {
  try {
    databaseSettings(config);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

const NO_USER = 'expected a user, in the address or as database.user, got none';

type Beside = Pick<ConfigInput['database'], 'user' | 'passwordFile' | 'tls'>;

function contradictionIn(url: DatabaseUrl, { user, passwordFile, tls }: Beside): string | undefined {
  if (url.tls === false && tls !== undefined) {
    return 'database.tls: expected none, since the address says sslmode=disable';
  }
  if (url.user !== undefined && user !== undefined) {
    return 'database.user: expected none, since the address names a user';
  }
  if (url.password !== undefined && passwordFile !== undefined) {
    return 'database.passwordFile: expected none, since the address holds a password';
  }
  return (url.user ?? user) === undefined ? `DATABASE_URL (database.url): ${NO_USER}` : undefined;
}

function readDatabaseUrl(file: string, beside: Beside): DatabaseUrl {
  const parsed = parseDatabaseUrl(readSecretFile('database.urlFile', file).reveal());
  if (parsed === undefined) throw new Error(`database.urlFile: expected ${DATABASE_URL_EXPECTED} in ${file}`);
  const contradiction = contradictionIn(parsed, beside);
  if (contradiction !== undefined) throw new Error(`${contradiction} (database.urlFile: ${file})`);
  return parsed;
}
