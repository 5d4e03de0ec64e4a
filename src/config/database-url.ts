import { Secret } from '../domain/secret.ts';

const PORT = 5_432;

export const DATABASE_URL_EXPECTED =
  'an address such as postgres://user:password@db:5432/gateway, with ?sslmode=verify-full where it is encrypted';

export interface DatabaseUrl {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  /** Undefined: it does not say. */
  readonly tls: boolean | undefined;
  /** Without user and password. */
  readonly shown: string;
}

/**
 * What PostgreSQL's own library takes for "encrypted, if you look at who answers" and for "encrypted, whoever answers" are
 * one here: a password is not told to whoever answers.
 */
const TLS_BY_MODE: Readonly<Record<string, boolean>> = {
  disable: false,
  require: true,
  'verify-ca': true,
  'verify-full': true,
};

/** Undefined when it is no such address. Never throws: a message could show the password. */
export function parseDatabaseUrl(text: string): DatabaseUrl | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(?:ql)?:$/.test(url.protocol) || url.hostname === '' || url.hash !== '') {
    return undefined;
  }
  const mode = /^\?sslmode=([a-z-]+)$/.exec(url.search)?.[1];
  const tls = mode === undefined ? undefined : TLS_BY_MODE[mode];
  if (url.search !== '' && tls === undefined) return undefined;
  const [database, user, password] = [url.pathname.slice(1), url.username, url.password].map(decoded);
  if (database === undefined || user === undefined || password === undefined) return undefined;
  if (database === '' || database.includes('/')) return undefined;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? PORT : Number(url.port),
    database,
    user: user === '' ? undefined : user,
    password: password === '' ? undefined : new Secret(password),
    tls,
    shown: `${url.protocol}//${url.host}${url.pathname}${url.search}`,
  };
}

/** Undefined also for NUL, which ends words in PostgreSQL's protocol. */
function decoded(part: string): string | undefined {
  try {
    const text = decodeURIComponent(part);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
