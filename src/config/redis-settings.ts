import type { Secret } from '../domain/secret.ts';
import { readSecretFile } from './read-secret-file.ts';
import { type HostAndPort, parseRedisUrl, REDIS_URL_EXPECTED, type RedisUrl } from './redis-url.ts';
import type { ConfigInput } from './schema.ts';
import { readTlsFiles, type TlsMaterial } from './tls-files.ts';

/** As configured, without a password that can be seen. */
export type RedisConfig = Readonly<Omit<ConfigInput['redis'], 'url'>> & {
  /** Without user and password. */
  readonly url: string | undefined;
  readonly password: Secret | undefined;
};

/** What Redis is reached by; undefined when there is none. */
export interface RedisAddress {
  readonly at:
    | ({ readonly kind: 'server' } & HostAndPort)
    | { readonly kind: 'sentinel'; readonly name: string; readonly hosts: readonly HostAndPort[] }
    | { readonly kind: 'cluster'; readonly hosts: readonly HostAndPort[] };
  readonly db: number;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly tls: TlsMaterial | undefined;
  readonly keyPrefix: string;
  readonly commandMs: number;
  readonly connectMs: number;
}

/** Takes the password out of the address, and finds what contradicts itself. */
export function checkRedis({ url, ...redis }: ConfigInput['redis'], problems: string[]): RedisConfig {
  const named = { 'redis.url (REDIS_URL)': url, 'redis.urlFile': redis.urlFile, ...ways(redis) };
  const given = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length > 1) problems.push(`redis: expected one way to reach it, got ${given.join(' and ')}`);
  const parsed = url === undefined ? undefined : parseRedisUrl(url);
  if (url !== undefined && parsed === undefined) {
    // What came is not told: it may be, or hold, a password.
    problems.push(
      `REDIS_URL (redis.url): expected ${REDIS_URL_EXPECTED}, with every sign of a password percent-encoded`,
    );
  }
  if (parsed?.tls === false && redis.tls !== undefined) {
    problems.push('redis.tls: expected none, since the address begins with redis: and not with rediss:');
  }
  if (parsed?.user !== undefined && redis.user !== undefined) {
    problems.push('redis.user: expected none, since the address names a user');
  }
  if (parsed?.password !== undefined && redis.passwordFile !== undefined) {
    problems.push('redis.passwordFile: expected none, since the address holds a password');
  }
  if ((redis.tls?.certFile === undefined) !== (redis.tls?.keyFile === undefined)) {
    problems.push('redis.tls: expected certFile and keyFile together, got one of them');
  }
  if (given.length === 0 && (redis.user ?? redis.passwordFile ?? redis.tls) !== undefined) {
    problems.push('redis: expected url, urlFile, sentinel or cluster beside user, passwordFile and tls, got none');
  }
  const user = parsed?.user ?? redis.user;
  return { ...redis, ...(user === undefined ? {} : { user }), url: parsed?.shown, password: parsed?.password };
}

/**
 * Reads the files that the settings name.
 *
 * @throws Error with one clear line
 */
export function redisAddress(config: RedisConfig): RedisAddress | undefined {
  const { urlFile, sentinel, cluster, passwordFile, keyPrefix, commandMs, connectMs } = config;
  const inFile = urlFile === undefined ? undefined : readRedisUrl(urlFile);
  const url = inFile ?? (config.url === undefined ? undefined : parseRedisUrl(config.url));
  const at: RedisAddress['at'] | undefined =
    url?.at ??
    (sentinel && { kind: 'sentinel', name: sentinel.name, hosts: sentinel.hosts.map(hostAndPort) }) ??
    (cluster && { kind: 'cluster', hosts: cluster.map(hostAndPort) });
  if (at === undefined) return undefined;
  const password =
    inFile?.password ??
    config.password ??
    (passwordFile === undefined ? undefined : readSecretFile('redis.passwordFile', passwordFile));
  const encrypted = url === undefined ? config.tls !== undefined : url.tls;
  return {
    at,
    db: url?.db ?? 0,
    user: inFile?.user ?? config.user,
    password,
    tls: encrypted ? readTlsFiles('redis', config.tls ?? {}) : undefined,
    keyPrefix,
    commandMs,
    connectMs,
  };
}

function ways({ sentinel, cluster }: Pick<ConfigInput['redis'], 'sentinel' | 'cluster'>): Record<string, unknown> {
  return { 'redis.sentinel': sentinel, 'redis.cluster': cluster };
}

function readRedisUrl(file: string): RedisUrl {
  const parsed = parseRedisUrl(readSecretFile('redis.urlFile', file).reveal());
  if (parsed === undefined) throw new Error(`redis.urlFile: expected ${REDIS_URL_EXPECTED} in ${file}`);
  return parsed;
}

function hostAndPort(text: string): HostAndPort {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}
