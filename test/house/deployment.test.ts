import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/config.ts';
import { databaseSettings } from '../../src/config/database-settings.ts';
import { VARIABLES } from '../../src/config/env.ts';
import { redisAddress } from '../../src/config/redis-settings.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Service {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Readonly<Record<'gateway' | 'second-gateway' | 'simulator' | 'redis' | 'postgres', Service>>;
  volumes: Readonly<Record<string, unknown>>;
};
const dockerfile = read('Dockerfile');
const inContainer = (path: string): string => join(root, path.replace(/^\/app\//, ''));

describe('What is deployed can start', () => {
  test.each(['gateway', 'second-gateway'] as const)(
    'the settings of the %s in docker-compose.yml are ones that it takes',
    (name) => {
      const { environment = {} } = compose.services[name];
      expect(Object.keys(environment).filter((name) => !(VARIABLES as readonly string[]).includes(name))).toEqual([]);
      const file = inContainer(environment['GATEWAY_CONFIG'] ?? '');
      const config = loadConfig({ ...environment, GATEWAY_CONFIG: file });
      expect(config.mason.origin).toBe('http://simulator:8090');
      expect(redisAddress(config.redis)).toMatchObject({ at: { kind: 'server', host: 'redis', port: 6_379 } });
      const {
        POSTGRES_USER: user,
        POSTGRES_DB: database,
        POSTGRES_PASSWORD,
      } = compose.services.postgres.environment ?? {};
      const server = databaseSettings(config.database);
      expect(server).toMatchObject({ host: 'postgres', port: 5_432, user, database });
      expect(server?.password?.reveal()).toBe(POSTGRES_PASSWORD);
    },
  );

  test('every file that an image copies or starts is there', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      (match[1] ?? '').split(' '),
    );
    const started = [
      dockerfile.match(/^CMD (\[.+\])$/m)?.[1] ?? '[]',
      JSON.stringify(compose.services.simulator.command),
    ]
      .flatMap((command) => JSON.parse(command) as string[])
      .filter((word) => word.startsWith('src/') || word.startsWith('./src/'));
    expect(started).toHaveLength(4);
    expect([...copied, ...started].filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test('the image runs without rights, keeps its state in a volume, and says whether it is well', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^VOLUME \/data$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK .*\\\n {2}CMD \["node", .*\/readyz/m);
    expect(compose.services.gateway.volumes).toEqual(['gateway-data:/data']);
    expect(compose.services['second-gateway'].volumes).toEqual(['gateway-data:/data']);
    expect(Object.keys(compose.volumes)).toEqual(['gateway-data', 'postgres-data', 'redis-data']);
  });

  test('Redis throws nothing away when its memory is full, keeps what it has over a restart, and is not published', () => {
    const { command = [], volumes, ports } = compose.services.redis;
    const line = command.join(' ');
    for (const words of ['--maxmemory-policy noeviction', '--appendonly yes']) expect(line).toContain(words);
    expect(volumes).toEqual(['redis-data:/data']);
    expect(ports).toBeUndefined();
  });

  test('PostgreSQL keeps what it has over a restart, and is not published', () => {
    expect(compose.services.postgres.volumes).toEqual(['postgres-data:/var/lib/postgresql/data']);
    expect(compose.services.postgres.ports).toBeUndefined();
  });

  test('the two gateways share everything but their name and their door', () => {
    const { gateway: one, 'second-gateway': two } = compose.services;
    const { depends_on: services, ...first } = one;
    const { depends_on: after, ...second } = two;
    expect(second).toEqual({
      ...first,
      environment: { ...first.environment, GATEWAY_ID: 'two' },
      ports: ['127.0.0.1:8081:8080'],
    });
    expect(first.environment?.['GATEWAY_ID']).toBe('one');
    // Whoever comes first makes the master key.
    expect(after).toEqual({ ...services, gateway: { condition: 'service_healthy' } });
  });

  test('the private door is not published, and the public one to this machine only', () => {
    expect(compose.services.gateway.ports).toEqual(['127.0.0.1:8080:8080']);
    expect(compose.services.simulator.ports).toBeUndefined();
  });

  test('config/gateway.yaml as shipped says what is the default anyway', () => {
    const { source: _shipped, ...shipped } = loadConfig({ GATEWAY_CONFIG: join(root, 'config/gateway.yaml') });
    const empty = loadConfig({ GATEWAY_CONFIG: join(root, 'test/house/empty.yaml') });
    const { source: _empty, ...defaults } = empty;
    expect(shipped).toEqual(defaults);
  });

  test('every setting that config/gateway.yaml shows commented out is one that the gateway knows', () => {
    const shown = read('config/gateway.yaml')
      .replace(/^ {2}# (\w+:)/gm, '  $1')
      .replace(/^#/gm, ' #');
    const settings = parse(shown) as Record<string, Record<string, unknown> | null>;
    const known = loadConfig({ GATEWAY_CONFIG: join(root, 'test/house/empty.yaml') }) as unknown as typeof settings;
    const optional = ['baseUrl', 'publicUrl', 'url', 'urlFile', 'sentinel', 'cluster', 'user', 'passwordFile', 'tls'];
    for (const [room, inside] of Object.entries(settings)) {
      const names = Object.keys(inside ?? {}).filter((name) => !optional.includes(name));
      expect([room, names.filter((name) => !(name in (known[room] ?? {})))]).toEqual([room, []]);
    }
    expect(Object.keys(settings).toSorted()).toEqual(
      Object.keys(known)
        .filter((room) => room !== 'source')
        .toSorted(),
    );
  });
});

describe('The package stays installable and speaks of itself alone', () => {
  test('the lock file names no download addresses', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved":\s*"http/);
    expect(read('.npmrc')).toContain('omit-lockfile-registry-resolved=true');
  });

  test('every dependency is pinned', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
    const all = { ...manifest['dependencies'], ...manifest['devDependencies'], ...manifest['optionalDependencies'] };
    expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test('what continuous integration runs is what the README tells', () => {
    const readme = read('README.md');
    expect(read('.ci/run')).toContain('npm ci && npm test');
    for (const command of ['npm ci && npm start', 'npm ci && npm test']) expect(readme).toContain(command);
  });

  test('every variable of the environment is in the README', () => {
    for (const name of VARIABLES) expect(read('README.md')).toContain(`\`${name}\``);
  });
});
