import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatewayError } from '../../src/domain/errors.ts';
import { checkRequest, HEADERS_MAX } from '../../src/http/request-rules.ts';

/** A request as Node's parser hands it on: of repeated headers that may come once, the first is kept. */
function request(rawHeaders: readonly string[], rest: Partial<IncomingMessage> = {}): IncomingMessage {
  const headers: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers[(rawHeaders[at] as string).toLowerCase()] ??= rawHeaders[at + 1] as string;
  return { method: 'GET', url: '/v1', httpVersion: '1.1', rawHeaders, headers, ...rest } as IncomingMessage;
}

function codeOf(req: IncomingMessage): string {
  try {
    checkRequest(req);
    return 'taken';
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

const SINGLE = [
  'host',
  'authorization',
  'content-type',
  'content-length',
  'transfer-encoding',
  'idempotency-key',
  'gateway-confirm',
  'gateway-team',
  'prefer',
];

test.each(SINGLE)('%s twice is refused, in whatever case (RFC 9110 5.3)', (name) => {
  const value = name === 'host' ? 'm' : '1';
  const hosted = name === 'host' ? [] : ['Host', 'm'];
  expect(codeOf(request([...hosted, name, value, name.toUpperCase(), value]))).toBe('invalid_request');
});

test.each<[string, IncomingMessage, string]>([
  ['one Host', request(['Host', 'm']), 'taken'],
  ['an IPv6 host', request(['Host', '[::1]:80']), 'taken'],
  ['no Host', request([]), 'invalid_request'],
  ['no Host in HTTP/1.0', request([], { httpVersion: '1.0' }), 'taken'],
  ['an empty Host', request(['Host', '']), 'invalid_request'],
  ['an empty Host in HTTP/1.0', request(['Host', ''], { httpVersion: '1.0' }), 'invalid_request'],
  ['chunked', request(['Host', 'm', 'Transfer-Encoding', 'Chunked']), 'taken'],
  [
    'chunked and a length',
    request(['Host', 'm', 'Transfer-Encoding', 'chunked', 'Content-Length', '1']),
    'invalid_request',
  ],
  [
    'chunked in HTTP/1.0',
    request(['Host', 'm', 'Transfer-Encoding', 'chunked'], { httpVersion: '1.0' }),
    'invalid_request',
  ],
  ['another coding', request(['Host', 'm', 'Transfer-Encoding', 'gzip, chunked']), 'not_implemented'],
  ['TRACE', request(['Host', 'm'], { method: 'TRACE' }), 'method_not_allowed'],
  ['OPTIONS *', request(['Host', 'm'], { method: 'OPTIONS', url: '*' }), 'taken'],
  ['GET *', request(['Host', 'm'], { url: '*' }), 'invalid_path'],
  [
    'as many headers as may be',
    request(['Host', 'm', ...Array.from({ length: (HEADERS_MAX - 1) * 2 }, () => 'x')]),
    'taken',
  ],
  ['one more', request(['Host', 'm', ...Array.from({ length: HEADERS_MAX * 2 }, () => 'x')]), 'headers_too_large'],
])('%s', (_, req, expected) => {
  expect(codeOf(req)).toBe(expected);
});

test('a Host that is taken is one authority, and nothing besides (RFC 9110 7.2)', () => {
  const text = fc.oneof(fc.stringMatching(/^[a-z0-9.:[\]@/?#, \\-]{0,12}$/), fc.string({ maxLength: 8 }));
  fc.assert(
    fc.property(text, (host) => {
      if (codeOf(request(['Host', host])) !== 'taken') return;
      expect(host).toMatch(/^[^@/?#,\s\\]+$/);
    }),
  );
});
