import { type Attack, closing, staying } from './attack.ts';

const GET = 'GET /v1/default/device?limit=1 HTTP/1.1\r\n';
const TOKEN = 'Authorization: Bearer {token}\r\n';
const besides = (lines: string): string => `${GET}{auth}${lines}\r\n`;

const HOSTS = [
  ...[
    'a, b',
    '',
    'user@host',
    'host/path',
    'host:port',
    'host:123456',
    'host:',
    'host:-1',
    'host?x',
    'host#x',
    'host\\x',
  ],
  ...['[::1', '::1', 'a b', 'a\tb', '\xe4', '../x', 'a;b', 'a%00', 'http://host', '"host"'],
];

/** Everything that gives nobody an identity. */
const IDENTITIES = [
  'X-Forwarded-User: root',
  'X_Forwarded_User: root',
  'X-Auth-Request-User: root',
  'X-Auth-Request-Email: root@example.com',
  'X-Remote-User: root',
  'Remote-User: root',
  'X-Forwarded-For: 127.0.0.1',
  'X-Real-Ip: 127.0.0.1',
  'X-Original-Url: /livez',
  'X-Forwarded-Uri: /livez',
  'X-Forwarded-Proto: https',
  'X-Authenticated: true',
  'X-Client-Verified: SUCCESS',
  'X-Ssl-Client-Verify: SUCCESS',
  'X-Internal: 1',
  'X-Admin: 1',
  'Gateway-Team: alpha',
  'Proxy-Authorization: Bearer {token}',
  'Cookie: token={token}; session={token}',
  'X-Api-Key: {token}',
  'X-Authorization: Bearer {token}',
  'Authorization_: Bearer {token}',
];

/** A bad credential is not repeated in the answer. */
export const GUESSED = 'hunter2';

const CREDENTIALS: readonly (readonly [name: string, value: string])[] = [
  ['nothing', ''],
  ['a scheme alone', 'Bearer'],
  ['a foreign scheme', 'Digest username="a"'],
  ['two tokens', 'Bearer {token} {token}'],
  ['a comma and more', 'Bearer {token}, Bearer {token}'],
  ['12 KB', `Bearer ${GUESSED.repeat(1_700)}`],
  ['bytes above ASCII', 'Bearer \xe4\xff'],
  ['the key of the team', 'basic {key}'],
  ['base64 as in RFC 7617', 'Basic bWd3Xzp4'],
];

/** Header lines with two readings, too many of them, or that claim what they cannot. */
export const FIELDS: readonly Attack[] = [
  ...closing([
    ...HOSTS.map(
      (value) =>
        [`a Host of ${JSON.stringify(value)}`, 'RFC 9112 3.2', `${GET}Host: ${value}\r\n${TOKEN}\r\n`] as const,
    ),
    ['two Hosts', 'RFC 9112 3.2', besides('Host: other\r\n')],
    ['two equal Hosts', 'RFC 9112 3.2', besides('Host: {host}\r\n')],
    ['two Hosts, one with a space behind its name', 'RFC 9112 5.1', besides('Host : other\r\n')],
    ['no Host', 'RFC 9112 3.2', `${GET}${TOKEN}\r\n`],
    ['an odd Host in HTTP/1.0', 'RFC 9112 3.2', `GET /v1/default/device HTTP/1.0\r\nHost: a, b\r\n${TOKEN}\r\n`],
    ['two Authorizations', 'RFC 9110 5.3', besides('Authorization: Bearer other\r\n')],
    ['two Content-Types', 'RFC 9110 5.3', besides('Content-Type: a/b\r\nContent-Type: c/d\r\n')],
    ['two Idempotency-Keys', 'RFC 9110 5.3', besides('Idempotency-Key: a\r\nidempotency-key: b\r\n')],
    ['a folded line', 'RFC 9112 5.2', besides('X-A: a\r\n b\r\n')],
    ['a line folded by a tab', 'RFC 9112 5.2', besides('X-A: a\r\n\tHost: evil\r\n')],
    ['a space before the colon', 'RFC 9112 5.1', besides('X-A : a\r\n')],
    ['a tab before the colon', 'RFC 9112 5.1', besides('X-A\t: a\r\n')],
    ['a space before the first header', 'RFC 9112 2.2', `${GET} X-A: a\r\n{auth}\r\n`],
    ['NUL in a value', 'RFC 9110 5.5', besides('X-A: a\0b\r\n')],
    ['CR in a value', 'RFC 9110 5.5', besides('X-A: a\rHost: evil\r\n')],
    ['a bare LF in a value', 'RFC 9112 2.2', besides('X-A: a\nHost: evil\r\n')],
    ['a bare LF before the empty line', 'RFC 9112 2.2', `${GET}{auth}X-A: a\n\r\n`],
    ['a control character in a value', 'RFC 9110 5.5', besides('X-A: a\x01b\r\n')],
    ['DEL in a value', 'RFC 9110 5.5', besides('X-A: a\x7fb\r\n')],
    ['an empty name', 'RFC 9112 5', besides(': a\r\n')],
    ['a name with a space', 'RFC 9112 5.1', besides('X A: a\r\n')],
    ['a name above ASCII', 'RFC 9112 5.1', besides('X-\xe4: a\r\n')],
    ['NUL in a name', 'RFC 9112 5.1', besides('X-\0A: a\r\n')],
    ['a name in a quote', 'RFC 9110 5.1', besides('"X-A": a\r\n')],
    ['a line without a colon', 'RFC 9112 5', besides('nothing\r\n')],
    ['a line of 17 KB', 'RFC 6585 5', besides(`X-A: ${'a'.repeat(17_000)}\r\n`), [431]],
    ['a name of 17 KB', 'RFC 6585 5', besides(`${'a'.repeat(17_000)}: a\r\n`), [431]],
    ['2,000 headers', 'RFC 6585 5', besides('a: b\r\n'.repeat(2_000)), [431]],
    ['2,000 headers without a value', 'RFC 6585 5', besides('a:\r\n'.repeat(2_000)), [431]],
    [
      '20,000 headers',
      'RFC 6585 5',
      besides(Array.from({ length: 20_000 }, (_, at) => `X-${at}: b\r\n`).join('')),
      [431],
    ],
    ['101 headers', 'RFC 6585 5', besides('a: b\r\n'.repeat(99)), [431]],
    [
      'an unknown expectation with a body',
      'RFC 9110 10.1.1',
      'POST /v1/default/group HTTP/1.1\r\n{auth}Expect: coffee\r\nContent-Length: 5\r\n\r\nhello',
      [417],
    ],
    [
      'an expectation of a body that is too large',
      'RFC 9110 10.1.1',
      'POST /v1/default/group HTTP/1.1\r\n{auth}Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n',
      [413],
    ],
  ]),
  ...staying([
    ['an unknown expectation', 'RFC 9110 10.1.1', besides('Expect: 200-maybe\r\n'), [417]],
    ...IDENTITIES.map(
      (line) =>
        [
          `an identity by "${line}"`,
          'CVE-2025-64484, CVE-2026-34457',
          `${GET}Host: m\r\n${line}\r\n\r\n`,
          [401],
        ] as const,
    ),
    ...CREDENTIALS.map(
      ([name, value]) =>
        [
          `an Authorization of ${name}`,
          'RFC 6750 2.1',
          `${GET}Host: m\r\nAuthorization: ${value}\r\n\r\n`,
          [401],
        ] as const,
    ),
  ]),
];
