import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ConfigError, loadConfig } from '../../src/config/config.ts';

const directory = mkdtempSync(join(tmpdir(), 'browser-settings-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;

/** What stops the start; nothing when it starts. */
function problems(yaml: string, env: Record<string, string> = {}): readonly string[] {
  const path = join(directory, `${++files}.yaml`);
  writeFileSync(path, yaml);
  try {
    loadConfig({ GATEWAY_CONFIG: path, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const PROVIDER = '{ id: a, issuer: "https://login.test", clientId: x }';
const HTTPS = 'listen: { publicUrl: "https://gateway.test" }';

describe('A2: contradictory settings for browsers stop the start, and the message names the setting', () => {
  test.each([
    ['SameSite=None', 'sessions: { cookie: { sameSite: none } }', /sessions\.cookie\.sameSite/],
    [
      'https without Secure',
      `${HTTPS}\nsessions: { cookie: { secure: false } }`,
      /sessions\.cookie\.secure: expected true/,
    ],
    [
      'Secure without https',
      'sessions: { cookie: { secure: true } }',
      /sessions\.cookie\.secure: expected false.*not set/,
    ],
    [
      'Secure on plain loopback',
      'listen: { publicUrl: "http://localhost:8080" }\nsessions: { cookie: { secure: true } }',
      /sessions\.cookie\.secure: expected false/,
    ],
    ['cookies in the clear', 'listen: { publicUrl: "http://gateway.test" }', /listen\.publicUrl.*expected https/],
    [
      'TLS under an address without it',
      'listen: { publicUrl: "http://localhost:8080", tls: { certFile: a, keyFile: b } }',
      /listen\.publicUrl.*expected the https address.*got http:/,
    ],
    ['TLS without an address', 'listen: { tls: { certFile: a, keyFile: b } }', /listen\.publicUrl.*https.*got none/],
    [
      'a certificate without its key',
      'listen: { publicUrl: "https://gateway.test", tls: { certFile: a } }',
      /listen\.tls\.keyFile/,
    ],
    [
      'an old TLS',
      'listen: { publicUrl: "https://gateway.test", tls: { certFile: a, keyFile: b, minVersion: TLSv1.1 } }',
      /listen\.tls\.minVersion/,
    ],
    ['a path in the address', 'listen: { publicUrl: "https://gateway.test/x" }', /listen\.publicUrl/],
    ['a default port', 'listen: { publicUrl: "https://gateway.test:443" }', /listen\.publicUrl/],
    ['upper case', 'listen: { publicUrl: "https://Gateway.test" }', /listen\.publicUrl/],
    ['idle longer than all', 'sessions: { idleMs: 5000, absoluteMs: 4000 }', /sessions\.idleMs: expected at most/],
    ['a provider, and no way back', `signIn: { providers: [${PROVIDER}] }`, /listen\.publicUrl/],
    [
      'the same provider twice',
      `${HTTPS}\nsignIn: { providers: [${PROVIDER}, ${PROVIDER}] }`,
      /providers\.1\.id: expected each once/,
    ],
    [
      'an issuer in the clear',
      `${HTTPS}\nsignIn: { providers: [{ id: a, issuer: "http://login.test", clientId: x }] }`,
      /providers\.0\.issuer: expected https/,
    ],
    [
      'a frontend in the clear',
      'frontends: [{ origin: "http://app.test", teams: [acme] }]',
      /frontends\.0\.origin: expected https/,
    ],
    ['any frontend', 'frontends: [{ origin: "*", teams: [acme] }]', /frontends\.0\.origin/],
    ['an opaque frontend', 'frontends: [{ origin: "null", teams: [acme] }]', /frontends\.0\.origin/],
    ['a pattern', 'frontends: [{ origin: "https://*.app.test", teams: [acme] }]', /frontends\.0\.origin/],
    ['a trailing slash', 'frontends: [{ origin: "https://app.test/", teams: [acme] }]', /frontends\.0\.origin/],
    ['a frontend of no team', 'frontends: [{ origin: "https://app.test", teams: [] }]', /frontends\.0\.teams/],
    [
      'a frontend twice',
      'frontends: [{ origin: "https://app.test", teams: [a] }, { origin: "https://app.test", teams: [b] }]',
      /frontends\.1\.origin: expected each once/,
    ],
    ['a proxy by name', 'listen: { trustedProxies: [proxy.test] }', /listen\.trustedProxies/],
    ['any proxy', 'listen: { trustedProxies: ["*"] }', /listen\.trustedProxies/],
  ])('%s', (_what, yaml, expected) => {
    const found = problems(yaml);
    expect(found).not.toEqual([]);
    for (const problem of found) expect(problem).toMatch(expected);
  });

  test.each([
    ['nothing said', ''],
    ['https', HTTPS],
    ['https, Secure said', `${HTTPS}\nsessions: { cookie: { secure: true, sameSite: lax } }`],
    ['plain loopback', 'listen: { publicUrl: "http://localhost:8080" }\nsessions: { cookie: { secure: false } }'],
    ['plain IPv6 loopback', 'listen: { publicUrl: "http://[::1]:8080" }'],
    ['a frontend in development', 'frontends: [{ origin: "http://localhost:5173", teams: [acme] }]'],
    ['a provider', `${HTTPS}\nsignIn: { providers: [${PROVIDER}] }`],
  ])('%s is fine', (_what, yaml) => {
    expect(problems(yaml)).toEqual([]);
  });

  test('the address from the environment is held to the same', () => {
    expect(problems('', { GATEWAY_PUBLIC_URL: 'http://gateway.test' })[0]).toMatch(
      /GATEWAY_PUBLIC_URL.*expected https/,
    );
  });
});
