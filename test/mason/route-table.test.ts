import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Operation } from '../../src/domain/operation.ts';
import { OPERATIONS } from '../../src/mason/operations.ts';
import { RouteTable } from '../../src/mason/route-table.ts';

const table = new RouteTable(OPERATIONS);

const operation = (id: string, method: Operation['method'], path: string): Operation => ({
  id,
  method,
  path,
  scope: 'fleet:read',
  effect: method === 'GET' ? 'read' : 'change',
  targets: [],
  paged: false,
  transfer: 'buffered',
  standing: 'configured',
});

const codeOf = (find: () => unknown): unknown => {
  try {
    find();
  } catch (error) {
    return (error as { code: unknown }).code;
  }
  return undefined;
};

/** A segment as it may come: no slash in it, encoded or not. */
const segment = fc.stringMatching(/^(?:[A-Za-z0-9_~!$&'()*+,=:@-]|%4[0-9A-F]){1,20}$/);

describe('the route table', () => {
  test('Each operation is found by its method and path, with its parameters as they came', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPERATIONS), segment, (wanted, value) => {
        fc.pre(!OPERATIONS.some(({ path }) => path.split('/').includes(value)));
        const { operation: found, parameters } = table.find(
          wanted.method,
          wanted.path.replace(/\{\w+\}/, () => value),
        );
        expect(found).toBe(wanted);
        expect(Object.values(parameters)).toEqual(/\{/.test(wanted.path) ? [value] : []);
      }),
    );
  });

  test('A path parameter is one segment: a path with segments added before, inside or behind is another one', () => {
    const paths = OPERATIONS.map(({ path }) => path.split('/').slice(1));
    const fits = (pattern: readonly string[], segments: readonly string[]): boolean =>
      pattern.length === segments.length &&
      pattern.every((part, at) => (part.startsWith('{') ? segments[at] !== '' : part === segments[at]));
    const changed = fc
      .tuple(fc.constantFrom(...paths), fc.array(fc.oneof(segment, fc.constant('')), { minLength: 1, maxLength: 4 }))
      .chain(([path, more]) => fc.nat({ max: path.length }).map((at) => path.toSpliced(at, 0, ...more)));
    fc.assert(
      fc.property(changed, (segments) => {
        fc.pre(!paths.some((pattern) => fits(pattern, segments)));
        expect(codeOf(() => table.find('GET', `/${segments.join('/')}`))).toBe('unknown_operation');
      }),
      { numRuns: 500 },
    );
  });

  test('A trailing slash, an empty segment, another case and a missing version are other paths', () => {
    for (const path of [
      '/v1/default/device/',
      '/v1/default//device',
      '/v1/default/device//location',
      '/V1/default/device',
      '/v1/default/Device',
      '/v2/default/device',
      '/v1/other/device',
      '/default/device',
      '/v1',
      '/',
      '',
    ]) {
      expect([path, codeOf(() => table.find('GET', path))]).toEqual([path, 'unknown_operation']);
    }
  });

  test('A fixed segment wins over a parameter, and where it leads nowhere the parameter is tried', () => {
    const routes = new RouteTable([
      operation('any', 'GET', '/v1/x/{id}'),
      operation('fixed', 'GET', '/v1/x/all'),
      operation('below', 'GET', '/v1/x/{id}/y'),
      operation('deep', 'GET', '/v1/x/all/z'),
    ]);
    expect(routes.find('GET', '/v1/x/all').operation.id).toBe('fixed');
    expect(routes.find('GET', '/v1/x/1')).toMatchObject({ operation: { id: 'any' }, parameters: { id: '1' } });
    expect(routes.find('GET', '/v1/x/all/y')).toMatchObject({ operation: { id: 'below' }, parameters: { id: 'all' } });
    expect(routes.find('GET', '/v1/x/all/z').operation.id).toBe('deep');
  });

  test('Two operations on one path may call its parameter by different names', () => {
    const routes = new RouteTable([operation('a', 'GET', '/v1/{a}'), operation('b', 'POST', '/v1/{b}')]);
    expect(routes.find('GET', '/v1/7').parameters).toEqual({ a: '7' });
    expect(routes.find('POST', '/v1/7').parameters).toEqual({ b: '7' });
  });

  test('A known path with another method says which ones it has; HEAD goes where GET goes', () => {
    expect(table.find('HEAD', '/v1/default/device').operation.id).toBe('device.list');
    for (const method of ['DELETE', 'PUT', 'get', 'CONSTRUCTOR', '']) {
      const find = (): unknown => table.find(method, '/v1/default/device');
      expect(codeOf(find)).toBe('method_not_allowed');
      expect(find).toThrow(expect.objectContaining({ allow: ['GET', 'HEAD'] }));
    }
    expect(() => table.find('HEAD', '/v1/default/deploy')).toThrow(expect.objectContaining({ allow: ['POST'] }));
    expect(table.methodsAt('/v1/default/group/a')).toEqual(['DELETE', 'GET', 'HEAD']);
    expect(table.methodsAt('/v1/default/nothing/at/all')).toBeUndefined();
  });

  test('Names of JavaScript objects are ordinary segments', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(codeOf(() => table.find('GET', `/v1/default/${name}`))).toBe('unknown_operation');
      expect(table.find('GET', `/v1/default/device/${name}`).parameters).toEqual({ id: name });
    }
  });

  test('A corrected operation takes the place of the one with its id, or with its method and path', () => {
    const moved = operation('device.locate', 'GET', '/v1/default/location/{id}');
    const renamed = operation('device.all', 'GET', '/v1/default/device');
    const routes = new RouteTable([...OPERATIONS, moved, renamed]);
    expect(routes.find('GET', '/v1/default/location/7').operation).toBe(moved);
    expect(codeOf(() => routes.find('GET', '/v1/default/device/7/location'))).toBe('unknown_operation');
    expect(routes.find('GET', '/v1/default/device').operation).toBe(renamed);
    expect(routes.operations).toHaveLength(OPERATIONS.length);
  });
});
