import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isMarkup, readMasonError } from '../../src/mason/error-shapes.ts';

const read = (status: number, body: string, contentType?: string): { type: string; message: string } =>
  readMasonError(status, contentType, Buffer.from(body));

describe('the errors of Mason', () => {
  test.each([
    [
      'the documented shape',
      401,
      '{"type":"authentication_error","message":"No token"}',
      'authentication_error',
      'No token',
    ],
    ['a type we have not seen', 400, '{"type":"quota_error","message":"No"}', 'quota_error', 'No'],
    ['no type', 404, '{"message":"No such group"}', 'not_found_error', 'No such group'],
    ['error and details', 409, '{"error":"Conflict","details":"name taken"}', 'conflict_error', 'Conflict: name taken'],
    [
      'an itemized list',
      400,
      '{"itemized":[{"code":1,"message":"a"},{"code":2,"message":"b"}]}',
      'invalid_request_error',
      'a; b',
    ],
    [
      'details and a list',
      400,
      '{"error":"E","details":"D","itemized":[{"message":"a"}]}',
      'invalid_request_error',
      'E: D',
    ],
    ['a nested error', 403, '{"error":{"details":"not yours"}}', 'permission_error', 'not yours'],
    ['a nested message', 500, '{"error":{"message":"oops"}}', 'api_error', 'oops'],
    ['an error alone', 500, '{"error":"oops"}', 'api_error', 'oops'],
    ['data', 400, '{"data":"bad imei"}', 'invalid_request_error', 'bad imei'],
    ['a JSON string', 404, '"gone"', 'not_found_error', 'gone'],
    ['plain text', 503, 'upstream timed out', 'api_error', 'upstream timed out'],
    ['an unknown 4xx', 418, '{"message":"tea"}', 'invalid_request_error', 'tea'],
  ])('%s is understood', (_, status, body, type, message) => {
    expect(read(status, body)).toEqual({ type, message });
  });

  test.each([
    ['nothing', '', 'Mason answered 502 without a message'],
    ['white space', ' \r\n ', 'Mason answered 502 without a message'],
    ['an empty object', '{}', 'Mason answered 502 without a message'],
    ['null', 'null', 'Mason answered 502 without a message'],
    ['an empty message', '{"message":"  "}', 'Mason answered 502 without a message'],
    ['a message that is no text', '{"message":{"a":1}}', 'Mason answered 502 without a message'],
    ['truncated JSON', '{"type":"api_error","mess', 'Mason answered 502 with JSON that cannot be read'],
    ['a page', '<!DOCTYPE html><h1>Bad gateway</h1>', 'Mason answered 502 with a page instead of an error'],
    ['an XML page', '<?xml version="1.0"?><e/>', 'Mason answered 502 with a page instead of an error'],
  ])('%s becomes a sentence of ours', (_, body, message) => {
    expect(read(502, body)).toEqual({ type: 'api_error', message });
  });

  test('A page is a page by its content type too, whatever it begins with', () => {
    expect(read(500, 'hello', 'text/html; charset=utf-8').message).toContain('a page');
    expect(read(500, 'hello', 'application/problem+xml').message).toContain('a page');
    expect(read(500, 'hello', 'text/plain').message).toBe('hello');
    expect(isMarkup(undefined, '\ufeff <HTML>')).toBe(true);
    expect(isMarkup('application/json', 'a < b')).toBe(false);
  });

  test('A type that is no plain word is replaced: it is not for Mason to write markup into our answers', () => {
    for (const type of ['<b>', 'A', '', 'x'.repeat(65), 7, null, ['a']]) {
      expect(read(400, JSON.stringify({ type, message: 'm' })).type).toBe('invalid_request_error');
    }
  });

  test('Control characters and endless texts do not pass', () => {
    expect(read(400, 'a\u0000\u0007b\r\nc').message).toBe('a b c');
    const { message } = read(400, 'x'.repeat(60_000));
    expect(message).toHaveLength(1_000);
    expect(message.endsWith('...')).toBe(true);
  });

  test('Whatever bytes come with whatever status, the answer is a type and a bounded message of one line', () => {
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 599 }), bodies, fc.option(fc.string()), (status, body, contentType) => {
        const { type, message } = readMasonError(status, contentType ?? undefined, body);
        expect(type).toMatch(/^[a-z][a-z_]{0,63}$/);
        expect(message.length).toBeGreaterThan(0);
        expect(message.length).toBeLessThanOrEqual(1_000);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(message).not.toMatch(/[\x00-\x1f\x7f]/);
      }),
    );
  });
});
