import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type Config, ConfigError, describeConfig, loadConfig } from '../../src/config/config.ts';
import { type DatabaseSettings, databaseSettings, problemsOfDatabase } from '../../src/config/database-settings.ts';
import type { Env } from '../../src/config/env.ts';

const directory = mkdtempSync(join(tmpdir(), 'database-settings-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const file = (text: string): string => {
  const path = join(directory, String(++files));
  writeFileSync(path, text);
  return path;
};

const load = (database: string, env: Env = {}): Config =>
  loadConfig({ GATEWAY_CONFIG: file(`database: { ${database} }`), ...env });

const settings = (database: string, env: Env = {}): DatabaseSettings | undefined =>
  databaseSettings(load(database, env).database);

const problems = (database: string, env: Env = {}): string => {
  try {
    return problemsOfDatabase(load(database, env).database).join('\n');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
};

const DEFAULTS = { port: 5_432, user: 'gw', password: undefined, tls: undefined, connectionsMax: 10, connectMs: 1_000 };

describe('where PostgreSQL is', () => {
  test('nobody said: there is none', () => {
    expect(settings('')).toBeUndefined();
    expect(problems('')).toBe('');
  });

  test.each<[string, object]>([
    ['postgres://gw@db/gateway', { host: 'db', database: 'gateway' }],
    ['postgresql://gw@[::1]:7000/gateway', { host: '::1', port: 7_000, database: 'gateway' }],
    ['postgres://gw@db/gate%20way?sslmode=disable', { host: 'db', database: 'gate way' }],
    ['postgres://gw@db/g?sslmode=require', { host: 'db', database: 'g', tls: {} }],
    ['postgres://gw@db/g?sslmode=verify-full', { host: 'db', database: 'g', tls: {} }],
  ])('%s, in the variable, in the file, and in a file of its own', (url, expected) => {
    const all = { ...DEFAULTS, ...expected };
    expect(settings('', { DATABASE_URL: url })).toEqual(all);
    expect(settings(`url: "${url}"`)).toEqual(all);
    expect(settings(`urlFile: ${file(`${url}\n`)}`)).toEqual(all);
  });

  test('user, password and certificates may stand beside the address', () => {
    const tls = `tls: { caFile: ${file('CA')}, certFile: ${file('CERT')}, keyFile: ${file('KEY')} }`;
    const found = settings(`user: gw, passwordFile: ${file('s3cret\n')}, ${tls}`, { DATABASE_URL: 'postgres://db/g' });
    expect(found).toMatchObject({ user: 'gw', tls: { ca: 'CA', cert: 'CERT' } });
    expect(found?.password?.reveal()).toBe('s3cret');
    expect(found?.tls?.key?.reveal()).toBe('KEY');
  });

  test('a password is understood as it was encoded, and shown nowhere', () => {
    const url = 'postgres://gw:p%40ss-w%2Frd@db:5432/gateway';
    for (const config of [load('', { DATABASE_URL: url }), load(`urlFile: ${file(url)}`)]) {
      const found = databaseSettings(config.database);
      expect(found?.password?.reveal()).toBe('p@ss-w/rd');
      const shown =
        JSON.stringify(describeConfig(config)) + inspect([config, found], { depth: null, showHidden: true });
      expect(shown).not.toMatch(/p(?:@|%40)ss/);
    }
    expect(load('', { DATABASE_URL: url }).database).toMatchObject({ url: 'postgres://db:5432/gateway', user: 'gw' });
  });

  const AT = { DATABASE_URL: 'postgres://gw@db/g' };

  test.each<[string, string, Env, RegExp]>([
    ['two ways', 'urlFile: /x', AT, /url \(DATABASE_URL\) and urlFile, got both/],
    ['two users', 'user: other', AT, /database\.user: expected none/],
    [
      'two passwords',
      'passwordFile: /x',
      { DATABASE_URL: 'postgres://gw:pw@db/g' },
      /database\.passwordFile: expected none/,
    ],
    ['nobody', '', { DATABASE_URL: 'postgres://db/g' }, /DATABASE_URL.*expected a user/],
    [
      'no encryption, with certificates',
      'tls: {}',
      { DATABASE_URL: 'postgres://gw@db/g?sslmode=disable' },
      /database\.tls: expected none/,
    ],
    ['half a certificate', 'tls: { certFile: /x }', AT, /certFile and keyFile together/],
    ['certificates for nothing', 'tls: {}', {}, /expected url or urlFile beside/],
    ['a file that is not there', 'urlFile: /nowhere', {}, /database\.urlFile: expected a readable file, got ENOENT/],
    [
      'a file with something else',
      `urlFile: ${file('mysql://gw:pw@db/g')}`,
      {},
      /database\.urlFile: expected an address/,
    ],
    [
      'a file whose user stands twice',
      `user: a, urlFile: ${file('postgres://gw@db/g')}`,
      {},
      /database\.user: expected none/,
    ],
    ['no authority to believe', 'tls: { caFile: /nowhere }', AT, /database\.tls\.caFile: expected a readable file/],
    ['too few connections', 'connectionsMax: 2', AT, /connectionsMax: .*>=3/],
  ])('%s: said before anything connects', (_what, database, env, message) => {
    expect(problems(database, env)).toMatch(message);
    expect(problems(database, env)).not.toMatch(/pw/);
  });

  test.each([
    'mysql://gw:s3cret@db/g',
    'postgres://gw:s3cret@db',
    'postgres://gw:s3cret@db/a/b',
    'postgres://gw:s3cret@db/g?sslmode=prefer',
    'postgres://gw:s3cret@db/g?options=-c%20x',
    'postgres://gw:s3cret%@db/g',
    'postgres://gw:s3cret%00@db/g',
    'db:5432 s3cret',
  ])('%s is refused, and its password not repeated', (url) => {
    expect(problems('', { DATABASE_URL: url })).toMatch(/DATABASE_URL \(database\.url\): expected an address such as/);
    expect(problems('', { DATABASE_URL: url })).not.toContain('s3cret');
  });
});
