import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeAnswer, judgeFailure, MasonAnsweredError, type Verdict } from '../../src/call/judge.ts';
import { GatewayError } from '../../src/domain/errors.ts';
import { AnswerBody } from '../../src/mason/answer-body.ts';
import { type Answer, SendFailure } from '../../src/mason/send.ts';

/** A body that has not ended. */
const dripping = (): AnswerBody => {
  const body: AnswerBody = new AnswerBody({ pause() {}, resume() {}, abort: (reason) => body.fail(reason) });
  return body;
};
const answer = (status: number, headers: Answer['headers'] = {}, body = ''): Answer => {
  const pushed = dripping();
  pushed.push(Buffer.from(body));
  pushed.end();
  return { status, headers, body: pushed, firstByteMs: 0 };
};

const first = {
  changes: false,
  conditional: false,
  partial: false,
  attempts: 1,
  epochMs: 1_800_000_000_000,
  redact: (body: Buffer) => body,
  errorBodyMsMax: 30,
};
const change = { ...first, changes: true };

/** `again mason_unreachable`, `error 404`, `pass` … */
const brief = (verdict: Verdict): string => {
  if (!('error' in verdict)) return verdict.kind;
  const { error } = verdict;
  if (error instanceof MasonAnsweredError) return `${verdict.kind} ${error.status}`;
  return `${verdict.kind} ${error instanceof GatewayError ? error.code : error.name}`;
};

const waitOf = (verdict: Verdict): number => ('waitMs' in verdict ? verdict.waitMs : Number.NaN);

describe('judging an answer', () => {
  test.each([
    [200, 'pass', 'pass'],
    [201, 'pass', 'pass'],
    [204, 'pass', 'pass'],
    [206, 'error mason_bad_answer', 'error mason_bad_answer'],
    [301, 'error mason_bad_answer', 'error mason_bad_answer'],
    [302, 'error mason_bad_answer', 'error mason_bad_answer'],
    [304, 'error mason_bad_answer', 'error mason_bad_answer'],
    [307, 'error mason_bad_answer', 'error mason_bad_answer'],
    [400, 'error 400', 'error 400'],
    [401, 'key_refused mason_rejected_key', 'key_refused mason_rejected_key'],
    [403, 'error 403', 'error 403'],
    [404, 'error 404', 'error 404'],
    [409, 'error 409', 'error 409'],
    [416, 'error mason_bad_answer', 'error mason_bad_answer'],
    [429, 'slow_down', 'slow_down'],
    [500, 'error 500', 'error 500'],
    [501, 'error 502', 'error 502'],
    [502, 'again 502', 'error 502'],
    [503, 'again 502', 'error 502'],
    [504, 'again 502', 'error 502'],
    [507, 'error 502', 'error 502'],
  ])('%s is for a read: %s, for a change: %s', async (status, read, changed) => {
    expect(brief(await judgeAnswer(answer(status), first))).toBe(read);
    expect(brief(await judgeAnswer(answer(status), change))).toBe(changed);
  });

  test('304 is an answer for whoever asked conditionally, 206 and 416 for whoever asked for a part, and for nobody else', async () => {
    expect(brief(await judgeAnswer(answer(304), { ...first, conditional: true }))).toBe('pass');
    expect(brief(await judgeAnswer(answer(206), { ...first, partial: true }))).toBe('pass');
    expect(brief(await judgeAnswer(answer(416), { ...first, partial: true }))).toBe('error 416');
    expect(brief(await judgeAnswer(answer(304), { ...first, partial: true }))).toBe('error mason_bad_answer');
    expect(brief(await judgeAnswer(answer(206), { ...first, conditional: true }))).toBe('error mason_bad_answer');
    expect(brief(await judgeAnswer(answer(416), { ...first, conditional: true }))).toBe('error mason_bad_answer');
  });

  test('The words of an error that never end are not waited for; of a 429 nobody waits for any', async () => {
    const endless = { ...answer(409), body: dripping() };
    endless.body.push(Buffer.from('{"error":'));
    expect(brief(await judgeAnswer(endless, first))).toBe('error 409');
    const refusal = judgeAnswer({ ...answer(429), body: dripping() }, first);
    expect(refusal).toHaveProperty('kind', 'slow_down');
  });

  test('A page is never passed on, and neither is a body in a coding in which a key could hide', async () => {
    for (const headers of [
      { 'content-type': 'text/html; charset=utf-8' },
      { 'content-type': 'application/xhtml+xml' },
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      { 'content-encoding': ['br'] },
    ]) {
      expect(brief(await judgeAnswer(answer(200, headers), first))).toBe('error mason_bad_answer');
      const verdict = await judgeAnswer(answer(200, headers), change);
      expect(verdict).toHaveProperty(
        'error.message',
        expect.stringContaining('whether the change was made is not known'),
      );
    }
    expect(brief(await judgeAnswer(answer(200, { 'content-encoding': 'identity' }), first))).toBe('pass');
  });

  test('A rejected key is the operator’s trouble: the message says so and blames no caller', async () => {
    const verdict = await judgeAnswer(answer(401, {}, '{"type":"authentication_error","message":"who?"}'), first);
    expect(verdict).toHaveProperty(
      'error.message',
      expect.stringMatching(/team's key.*operator.*nothing is wrong with this call/),
    );
  });

  test('Mason asks for a wait and gets it, in a 429 and, as Retry-After only, in a passing failure', async () => {
    const asks = { 'retry-after': '3' };
    const stands = { 'x-ratelimit-remaining': '40', 'x-ratelimit-reset': '3000' };
    expect(waitOf(await judgeAnswer(answer(429, asks), first))).toBe(3_000);
    expect(waitOf(await judgeAnswer(answer(503, asks), first))).toBe(3_000);
    expect(waitOf(await judgeAnswer(answer(429, stands), first))).toBe(3_000_000);
    expect(waitOf(await judgeAnswer(answer(503, stands), first))).toBeLessThanOrEqual(500);
  });

  test('A 429 that asks for no wait, or for the same tiny one for ever, makes no hot loop', async () => {
    const asked = fc.constantFrom('0', '-1', '0.001', 'Thu, 01 Jan 1970 00:00:00 GMT', 'nonsense', undefined);
    await fc.assert(
      fc.asyncProperty(
        asked,
        fc.integer({ min: 2, max: 60 }),
        fc.constantFrom(429, 503),
        async (value, attempts, status) => {
          const headers = value === undefined ? {} : { 'retry-after': value };
          const wait = waitOf(await judgeAnswer(answer(status, headers), { ...first, attempts }));
          expect(wait).toBeGreaterThanOrEqual(Math.min(15_000, 125 * 2 ** attempts));
          expect(wait).toBeLessThanOrEqual(30_000);
        },
      ),
    );
    expect(waitOf(await judgeAnswer(answer(429, { 'retry-after': '0' }), first))).toBeGreaterThanOrEqual(250);
  });

  test('The words of an error pass, in the documented shape', async () => {
    const verdict = await judgeAnswer(answer(409, {}, '{"error":"Conflict","details":"taken"}'), change);
    expect(verdict).toHaveProperty('error.answer', { type: 'conflict_error', message: 'Conflict: taken' });
  });
});

describe('judging a failure', () => {
  test.each([
    ['unreachable', false, 1, 'again mason_unreachable', 'again mason_unreachable'],
    ['unreachable', false, 2, 'error mason_unreachable', 'error mason_unreachable'],
    ['timeout', false, 1, 'again mason_timeout', 'again mason_timeout'],
    ['timeout', false, 2, 'error mason_timeout', 'error mason_timeout'],
    ['unreachable', true, 1, 'again mason_unreachable', 'error mason_unreachable'],
    ['unreachable', true, 5, 'again mason_unreachable', 'error mason_unreachable'],
    ['timeout', true, 1, 'error mason_timeout', 'error mason_timeout'],
    ['bad_answer', true, 1, 'error mason_bad_answer', 'error mason_bad_answer'],
    ['left', true, 1, 'error caller_gone', 'error caller_gone'],
    ['left', false, 1, 'error caller_gone', 'error caller_gone'],
  ] as const)(
    '%s (reached Mason: %s, attempt %s): a read: %s, a change: %s',
    (reason, reached, attempts, read, changed) => {
      const failure = new SendFailure(reason, reached, 'cause');
      expect(brief(judgeFailure(failure, { ...first, attempts }))).toBe(read);
      expect(brief(judgeFailure(failure, { ...change, attempts }))).toBe(changed);
    },
  );

  test('A change that may have reached Mason says that nobody knows whether it was made; one that did not, does not', () => {
    const unsure = expect.stringContaining('whether the change was made is not known');
    for (const reason of ['unreachable', 'timeout', 'bad_answer'] as const) {
      expect(judgeFailure(new SendFailure(reason, true, ''), change)).toHaveProperty('error.message', unsure);
      expect(judgeFailure(new SendFailure(reason, true, ''), first)).not.toHaveProperty('error.message', unsure);
      expect(judgeFailure(new SendFailure(reason, false, ''), change)).not.toHaveProperty('error.message', unsure);
    }
  });

  test('No message tells an address, a port or a stack', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:443'), { code: 'ECONNREFUSED' });
    const verdict = judgeFailure(new SendFailure('unreachable', false, cause), first);
    expect((verdict as { error: Error }).error.message).toBe('Mason cannot be reached');
  });
});
