import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatewayError } from '../../src/domain/errors.ts';
import { passGate } from '../../src/session/cross-site-gate.ts';

const OWN = 'https://gateway.example.com';
const APP = { origin: 'https://app.example.com', teams: ['acme'] };
const RULES = { ownOrigin: OWN, frontends: [APP] };

type Headers = Record<string, string>;

/** `own`, the origin of the frontend, or the code of the refusal. */
function verdict(method: string, headers: Headers, ticket?: { origin: string | undefined }, rules = RULES): string {
  try {
    return passGate({ method, headers: { host: 'gateway.example.com', ...headers } }, rules, ticket)?.origin ?? 'own';
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

const HEADER = { 'x-requested-by': 'page' };
const SAFE = ['GET', 'HEAD', 'OPTIONS'];
const UNSAFE = ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'LINK', 'get', 'Get'];

describe('C1: the static header, on every method', () => {
  test.each([...SAFE, ...UNSAFE])('%s without it is refused, whatever else is said', (method) => {
    for (const site of ['same-origin', 'none', undefined]) {
      for (const origin of [OWN, APP.origin, undefined]) {
        const headers: Headers = { ...(site && { 'sec-fetch-site': site }), ...(origin && { origin }) };
        expect(verdict(method, headers)).toBe('csrf_refused');
        expect(verdict(method, { ...headers, 'x-requested-by': '' })).toBe('csrf_refused');
      }
    }
  });

  test('the refusal says what was expected', () => {
    expect(() => passGate({ method: 'GET', headers: {} }, RULES, undefined)).toThrow(
      /expected the header "X-Requested-By"/,
    );
  });
});

describe('C2 and C3: what browsers say of the page that asks', () => {
  const sites = ['same-origin', 'none', 'same-site', 'cross-site', 'new-word', '', undefined];
  const origins = [OWN, APP.origin, undefined, 'null', 'https://evil.example.com', '*', ''];
  const expected = (method: string, site: string | undefined, origin: string | undefined): string => {
    if (origin === APP.origin) return APP.origin;
    if (origin === OWN) return 'own';
    if (origin !== undefined) return 'csrf_refused';
    if (site === 'same-origin' || site === 'none') return 'own';
    if (site !== undefined) return 'csrf_refused';
    return SAFE.includes(method) ? 'own' : 'csrf_refused';
  };
  const matrix = [...SAFE, ...UNSAFE].flatMap((method) =>
    sites.flatMap((site) => origins.map((origin) => [method, site, origin] as const)),
  );

  test.each(matrix)('%s, Sec-Fetch-Site %p, Origin %p', (method, site, origin) => {
    const headers: Headers = {
      ...HEADER,
      ...(site === undefined ? {} : { 'sec-fetch-site': site }),
      ...(origin === undefined ? {} : { origin }),
    };
    expect(verdict(method, headers)).toBe(expected(method, site, origin));
  });

  test.each([
    'https://app.example.com.evil.test',
    'https://evil.test/https://app.example.com',
    'http://app.example.com',
    'HTTPS://APP.EXAMPLE.COM',
    'https://app.example.com.',
    'https://app.example.com/',
    'https://app.example.com:443',
    'https://app.example.com, https://evil.test',
    'https://user@app.example.com',
    'app.example.com',
    'https://',
    'file://',
    'chrome-extension://abc',
    'null',
  ])('"%s" is not a listed origin', (origin) => {
    for (const method of [...SAFE, ...UNSAFE]) {
      expect(verdict(method, { ...HEADER, origin, 'sec-fetch-site': 'same-origin' })).toBe('csrf_refused');
    }
  });

  test('nobody of another origin gets through, whatever is sent', () => {
    const word = fc.constantFrom('same-origin', 'none', 'same-site', 'cross-site', '', 'x');
    const foreign = fc.webUrl({ validSchemes: ['https', 'http'] }).map((url) => new URL(url).origin);
    fc.assert(
      fc.property(fc.constantFrom(...SAFE, ...UNSAFE), fc.option(word), foreign, (method, site, origin) => {
        fc.pre(origin !== OWN && origin !== APP.origin);
        const headers = { ...HEADER, origin, ...(site === null ? {} : { 'sec-fetch-site': site }) };
        expect(verdict(method, headers)).toBe('csrf_refused');
      }),
    );
  });
});

describe('without a public address, the gateway is whatever loopback name the browser used', () => {
  const rules = { ownOrigin: undefined as unknown as string, frontends: [] };
  test.each([
    ['localhost:8080', 'http://localhost:8080', 'own'],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080', 'own'],
    ['[::1]:8080', 'http://[::1]:8080', 'own'],
    ['localhost:8080', 'http://localhost:5173', 'csrf_refused'],
    ['localhost:8080', 'https://localhost:8080', 'csrf_refused'],
    ['127.0.0.1:8080', 'http://localhost:8080', 'csrf_refused'],
    // A name of a stranger's that leads here: DNS rebinding.
    ['evil.test:8080', 'http://evil.test:8080', 'csrf_refused'],
    ['127.evil.test:8080', 'http://127.evil.test:8080', 'csrf_refused'],
    ['localhost.evil.test', 'http://localhost.evil.test', 'csrf_refused'],
  ])('Host %s, Origin %s: %s', (host, origin, expected) => {
    expect(verdict('POST', { ...HEADER, host, origin }, undefined, rules)).toBe(expected);
  });
});

describe('a ticket stands in for the header', () => {
  const own = { origin: undefined };
  const app = { origin: APP.origin };

  test.each([
    ['own page, navigation', own, { 'sec-fetch-site': 'same-origin' }, 'own'],
    ['own page, an old browser', own, {}, 'own'],
    ['own ticket carried to a sibling', own, { 'sec-fetch-site': 'same-site' }, 'csrf_refused'],
    ['own ticket carried to another site', own, { 'sec-fetch-site': 'cross-site' }, 'csrf_refused'],
    ['own ticket used by a frontend', own, { origin: APP.origin }, 'csrf_refused'],
    ['a frontend, navigation', app, { 'sec-fetch-site': 'same-site' }, APP.origin],
    ["a frontend's ticket used by a page of ours", app, { origin: OWN }, 'csrf_refused'],
    ['a frontend that is listed no more', { origin: 'https://old.example.com' }, {}, 'csrf_refused'],
    ['a foreign origin', app, { origin: 'https://evil.test' }, 'csrf_refused'],
    ['an opaque origin', own, { origin: 'null' }, 'csrf_refused'],
  ])('%s', (_what, ticket, headers, expected) => {
    expect(verdict('GET', headers as Headers, ticket)).toBe(expected);
  });
});

describe('C8: a WebSocket upgrade by cookie needs a ticket and a listed Origin', () => {
  const upgrade = { upgrade: 'websocket', ...HEADER };
  test.each([
    ['neither', {}, undefined, 'csrf_refused'],
    ['no ticket', { origin: OWN }, undefined, 'csrf_refused'],
    ['no origin', {}, { origin: undefined }, 'csrf_refused'],
    ['a foreign origin', { origin: 'https://evil.test' }, { origin: undefined }, 'csrf_refused'],
    ['both', { origin: OWN }, { origin: undefined }, 'own'],
    ['both, of a frontend', { origin: APP.origin }, { origin: APP.origin }, APP.origin],
  ])('%s', (_what, headers, ticket, expected) => {
    expect(verdict('GET', { ...upgrade, ...headers } as Headers, ticket)).toBe(expected);
  });
});
