import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import type { Call } from '../../src/call/call.ts';
import { joinKey } from '../../src/call/join-key.ts';

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly team?: string;
  readonly key?: string;
  readonly changes?: boolean;
  readonly body?: string;
  readonly headers?: IncomingHttpHeaders;
  readonly transfer?: 'buffered' | 'stream';
}

const keyOf = ({
  method = 'GET',
  path = '/v1/a',
  query = '',
  team = 'team',
  key = 'key',
  headers = {},
  ...rest
}: Asked) =>
  joinKey({
    ...{ req: { method, headers }, target: { path, query }, caller: { team: { id: team } }, key: { id: key } },
    ...{ route: { operation: { transfer: rest.transfer ?? 'buffered' } } },
    ...{ changes: rest.changes ?? false, body: Buffer.from(rest.body ?? '') },
  } as unknown as Call);

const PLAIN = keyOf({});

describe('two reads ask the same', () => {
  test.each<[string, Asked]>([
    ['method', { method: 'HEAD' }],
    ['path', { path: '/v1/A' }],
    ['query', { query: '?' }],
    ['the place where path and query part', { path: '/v1/', query: 'a' }],
    ['team', { team: 'other' }],
    ['key', { key: 'other' }],
    ...[
      'accept',
      'accept-language',
      'if-match',
      'if-none-match',
      'if-modified-since',
      'if-unmodified-since',
      'if-range',
      'range',
    ].map((name): [string, Asked] => [name, { headers: { [name]: 'x' } }]),
  ])('not when they differ in: %s', (_, asked) => {
    expect(keyOf(asked)).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(keyOf(asked)).not.toBe(PLAIN);
    expect(keyOf(asked)).toBe(keyOf(asked));
  });

  test('whatever else their callers said, and to whomever', () => {
    const headers = {
      authorization: 'x',
      cookie: 'x',
      prefer: 'wait=1',
      priority: 'u=1',
      origin: 'x',
      'request-id': 'x',
    };
    expect(keyOf({ headers })).toBe(PLAIN);
    expect(keyOf({ headers: { 'content-type': 'application/json' }, body: 'a body that ends here' })).toBe(PLAIN);
    expect(keyOf({ headers: { accept: 'x', connection: 'accept' } })).toBe(PLAIN);
  });

  test('A header is not another one with its value', () => {
    expect(keyOf({ headers: { 'if-match': 'x' } })).not.toBe(keyOf({ headers: { 'if-none-match': 'x' } }));
  });
});

test.each<[string, Asked]>([
  ['a change', { method: 'POST', changes: true }],
  ['a GET that changes something', { changes: true }],
  ['a POST that reads', { method: 'POST' }],
  ['what is streamed', { transfer: 'stream' }],
  ['what its caller marked as a call of its own', { headers: { 'idempotency-key': 'x' } }],
])('%s is never joined', (_, asked) => {
  expect(keyOf(asked)).toBeUndefined();
});
