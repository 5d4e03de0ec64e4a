import { type Attack, closing, staying } from './attack.ts';

/** Targets that two servers might read differently; none may be repaired, and none may reach Mason. */
const HOSTILE: readonly (readonly [danger: string, target: string])[] = [
  ['a raw parent segment', '/v1/default/../default/device'],
  ['a raw parent segment out of the prefix', '/v1/../admin'],
  ['a parent segment at the end', '/v1/default/device/..'],
  ['a raw dot segment', '/v1/./default/device'],
  ['a dot segment at the end', '/v1/default/device/.'],
  ['an encoded parent segment', '/v1/default/%2e%2e/default/device'],
  ['an encoded parent segment in capitals', '/v1/default/%2E%2E/default/device'],
  ['a half encoded parent segment', '/v1/default/.%2e/default/device'],
  ['the other half encoded', '/v1/default/%2e./default/device'],
  ['an encoded dot segment', '/v1/%2e/default/device'],
  ['a parent segment behind an encoded slash', '/v1/default/device/..%2fgroup'],
  ['an encoded slash', '/v1/default/device/a%2fb'],
  ['an encoded slash in capitals', '/v1/default/device/a%2Fb'],
  ['a double encoded dot', '/v1/default/%252e%252e/device'],
  ['a double encoded slash', '/v1/default/device/a%252fb'],
  ['a thrice encoded slash', '/v1/default/device/a%25252fb'],
  ['a double encoded backslash', '/v1/default/device/a%255cb'],
  ['an encoded backslash', '/v1/default/device/a%5cb'],
  ['a raw backslash', '/v1/default/device/a\\b'],
  ['a parent segment behind a backslash', '/v1/default\\..\\device'],
  ['overlong UTF-8 for a dot', '/v1/default/%c0%ae%c0%ae/device'],
  ['overlong UTF-8 for a slash', '/v1/default/device/a%c0%afb'],
  ['three byte overlong UTF-8 for a slash', '/v1/default/device/a%e0%80%afb'],
  ['a surrogate in UTF-8', '/v1/default/device/%ed%a0%80'],
  ['UTF-8 that ends early', '/v1/default/device/%e2%82'],
  ['a full-width slash', '/v1/default/device/a%ef%bc%8fb'],
  ['a full-width backslash', '/v1/default/device/a%ef%bc%bcb'],
  ['full-width dots', '/v1/default/%ef%bc%8e%ef%bc%8e/device'],
  ['a two dot leader', '/v1/default/%e2%80%a5/device'],
  ['one dot leaders', '/v1/default/%e2%80%a4%e2%80%a4/device'],
  ['a full-width percent sign before hex digits', '/v1/default/%ef%bc%852e%ef%bc%852e/device'],
  ['raw bytes above 0x7f', '/v1/default/device/\xe4'],
  ['raw full-width dots', '/v1/default/\xef\xbc\x8e\xef\xbc\x8e/device'],
  ['a path parameter', '/v1/default/device;a=b'],
  ['a path parameter on a parent segment', '/v1/default/..;/device'],
  ['an encoded ";" on a parent segment', '/v1/default/..%3b/device'],
  ['an encoded ";" on encoded dots', '/v1/default/%2e%2e%3bx/device'],
  ['a session id as path parameter', '/v1/default/device;jsessionid=1'],
  ['an empty segment', '/v1//default/device'],
  ['two slashes at the beginning', '//v1/default/device'],
  ['three slashes at the beginning', '///v1/default/device'],
  ['another host behind two slashes', '//evil.example/v1/default/device'],
  ['another host behind a backslash', '/\\evil.example/v1/default/device'],
  ['an encoded NUL', '/v1/default/device/a%00b'],
  ['an encoded line break', '/v1/default/device/a%0d%0aX-Injected:%20yes'],
  ['an encoded LF', '/v1/default/device/a%0ab'],
  ['an encoded tab', '/v1/default/device/a%09b'],
  ['an encoded DEL', '/v1/default/device/a%7fb'],
  ['a raw fragment', '/v1/default/device#/public'],
  ['a fragment in the query', '/v1/default/device?a=b#c'],
  ['bytes above 0x7f in the query', '/v1/default/device?a=\xe4\xff'],
  ['a URL as path', '/http://evil.example/v1'],
  ['a percent sign without digits', '/v1/default/device/%zz'],
  ['a percent sign at the end', '/v1/default/device/%'],
  ['a percent sign with one digit', '/v1/default/device/%2'],
  ['IIS Unicode encoding', '/v1/default/device/%u002e%u002e'],
  ['an angle bracket', '/v1/default/device/<script>'],
  ['a caret', '/v1/default/device/^'],
  ['a pipe', '/v1/default/device/|'],
  ['a quote', '/v1/default/device/"'],
  ['the authority of a stranger', 'http://evil.example/v1/default/device'],
  ['the authority of a stranger, https', 'https://evil.example/v1/default/device'],
  ['user information before the host', 'http://m@evil.example/v1/default/device'],
  ['another scheme', 'ftp://m/v1/default/device'],
  ['file:', 'file:///etc/passwd'],
  ['no slash at the beginning', 'v1/default/device'],
  ['an asterisk', '*'],
  ['an authority alone', 'evil.example:443'],
  ['a user and a host', '@evil.example/v1/default/device'],
];

/** Well formed, and nothing that Mason has: never tried there. */
const UNKNOWN: readonly (readonly [danger: string, target: string])[] = [
  ['a user and a host behind a slash', '/@evil.example/v1/default/device'],
  ['capitals in the prefix', '/V1/default/device'],
  ['capitals in an operation', '/v1/default/DEVICE'],
  ['an encoded letter in an operation', '/v1/default/devic%65'],
  ['an encoded prefix', '/%76%31/default/device'],
  ['a slash at the end', '/v1/default/device/'],
  ['two parameters where one belongs (one segment each)', '/v1/default/device/x/y'],
  ['a prefix of the prefix', '/v1'],
  ['the prefix and a slash', '/v1/'],
  ['what looks like the prefix', '/v1.evil/default/device'],
  ['a longer prefix', '/v10/default/device'],
  ['the metrics (security D8)', '/metrics'],
  ['a public path in the query (CVE-2025-54576)', '/admin?x=/v1/default/device'],
  ["the simulator's own controls", '/_sim/stats'],
  ['the prototype of objects', '/v1/default/__proto__'],
  ['a method of objects', '/v1/constructor'],
];

const BODY = '{"devices":["all"]}';
const SOURCE = 'RFC 3986 5.2.4, 6.2; RFC 9112 3.2';

/** Each hostile target once read and once changed; and what is nowhere. */
export const TARGETS: readonly Attack[] = [
  ...closing([
    ...HOSTILE.map(
      ([danger, target]) => [`${danger}: ${target}`, SOURCE, `GET ${target} HTTP/1.1\r\n{auth}\r\n`] as const,
    ),
    ...HOSTILE.map(
      ([danger, target]) =>
        [
          `${danger}, of a change: ${target}`,
          SOURCE,
          `POST ${target} HTTP/1.1\r\n{auth}Content-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
        ] as const,
    ),
    ...['\0', '\r', '\n', '\t', '\x0b', '\x7f', ' '].map(
      (character) =>
        [
          `a raw ${JSON.stringify(character)} in the path`,
          'RFC 3986 3.3',
          `GET /v1/default/device/a${character}b HTTP/1.1\r\n{auth}\r\n`,
        ] as const,
    ),
  ]),
  ...staying(
    UNKNOWN.map(
      ([danger, target]) =>
        [`${danger}: ${target}`, 'RFC 9110 15.5.5', `GET ${target} HTTP/1.1\r\n{auth}\r\n`, [404]] as const,
    ),
  ),
];
