import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createClient } from '../../src/client/client.ts';
import { operationsSource } from '../../src/client/generate.ts';
import { Paged } from '../../src/client/paged.ts';
import { OPERATIONS } from '../../src/mason/operations.ts';
import { RouteTable } from '../../src/mason/route-table.ts';
import { json, oddGateway } from './odd-gateway.ts';

const folder = resolve(import.meta.dirname, '../../src/client');
const sources = readdirSync(folder).filter((name) => name !== 'generate.ts');

/** A WebSocket is none, and a download gives no object. */
const CALLS = OPERATIONS.filter(({ id, upgrade }) => upgrade === undefined && id !== 'artifact.download');

describe('the generated operations', () => {
  test('They are what the table of operations gives: else run "npm run client:generate"', () => {
    expect(readFileSync(join(folder, 'operations.ts'), 'utf8')).toBe(operationsSource(OPERATIONS));
  });

  test('Called one by one, each arrives as the operation that it is named for', async () => {
    await using gateway = await oddGateway((res) => json(res, { data: [] }));
    const { session: _, whoami: __, call: ___, ...operations } = createClient({ baseUrl: gateway.url, token: 't' });
    const routes = new RouteTable(OPERATIONS);
    const reached = new Set<string>();
    const parts = Object.entries(operations).flatMap(([noun, part]) =>
      typeof part === 'function'
        ? [[noun, part] as const]
        : Object.entries(part).map(([verb, method]) => [`${noun}.${verb}`, method] as const),
    );
    for (const [name, method] of parts) {
      const result = (method as (...given: unknown[]) => unknown)('one', {}, {});
      await (result instanceof Paged ? result.page() : result);
      const { method: verb, url } = gateway.heard.at(-1) as { method: string; url: string };
      const { operation } = routes.find(verb, url.split('?')[0] as string);
      expect(operation.id.replace('.', 's.')).toMatch(
        new RegExp(`^${name.replace(/^(notify|usage|subscription)\./, '$1s.')}$`),
      );
      reached.add(operation.id);
    }
    expect([...reached].toSorted()).toEqual(CALLS.map(({ id }) => id).toSorted());
  });
});

describe('what runs in a browser', () => {
  test.each(sources)('%s imports nothing but its neighbours', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const imported = Array.from(text.matchAll(/(?:from|import\(|import) '([^']+)'/g), ([, from]) => from as string);
    expect(imported.filter((from) => !sources.includes(from.replace('./', '')))).toEqual([]);
    expect(text).not.toMatch(/\b(?:process|Buffer|require|setImmediate)\b\s*[.(]/);
  });
});
