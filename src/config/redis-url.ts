import { Secret } from '../domain/secret.ts';

const PORT = 6_379;

export const REDIS_URL_EXPECTED = 'an address such as redis://cache:6379 or rediss://user:password@cache:6379/0';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export interface RedisUrl {
  readonly at: { readonly kind: 'server' } & HostAndPort;
  readonly db: number;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly tls: boolean;
  /** Without user and password. */
  readonly shown: string;
}

/** Undefined when it is no such address. Never throws: a message could show the password. */
export function parseRedisUrl(text: string): RedisUrl | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '') return undefined;
  if (!/^(?:\/\d{0,4})?$/.test(url.pathname) || url.search !== '' || url.hash !== '') return undefined;
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if (user === undefined || password === undefined) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? PORT : Number(url.port);
  return {
    at: { kind: 'server', host, port },
    db: Number(url.pathname.slice(1)),
    user: user === '' ? undefined : user,
    password: password === '' ? undefined : new Secret(password),
    tls: url.protocol === 'rediss:',
    shown: `${url.protocol}//${url.host}${url.pathname}`,
  };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
