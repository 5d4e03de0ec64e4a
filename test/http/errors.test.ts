import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatewayError } from '../../src/domain/errors.ts';
import { errorAnswer, errorBody, retryAfter } from '../../src/http/errors.ts';

test.each([new Error('secret stack'), new TypeError('secret'), 'secret', { message: 'secret' }, undefined, null])(
  'what nobody meant is 500 and its text stays inside: %p',
  (thrown) => {
    const answer = errorAnswer(thrown);
    expect(answer).toMatchObject({ status: 500, type: 'api_error', code: 'internal', headers: {} });
    expect(JSON.stringify(answer)).not.toContain('secret');
  },
);

test('the cause of an error stays inside', () => {
  const error = new GatewayError('mason_unreachable', 'told', { cause: new Error('secret 10.0.0.1') });
  expect(JSON.stringify(errorAnswer(error)) + errorBody(errorAnswer(error))).not.toContain('secret');
});

test.each(['queue_full', 'deadline_unreachable', 'record_unavailable', 'store_unavailable', 'shutting_down'] as const)(
  '%s always says when to come again',
  (code) => {
    expect(errorAnswer(new GatewayError(code, 'm')).headers).toEqual({ 'Retry-After': '1' });
    expect(errorAnswer(new GatewayError(code, 'm', { retryAfterMs: 2_001 })).headers).toEqual({ 'Retry-After': '3' });
  },
);

test('405 says what is allowed (RFC 9110 15.5.6)', () => {
  const error = new GatewayError('method_not_allowed', 'm', { allow: ['GET', 'HEAD'] });
  expect(errorAnswer(error)).toMatchObject({ status: 405, headers: { Allow: 'GET, HEAD' } });
});

test('Retry-After is whole seconds, never too early and never zero (RFC 9110 10.2.3)', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e12, noNaN: true }), (milliseconds) => {
      const text = retryAfter(milliseconds);
      expect(text).toMatch(/^[1-9]\d*$/);
      expect(Number(text) * 1_000).toBeGreaterThanOrEqual(milliseconds);
    }),
  );
});

test('a body is exactly type and message, whatever the message holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (message) => {
      const body = errorBody({ type: 'api_error', message, code: 'x', status: 1 } as never);
      expect(JSON.parse(body)).toEqual({ type: 'api_error', message });
      expect(body).not.toMatch(/[\n\r\0]/);
    }),
  );
});
