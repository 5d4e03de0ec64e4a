import { describe, expect, test } from '@jest/globals';
import type { Call } from '../../src/call/call.ts';
import { findTargets } from '../../src/call/find-targets.ts';
import type { Target } from '../../src/domain/operation.ts';
import { OPERATIONS } from '../../src/mason/operations.ts';
import { RouteTable } from '../../src/mason/route-table.ts';

const table = new RouteTable(OPERATIONS);

const targets = (method: string, path: string, body?: unknown, contentType = 'application/json'): Target[] => {
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const headers = contentType === '' ? {} : { 'content-type': contentType };
  return findTargets({ body: bytes, req: { headers } } as unknown as Call, table.find(method, path));
};

const reboot = (body?: unknown, contentType?: string): Target[] =>
  targets('POST', '/v1/default/notify/reboot', body, contentType);
const refresh = (body?: unknown, contentType?: string): Target[] =>
  targets('POST', '/v1/default/notify/refresh', body, contentType);
const names = (found: readonly Target[]): string[] => found.map(({ kind, name }) => `${kind} ${name}`);

describe('what a call acts on', () => {
  test('It is read from the path, decoded', () => {
    expect(names(targets('GET', '/v1/default/device/7'))).toEqual(['device 7']);
    expect(names(targets('DELETE', '/v1/default/group/a%20b%C3%BC'))).toEqual(['group a bü']);
    expect(targets('GET', '/v1/default/device')).toEqual([]);
  });

  test('It is read from the body: devices, groups, both, one as a text; each once', () => {
    expect(names(reboot({ devices: ['1', '2', '1'] }))).toEqual(['device 1', 'device 2']);
    expect(names(reboot({ group: 'g' }))).toEqual(['group g']);
    expect(names(reboot({ devices: ['1'], group: '1' }))).toEqual(['device 1', 'group 1']);
    expect(names(reboot({ devices: '1' }))).toEqual(['device 1']);
    expect(names(targets('POST', '/v1/default/group/g/device', { devices: ['1'] }))).toEqual(['group g', 'device 1']);
    expect(names(targets('POST', '/v1/default/group', { name: 'new' }))).toEqual(['group new']);
  });

  test.each([
    ['no body', undefined, /needs a body: one JSON object/],
    ['an empty object', {}, /must say what it acts on: expected "devices" or "group" in the body/],
    ['an empty list', { devices: [] }, /must say what it acts on/],
    ['a list with a number in it', { devices: ['1', 7] }, /expected "devices" to hold names of 1 to 256 characters/],
    ['a list with an empty name in it', { devices: [''] }, /expected "devices"/],
    ['a name that is too long', { group: 'x'.repeat(257) }, /expected "group"/],
    ['an object in the place of a list', { devices: { 0: '1' } }, /expected "devices"/],
    ['null', { group: null }, /expected "group"/],
    ['another case', { Devices: ['1'] }, /must say what it acts on/],
    ['a list around it', [{ devices: ['1'] }], /one JSON object: it is a list/],
    ['the devices twice', '{"devices":["1"],"devices":["2"]}', /"devices" twice/],
    ['no JSON', 'devices=1', /one JSON object/],
    ['more targets than a record can bear', { devices: Array.from({ length: 10_001 }, (_, i) => `${i}`) }, /10000/],
  ])('A reboot with %s is refused: nobody could say afterwards what was rebooted', (_, body, words) => {
    expect(() => reboot(body)).toThrow(words);
    expect(() => reboot(body)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  test('A harmless call with a body that cannot be read has no targets: Mason judges it', () => {
    for (const body of [undefined, '{"devices":', '[]', '{"devices":["1"],"devices":["2"]}', { devices: 7 }]) {
      expect(refresh(body)).toEqual([]);
    }
    expect(names(refresh({ devices: ['1', 7, ''] }))).toEqual(['device 1']);
  });

  test('A body that Mason would read differently than we do is refused by its type', () => {
    const body = { devices: ['1'] };
    for (const type of ['', 'application/json', 'Application/JSON; charset="UTF-8"', 'application/merge-patch+json']) {
      expect(names(reboot(body, type))).toEqual(['device 1']);
    }
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json; charset=utf-16',
      'application/json; charset=latin1',
      'application/json, text/plain',
      'application/jsonp',
    ]) {
      expect(() => reboot(body, type)).toThrow(expect.objectContaining({ code: 'unsupported_media_type' }));
      expect(() => refresh(body, type)).toThrow(/expected "Content-Type: application\/json" in UTF-8, got/);
    }
  });

  test('Names of JavaScript objects in a body are names', () => {
    expect(names(reboot('{"__proto__":{"devices":["2"]},"devices":["1"]}'))).toEqual(['device 1']);
    expect(() => reboot('{"__proto__":{"devices":["2"]}}')).toThrow('must say what it acts on');
  });
});
