import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type Config, ConfigError, describeConfig, loadConfig } from '../../src/config/config.ts';
import { type Env, readEnv } from '../../src/config/env.ts';

const directory = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
const file = (yaml: string): string => {
  const path = join(directory, `${++files}.yaml`);
  writeFileSync(path, yaml);
  return path;
};

const load = (yaml: string, env: Env = {}): Config => loadConfig({ GATEWAY_CONFIG: file(yaml), ...env });

const problems = (yaml: string, env: Env = {}): readonly string[] => {
  try {
    load(yaml, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('the configuration', () => {
  test('Without a file and variables, the embedded default on loopback', () => {
    const config = load('');
    expect(config.listen).toMatchObject({
      host: '127.0.0.1',
      port: 8_080,
      privateHost: '127.0.0.1',
      privatePort: 9_090,
    });
    expect(config.mason.origin).toBeUndefined();
    expect(config.lane.engine).toBe('fair');
    expect(config.listen.trustedProxies).toEqual([]);
    expect(isAbsolute(config.gateway.dataDir)).toBe(true);
    expect(config.masterKey).toEqual({ file: resolve('data/master.key'), allowSharedMode: false, given: false });
  });

  test('The file that is shipped says what the defaults are: read, it changes nothing', () => {
    const shipped = loadConfig({ GATEWAY_CONFIG: 'config/gateway.yaml' });
    expect({ ...shipped, source: undefined }).toEqual({ ...load(''), source: undefined });
  });

  test('A room whose settings are all commented out has its defaults', () => {
    expect(load('listen:\nlane:\n  # engine: fair\n').listen.port).toBe(8_080);
  });

  test('Every problem is told at once, with where, what was expected and what came', () => {
    const found = problems(
      'listen: { port: 70000, headersMs: 1 }\ngateway: { id: Upper }\nlane: { engine: faster }\nmason: { connectMs: "1s" }',
      { GATEWAY_PRIVATE_PORT: 'ninety' },
    );
    expect(found).toHaveLength(6);
    const text = found.join('\n');
    expect(text).toMatch(/\.yaml: listen\.port: .*0 to 65535.*got 70000/);
    expect(text).toMatch(/\.yaml: listen\.headersMs: .*100.*got 1/);
    expect(text).toMatch(/\.yaml: gateway\.id: .*lower-case.*got "Upper"/);
    expect(text).toMatch(/\.yaml: lane\.engine: .*"fair".*"bottleneck".*got "faster"/);
    expect(text).toMatch(/\.yaml: mason\.connectMs: .*got "1s"/);
    expect(text).toMatch(/^GATEWAY_PRIVATE_PORT: listen\.privatePort: .*0 to 65535.*got "ninety"$/m);
  });

  test.each([
    ['at the top', 'listn: { port: 1 }', '"listn"'],
    ['in a room', 'listen: { prot: 1 }', 'listen: .*"prot"'],
    [
      'in an operation',
      'operations: [{ id: a, method: GET, path: /v1/a, scope: a:b, effect: read, pages: true }]',
      '"pages"',
    ],
  ])('A word that is not known %s stops the start: a typing error must not become a default', (_, yaml, words) => {
    expect(problems(yaml).join('\n')).toMatch(new RegExp(words));
  });

  test.each([
    ['a name twice', 'listen: {}\nlisten: {}', /unique/],
    ['bad YAML', 'listen: [', /\.yaml: /],
    ['a list', '- a', /expected a mapping of settings at the top level, got a list/],
    ['a text', 'hello', /expected a mapping of settings at the top level, got string/],
    ['a room that is a text', 'listen: hello', /listen: .*expected object.*got "hello"/],
  ])('%s is told, not thrown about', (_, yaml, words) => {
    expect(problems(yaml).join('\n')).toMatch(words);
  });

  test('A file that was named must be there; the default file may be absent', () => {
    expect(() => loadConfig({ GATEWAY_CONFIG: join(directory, 'none.yaml') })).toThrow(
      /none\.yaml: expected a readable file \(GATEWAY_CONFIG\), got ENOENT/,
    );
    expect(() => loadConfig({ GATEWAY_CONFIG: directory })).toThrow(/got EISDIR/);
  });

  test('A variable wins over the file; an empty one is none', () => {
    const yaml =
      'listen: { port: 1000, host: 127.0.0.2 }\nmason: { baseUrl: "https://a.example" }\nmasterKey: { file: /a }';
    const config = load(yaml, {
      GATEWAY_PORT: '2000',
      GATEWAY_DATA_DIR: '/somewhere',
      GATEWAY_MASTER_KEY_FILE: '/b',
      MASON_BASE_URL: 'https://b.example',
    });
    expect(config.listen).toMatchObject({ port: 2_000, host: '127.0.0.2' });
    expect(config.gateway.dataDir).toBe('/somewhere');
    expect(config.masterKey).toMatchObject({ file: '/b', given: true });
    expect(config.mason.origin).toBe('https://b.example');
    expect(readEnv({ GATEWAY_PORT: '', GATEWAY_ID: 'a', HOME: '/root', GATEWAY_TOKEN: 'x' })).toEqual({
      GATEWAY_ID: 'a',
    });
  });

  test.each(['null', 'true', '""', '[]', '"0x50"', '" 80"', '1.5', '-1', '65536', '"1e3"'])(
    'A port of %s is no port',
    (port) => {
      expect(problems(`listen: { port: ${port} }`)).toHaveLength(1);
    },
  );

  test('Waits that contradict each other are refused', () => {
    expect(problems('calls: { waitDefaultMs: 5000, waitMaxMs: 4000 }')).toEqual([
      'calls.waitDefaultMs: expected at most calls.waitMaxMs (4000), got 5000',
    ]);
  });

  test('It is frozen to its depths and can be printed', () => {
    const config = load('operations: [{ id: a, method: GET, path: "/v1/{x}", scope: "a:b", effect: read }]');
    const each = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      Object.values(value).forEach(each);
    };
    each(config);
    expect(JSON.parse(JSON.stringify(describeConfig(config)))).toMatchObject({
      simulated: true,
      lane: { engine: 'fair' },
    });
    expect(describeConfig(loadConfig({ GATEWAY_CONFIG: file(''), MASON_BASE_URL: 'https://a.example' }))).toMatchObject(
      {
        simulated: false,
      },
    );
  });
});

describe('MASON_BASE_URL', () => {
  const origin = (url: string, yaml = ''): string | undefined => load(yaml, { MASON_BASE_URL: url }).mason.origin;
  const refusal = (url: string, yaml = ''): string => problems(yaml, { MASON_BASE_URL: url }).join('\n');

  test.each([
    ['https://api.bymason.com', 'https://api.bymason.com'],
    ['https://api.bymason.com/', 'https://api.bymason.com'],
    ['https://api.bymason.com/v1', 'https://api.bymason.com'],
    ['https://api.bymason.com/v1/', 'https://api.bymason.com'],
    ['HTTPS://API.bymason.com:443', 'https://api.bymason.com'],
    ['https://api.bymason.com:8443', 'https://api.bymason.com:8443'],
    ['http://127.0.0.1:8090', 'http://127.0.0.1:8090'],
    ['http://localhost:8090', 'http://127.0.0.1:8090'],
    ['http://[::1]:8090', 'http://[::1]:8090'],
  ])('%s is taken', (url, expected) => {
    expect(origin(url)).toBe(expected);
  });

  test.each([
    ['http://api.bymason.com', "the team's keys would travel in the clear to api.bymason.com"],
    ['http://10.0.0.5', 'in the clear to 10.0.0.5'],
    ['http://127.0.0.1.evil.example', 'in the clear'],
    ['http://localhost.evil.example', 'in the clear'],
    ['https://api.bymason.com/v2', 'scheme, host and port only'],
    ['https://api.bymason.com/v1/default', 'scheme, host and port only'],
    ['https://api.bymason.com?x=1', 'scheme, host and port only'],
    ['https://api.bymason.com#x', 'scheme, host and port only'],
    ['https://user:pa55word@api.bymason.com', 'scheme, host and port only'],
    ['api.bymason.com', 'an address such as https://api.bymason.com'],
    ['ftp://api.bymason.com', 'an address such as https://api.bymason.com'],
    ['javascript:alert(1)', 'an address such as'],
    ['https://', 'an address such as'],
  ])('%s is refused: %s', (url, words) => {
    expect(refusal(url)).toContain('MASON_BASE_URL');
    expect(refusal(url)).toContain(words);
  });

  test('A password in it is not repeated', () => {
    expect(refusal('https://user:pa55word@api.bymason.com')).not.toContain('pa55word');
    expect(refusal('ftp://user:pa55word@api.bymason.com')).not.toContain('pa55word');
  });

  test('Plain http to a private host needs the host by its very name', () => {
    const yaml = 'mason: { privateHosts: [mason.internal] }';
    expect(origin('http://mason.internal:8080', yaml)).toBe('http://mason.internal:8080');
    expect(refusal('http://x.mason.internal:8080', yaml)).toContain('in the clear');
    expect(refusal('http://mason.internal.:8080', yaml)).toContain('in the clear');
  });
});

describe('operations of one’s own', () => {
  const refusals = (fields: string): string =>
    problems(
      `operations: [{ id: x.y, method: POST, path: "/v1/a/{id}", scope: "fleet:read", effect: change, ${fields} }]`,
    ).join('\n');

  test('A good row is taken, with its defaults', () => {
    const { operations } = load(
      `operations:
        - { id: device.ping, method: POST, path: "/v1/default/device/{id}/ping", scope: "fleet:manager", effect: change,
            targets: [{ kind: device, from: { path: id } }] }
        - { id: device.eat, method: DELETE, path: /v1/default/eat, scope: "fleet:admin", effect: destructive, confirm: eat }`,
    );
    expect(operations[0]).toMatchObject({ id: 'device.ping', paged: false, targets: [{ kind: 'device' }] });
    expect(operations[1]).toMatchObject({ confirm: 'eat', targets: [] });
  });

  test('A path outside /v1, or one that is none, is refused', () => {
    for (const path of [
      '/admin',
      '/v1',
      '/v1/',
      '/v1/a/',
      '/v1//a',
      '/v1/a?b',
      '/v1/{a}x',
      '/v1/{}',
      'v1/a',
      '/v1/%2e%2e',
    ]) {
      const row = `{ id: a, method: GET, path: ${JSON.stringify(path)}, scope: "a:b", effect: read }`;
      expect([path, problems(`operations: [${row}]`).join()]).toEqual([
        path,
        expect.stringContaining('operations.0.path'),
      ]);
    }
  });

  test('A row that would break a promise of the gateway is refused in words', () => {
    const row = (text: string): string => problems(`operations: [{ ${text} }]`).join('\n');
    expect(row('id: a, method: POST, path: /v1/a, scope: "a:b", effect: read')).toMatch(
      /operations\.0\.effect: expected "change", "disruptive" or "destructive" for POST, got "read"/,
    );
    expect(row('id: a, method: GET, path: /v1/a, scope: "a:b", effect: change')).toMatch(/expected "read" for GET/);
    expect(row('id: a, method: POST, path: /v1/a, scope: "a:b", effect: destructive')).toMatch(
      /operations\.0\.confirm: expected the word that Gateway-Confirm must carry/,
    );
    expect(row('id: a, method: GET, path: "/v1/{x}/{x}", scope: "a:b", effect: read')).toMatch(
      /each \{parameter\} once/,
    );
    expect(refusals('targets: [{ kind: device, from: { path: name } }]')).toMatch(
      /operations\.0\.targets\.0\.from\.path: expected a \{parameter\} of the path: "id", got "name"/,
    );
    expect(refusals('targets: [{ kind: fleet, from: { path: id } }]')).toContain('operations.0.targets.0.kind');
    expect(refusals('confirm: "Yes please"')).toContain('operations.0.confirm');
  });
});
