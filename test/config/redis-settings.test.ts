import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type Config, ConfigError, describeConfig, loadConfig } from '../../src/config/config.ts';
import type { Env } from '../../src/config/env.ts';
import { type RedisAddress, redisAddress } from '../../src/config/redis-settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'redis-settings-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const file = (text: string): string => {
  const path = join(directory, String(++files));
  writeFileSync(path, text);
  return path;
};

const load = (redis: string, env: Env = {}): Config =>
  loadConfig({ GATEWAY_CONFIG: file(`redis: { ${redis} }`), ...env });

const address = (redis: string, env: Env = {}): RedisAddress | undefined => redisAddress(load(redis, env).redis);

const problems = (redis: string, env: Env = {}): string => {
  try {
    load(redis, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
  return '';
};

const DEFAULTS = { db: 0, user: undefined, password: undefined, tls: undefined, keyPrefix: 'mason-gateway:' };

describe('where Redis is', () => {
  test('nobody said: there is none', () => {
    expect(address('')).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['redis://cache', { ...DEFAULTS, at: { kind: 'server', host: 'cache', port: 6_379 } }],
    ['redis://[::1]:7000/', { ...DEFAULTS, at: { kind: 'server', host: '::1', port: 7_000 } }],
    ['rediss://cache:1/3', { ...DEFAULTS, at: { kind: 'server', host: 'cache', port: 1 }, db: 3, tls: {} }],
  ])('%s, in the variable and in the file', (url, expected) => {
    const bounds = { commandMs: 500, connectMs: 1_000 };
    expect(address('', { REDIS_URL: url })).toEqual({ ...(expected as object), ...bounds });
    expect(address(`url: "${url}"`)).toEqual({ ...(expected as object), ...bounds });
  });

  test('sentinels and clusters have hosts, TLS and credentials of their own', () => {
    const password = file('s3cret\n');
    const ca = file('-----BEGIN CERTIFICATE-----');
    const found = address(
      `sentinel: { name: main, hosts: ["a:1", "[::1]:2"] }, user: gw, passwordFile: ${password}, tls: { caFile: ${ca} }`,
    );
    const hosts = [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ];
    expect(found).toMatchObject({
      at: { kind: 'sentinel', name: 'main', hosts },
      user: 'gw',
      tls: { ca: '-----BEGIN CERTIFICATE-----' },
    });
    expect(found?.password?.reveal()).toBe('s3cret');
    expect(address('cluster: ["a:1", "[::1]:2"]')).toMatchObject({ at: { kind: 'cluster', hosts }, tls: undefined });
  });

  test('a password is understood as it was encoded, and shown nowhere', () => {
    const url = 'redis://gw:p%40ss-w%2Frd@cache:6379/1';
    for (const config of [load('', { REDIS_URL: url }), load(`urlFile: ${file(url)}`)]) {
      const found = redisAddress(config.redis);
      expect(found).toMatchObject({ user: 'gw', db: 1 });
      expect(found?.password?.reveal()).toBe('p@ss-w/rd');
      const shown =
        JSON.stringify(describeConfig(config)) + inspect([config, found], { depth: null, showHidden: true });
      expect(shown).not.toMatch(/p(?:@|%40)ss/);
    }
    expect(load('', { REDIS_URL: url }).redis).toMatchObject({ url: 'redis://cache:6379/1', user: 'gw' });
  });

  test.each([
    [
      'two ways',
      'sentinel: { name: m, hosts: ["a:1"] }',
      { REDIS_URL: 'redis://a' },
      /REDIS_URL\) and redis\.sentinel/,
    ],
    ['three ways', 'urlFile: x, cluster: ["a:1"], sentinel: { name: m, hosts: ["a:1"] }', {}, /urlFile and .* and /],
    ['another scheme', 'url: "http://gw:hunter2@a"', {}, /expected an address such as redis:/],
    ['no address at all', '', { REDIS_URL: 'hunter2@cache' }, /^REDIS_URL \(redis\.url\): expected/],
    ['a path that is no database', 'url: "redis://:hunter2@a/main"', {}, /percent-encoded/],
    ['broken encoding', 'url: "redis://:hunter2%zz@a"', {}, /percent-encoded/],
    ['two users', 'url: "redis://gw@a", user: other', {}, /redis\.user: expected none/],
    ['two passwords', 'url: "redis://:hunter2@a", passwordFile: x', {}, /redis\.passwordFile: expected none/],
    ['TLS for an address in the clear', 'url: "redis://a", tls: {}', {}, /redis\.tls: expected none/],
    ['a certificate without its key', 'cluster: ["a:1"], tls: { certFile: x }', {}, /certFile and keyFile together/],
    ['a password for nobody', 'passwordFile: x', {}, /expected url, urlFile, sentinel or cluster/],
    ['a host without a port', 'cluster: ["a"]', {}, /redis\.cluster\.0: .*host and port.*got "a"/],
    ['a prefix that would decide over hash slots', 'keyPrefix: "{a}"', {}, /redis\.keyPrefix: .*without braces/],
    ['a word that is not known', 'password: hunter2', {}, /"password"/],
    ['answers that nobody could wait for', 'commandMs: 5000', {}, /redis\.commandMs/],
  ] as [string, string, Env, RegExp][])(
    '%s: the start stops with words, and without secrets',
    (_, redis, env, words) => {
      const said = problems(redis, env);
      expect(said).toMatch(words);
      expect(said).not.toContain('hunter2');
    },
  );

  test('files that are missing or hold something else are told in one line, without what they hold', () => {
    for (const [redis, words] of [
      [`urlFile: ${directory}/missing`, /^redis\.urlFile: .*ENOENT/],
      [`urlFile: ${file('hunter2')}`, /^redis\.urlFile: expected an address/],
      [`cluster: ["a:1"], passwordFile: ${directory}/missing`, /^redis\.passwordFile: .*ENOENT/],
      [`cluster: ["a:1"], tls: { caFile: ${directory}/missing }`, /^redis\.tls\.caFile: .*ENOENT/],
    ] as const) {
      expect(() => address(redis)).toThrow(words);
      expect(() => address(redis)).not.toThrow(/hunter2/);
    }
  });
});
