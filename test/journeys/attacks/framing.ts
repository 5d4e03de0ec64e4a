import { type Attack, closing } from './attack.ts';

const POST = 'POST /v1/default/group HTTP/1.1\r\n{auth}';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const SMUGGLED = 'GET /v1/smuggled HTTP/1.1\r\nHost: m\r\n\r\n';
const chunked = (body: string): string => `${POST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n${body}`;
const shown = (value: string): string => JSON.stringify(value);

/** Requests whose length, or whose end, has two readings. */
export const FRAMING: readonly Attack[] = closing([
  [
    'Content-Length and chunked together (CL.TE)',
    'RFC 9112 6.1, 6.3',
    `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  [
    'chunked and Content-Length together (TE.CL)',
    'RFC 9112 6.1, 6.3',
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`,
  ],
  [
    'chunked and a Content-Length of 0',
    'RFC 9112 6.1, 6.3',
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ],
  ['two lengths that differ', 'RFC 9112 6.3', `${POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
  ['two equal lengths', 'RFC 9110 8.6', `${POST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
  ...[
    ...['5, 5', '+5', '-1', '0x5', '5 5', '5;', '5.0', '', '\x0b5', '5e0', '5_'],
    ...['18446744073709551621', '99999999999999999999'],
  ].map(
    (value) => [`a length of ${shown(value)}`, 'RFC 9110 8.6', `${POST}Content-Length: ${value}\r\n\r\nhello`] as const,
  ),
  ...[
    ...[',chunked', '', 'xchunked', 'chunkedx', 'chunked, identity', 'chunked, chunked', 'identity', 'gzip, chunked'],
    ...['chunked;q=1', '"chunked"', 'chunked,', 'chu nked', '\x0bchunked', 'chunked\x0c', 'chunked\x00', 'chunked\xa0'],
  ].map(
    (value) =>
      [
        `a transfer coding of ${shown(value)}`,
        'RFC 9112 6.1, 7',
        `${POST}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`,
        [400, 501],
      ] as const,
  ),
  [
    'a transfer coding twice',
    'RFC 9112 6.1',
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
  ],
  [
    'a transfer coding twice, once in capitals',
    'RFC 9112 6.1',
    `${POST}Transfer-Encoding: chunked\r\nTRANSFER-ENCODING: cow\r\n\r\n0\r\n\r\n`,
  ],
  ['a space behind the name of the coding', 'RFC 9112 5.1', `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
  ['a vertical tab there', 'RFC 9112 5.1', `${POST}Transfer-Encoding\x0b: chunked\r\n\r\n0\r\n\r\n`],
  ['the coding on a folded line', 'RFC 9112 5.2', `${POST}X-A: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['the coding folded', 'RFC 9112 5.2', `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
  ['the coding behind a bare LF', 'RFC 9112 2.2', `${POST}X-A: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['the coding behind a bare CR', 'RFC 9112 2.2', `${POST}X-A: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  [
    'a transfer coding in HTTP/1.0',
    'RFC 9112 6.1',
    'POST /v1/default/group HTTP/1.0\r\n{auth}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ...[
    ...['0_2e', '+5', '-5', '0x5', '11111111111111111', 'fffffffffffffffff', '5 ', ' 5', 'g', '', '5,5', '\x005'],
  ].map(
    (size) => [`a chunk size of ${shown(size)}`, 'RFC 9112 7.1', chunked(`${size}\r\nhello\r\n0\r\n\r\n`)] as const,
  ),
  ['a bare LF behind a chunk size', 'RFC 9112 2.2, 7.1', chunked('5\nhello\r\n0\r\n\r\n')],
  ['a bare CR behind a chunk size', 'RFC 9112 2.2, 7.1', chunked('5\rhello\r\n0\r\n\r\n')],
  ['a bare LF behind a chunk', 'RFC 9112 2.2, 7.1', chunked('5\r\nhello\n0\r\n\r\n')],
  ['a bare LF behind the last chunk', 'RFC 9112 2.2, 7.1', chunked('2\r\n{}\r\n0\n\r\n')],
  ['a bare LF in a chunk extension', 'RFC 9112 7.1.1', chunked('5;a\nb=c\r\nhello\r\n0\r\n\r\n')],
  ['a chunk extension without a name', 'RFC 9112 7.1.1', chunked('5;\r\nhello\r\n0\r\n\r\n')],
  ['NUL in a chunk extension', 'RFC 9112 7.1.1', chunked('5;a\0b\r\nhello\r\n0\r\n\r\n')],
  ['a quote left open in an extension', 'RFC 9112 7.1.1', chunked('5;a="\r\nhello\r\n0\r\n\r\n')],
  ['a chunk longer than its size', 'RFC 9112 7.1', chunked('5\r\nhelloworld\r\n0\r\n\r\n')],
  ['a chunk without its line end', 'RFC 9112 7.1', chunked('5\r\nhello0\r\n\r\n')],
  [
    '64 KB in one chunk extension',
    'RFC 9112 7.1.1',
    chunked(`5;a=${'x'.repeat(65_536)}\r\nhello\r\n0\r\n\r\n`),
    [400, 413],
  ],
  ['a trailer that is no header line', 'RFC 9112 7.1.2', chunked('0\r\nbroken\r\n\r\n')],
  ['a trailer with a bare LF', 'RFC 9112 2.2, 7.1.2', chunked('0\r\nX-A: a\nX-B: b\r\n\r\n')],
  ['a trailer with NUL', 'RFC 9110 5.5', chunked('0\r\nX-A: a\0\r\n\r\n')],
  ['a trailer named Content-Length', 'RFC 9110 6.5.1', chunked('2\r\n{}\r\n0\r\nContent-Length: 3\r\n\r\n')],
  [
    'a trailer named Transfer-Encoding',
    'RFC 9110 6.5.1',
    chunked('2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'),
  ],
  ['64 KB of trailers', 'RFC 6585 5', chunked(`2\r\n{}\r\n0\r\nX-A: ${'x'.repeat(65_536)}\r\n\r\n`), [400, 431]],
  [
    'a length beyond what a body may have',
    'RFC 9110 15.5.14',
    `${POST}Content-Length: 1048577\r\n\r\n${SMUGGLED}`,
    [413],
  ],
  ['a length of nearly 2^53', 'RFC 9110 15.5.14', `${POST}Content-Length: 9007199254740991\r\n\r\n${SMUGGLED}`, [413]],
  [
    'a length of nearly 2^64',
    'RFC 9110 8.6',
    `${POST}Content-Length: 18446744073709551615\r\n\r\n${SMUGGLED}`,
    [400, 413],
  ],
]);
