import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bucketOf } from '../../src/audit/usage-times.ts';
import { START_MS } from '../manage/management.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';

let line: CommandLine;

beforeAll(async () => {
  line = await openCommandLine();
  await line.management.store.usage.add(
    [
      {
        minute: START_MS - 60_000,
        teamId: '',
        callerId: '',
        operation: 'device.list',
        outcome: 'ok',
        calls: 12,
        attempts: 13,
        bytesIn: 0,
        bytesOut: 4_096,
        queueMs: [],
        masonMs: [[bucketOf(50), 12]],
        gatewayMs: [],
      },
    ],
    { chain: 'gw/1', batch: 1 },
  );
});

afterAll(async () => {
  await line.close();
});

test('usage stands in a table with a column for each thing it is asked by; --json tells the same to programs', async () => {
  const { code, out, err } = await line.run(['usage', '--by', 'operation,outcome', '--since', '2h']);
  expect([code, err]).toEqual([0, expect.stringContaining('times may be 5 % off')]);
  const [titles, row, ...more] = out.trimEnd().split('\n');
  expect(titles).toMatch(/^OPERATION +OUTCOME +CALLS +ERRORS +ATTEMPTS /);
  expect(row).toMatch(/^device\.list +ok +12 +0 +13 +0 +4096 +- +- +(4[89]|5[0-2])(\.\d)?ms /);
  expect(more).toEqual([]);
  expect(await line.json('usage', '--by', 'app')).toMatchObject({ span: 'hour', data: [{ caller: null, calls: 12 }] });
});

test('nobody called, and a question that makes no sense, are told in words', async () => {
  expect((await line.run(['usage', '--team', 'nobody'])).code).not.toBe(0);
  const { code, err } = await line.run(['usage', '--operation', 'device.get']);
  expect([code, err]).toEqual([0, expect.stringContaining('Nobody called in that time.')]);
  expect(await line.run(['usage', '--by', 'weather'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('some of team, app, operation, outcome, time'),
  });
});
