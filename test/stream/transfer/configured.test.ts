import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/config.ts';
import { OPERATIONS } from '../../../src/mason/operations.ts';
import { RouteTable } from '../../../src/mason/route-table.ts';
import { TransferSlots } from '../../../src/stream/transfer/transfer-slots.ts';

const load = (operation: object): ReturnType<typeof loadConfig> => {
  const file = join(mkdtempSync(join(tmpdir(), 'configured-')), 'gateway.yaml');
  const common = {
    id: 'log.put',
    method: 'PUT',
    path: '/v1/default/log/{id}',
    scope: 'fleet:manager',
    effect: 'change',
  };
  writeFileSync(file, JSON.stringify({ operations: [{ ...common, ...operation }] }));
  return loadConfig({ GATEWAY_CONFIG: file });
};

describe('operations that operators configure', () => {
  test('are held unless they say that they are streamed', () => {
    expect(load({}).operations[0]?.transfer).toBe('buffered');
    expect(load({ transfer: 'stream' }).operations[0]?.transfer).toBe('stream');
  });

  test('cannot be streamed where the body says what they act on: nobody would have read it', () => {
    const targets = [{ kind: 'device', from: { body: 'devices' } }];
    expect(() => load({ transfer: 'stream', targets })).toThrow(/operations\.0\.targets: expected none in the body/);
    expect(() => load({ targets })).not.toThrow();
  });
});

test('Only what is streamed leaves the walk of calls, HEAD like GET', () => {
  const table = new RouteTable(OPERATIONS);
  const isStreamed = (line: string): boolean => table.isStreamed(...(line.split(' ') as [string, string]));
  const lines = [
    'POST /v1/default/artifact',
    'GET /v1/default/artifact/1/content',
    'HEAD /v1/default/artifact/1/content',
  ];
  expect(lines.filter((line) => !isStreamed(line))).toEqual([]);
  const others = ['GET /v1/default/artifact', 'DELETE /v1/default/artifact', 'GET /v1/default/device', 'GET /nowhere'];
  expect(others.filter(isStreamed)).toEqual([]);
});

test('Transfers are bounded by team and in all; a place that is given back is there for the next', () => {
  const slots = new TransferSlots({ perTeamMax: 2, atOnceMax: 3 });
  const first = slots.take('a');
  slots.take('a');
  expect(() => slots.take('a')).toThrow('of your team 2 are under way');
  slots.take('b');
  expect(() => slots.take('c')).toThrow('at this gateway 3 are under way');
  first[Symbol.dispose]();
  expect(slots.count).toBe(2);
  slots.take('c');
  expect(() => slots.take('a')).toThrow('at this gateway');
});
