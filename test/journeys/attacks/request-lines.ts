import { type Attack, closing, staying } from './attack.ts';

const AT = '/v1/default/device';

/** What is no HTTP/1.1, and methods that are not served. */
export const REQUEST_LINES: readonly Attack[] = [
  ...closing([
    ['an HTTP/2 preface', 'RFC 9113 3.4', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'],
    ['a TLS hello', 'RFC 9112 3', `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${'\x7f'.repeat(500)}`],
    [
      'binary garbage',
      'RFC 9112 3',
      String.fromCharCode(...Array.from({ length: 4_000 }, (_, at) => (at * 7_919 + 3) % 256)),
    ],
    ['an SSH greeting', 'RFC 9112 3', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a PROXY line', 'RFC 9112 3', `PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET ${AT} HTTP/1.1\r\n{auth}\r\n`],
    ['HTTP/0.9', 'RFC 9112 2.3', `GET ${AT}\r\n\r\n`],
    ...[
      'HTTP/1.2',
      'HTTP/3.0',
      'HTTP/2.0',
      'HTTP/01.1',
      'HTTP/1.10',
      'HTTP/0.9',
      'HTTP/1.9',
      'HTTP/1,1',
      'HTTP/1.',
      'HTTP/.1',
      'HTTP 1.1',
    ].map((version) => [`a version of ${version}`, 'RFC 9112 2.3', `GET ${AT} ${version}\r\n{auth}\r\n`] as const),
    ['a lower-case version', 'RFC 9112 2.3', `GET ${AT} http/1.1\r\n{auth}\r\n`],
    ['another protocol', 'RFC 9112 2.3', `GET ${AT} ICAP/1.1\r\n{auth}\r\n`],
    ['a word behind the version', 'RFC 9112 3', `GET ${AT} HTTP/1.1 more\r\n{auth}\r\n`],
    ['a tab in the request line', 'RFC 9112 3', `GET\t${AT} HTTP/1.1\r\n{auth}\r\n`],
    ['a tab behind the target', 'RFC 9112 3', `GET ${AT}\tHTTP/1.1\r\n{auth}\r\n`],
    ['a bare CR in the request line', 'RFC 9112 2.2', `GET ${AT}\rHTTP/1.1\r\n{auth}\r\n`],
    ['a bare CR behind the request line', 'RFC 9112 2.2', `GET ${AT} HTTP/1.1\r{auth}\r\n`],
    ['lines that end in LF alone', 'RFC 9112 2.2', `GET ${AT} HTTP/1.1\nHost: m\n\n`],
    ['no target', 'RFC 9112 3.2', 'GET HTTP/1.1\r\n{auth}\r\n'],
    ['no method', 'RFC 9112 3.1', `${AT} HTTP/1.1\r\n{auth}\r\n`],
    ['a method of 17 KB', 'RFC 9112 3', `${'G'.repeat(17_000)} / HTTP/1.1\r\n{auth}\r\n`],
    ['a method in a quote', 'RFC 9110 9.1', `"GET" ${AT} HTTP/1.1\r\n{auth}\r\n`],
    ...['FOO', 'get', 'GETT', 'PRI', 'GE\0T'].map(
      (method) =>
        [
          `a method of ${JSON.stringify(method)}`,
          'RFC 9110 9.1',
          `${method} ${AT} HTTP/1.1\r\n{auth}\r\n`,
          [400, 501],
        ] as const,
    ),
    // RFC 9110 section 9.3.8: must not send back what is sensitive; the runner looks for the token in each answer.
    ['TRACE', 'RFC 9110 9.3.8', `TRACE ${AT} HTTP/1.1\r\n{auth}Cookie: s={token}\r\n\r\n`, [405]],
    ['TRACE with a body', 'RFC 9110 9.3.8', `TRACE ${AT} HTTP/1.1\r\n{auth}Content-Length: 5\r\n\r\nhello`, [405]],
    [
      'CONNECT to a stranger',
      'RFC 9110 9.3.6',
      'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
      [405],
    ],
    ['CONNECT to here', 'RFC 9110 9.3.6', 'CONNECT {host} HTTP/1.1\r\n{auth}\r\n', [405]],
    ['CONNECT with a path', 'RFC 9112 3.2.3', `CONNECT ${AT} HTTP/1.1\r\n{auth}\r\n`, [400, 405]],
    [
      'CONNECT with a tunnelled request behind it',
      'RFC 9110 9.3.6',
      `CONNECT {host} HTTP/1.1\r\n{auth}\r\nGET ${AT} HTTP/1.1\r\n{auth}\r\n`,
      [405],
    ],
    ['GET *', 'RFC 9112 3.2.4', 'GET * HTTP/1.1\r\n{auth}\r\n'],
    ['OPTIONS **', 'RFC 9112 3.2.4', 'OPTIONS ** HTTP/1.1\r\n{auth}\r\n'],
    ['a URL of 65 KB', 'RFC 9110 15.5.15', `GET /v1/${'a'.repeat(65_000)} HTTP/1.1\r\n{auth}\r\n`, [414, 431]],
    ['a query of 9 KB', 'RFC 9110 15.5.15', `GET ${AT}?${'a'.repeat(9_000)} HTTP/1.1\r\n{auth}\r\n`, [414]],
  ]),
  ...staying(
    ['PATCH', 'PUT', 'DELETE', 'POST', 'PROPFIND', 'QUERY', 'PURGE', 'LOCK', 'M-SEARCH'].map(
      (method) =>
        [
          `${method} where it is not known`,
          'RFC 9110 15.5.6',
          `${method} ${AT} HTTP/1.1\r\n{auth}\r\n`,
          [405],
        ] as const,
    ),
  ),
];
