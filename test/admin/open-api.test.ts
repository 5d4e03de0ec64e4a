import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import { ROUTES, requestFor } from '../../src/admin/routes.ts';
import type { ActName } from '../../src/manage/acts.ts';
import { type Json, operationsOf, problemsWith, resolved } from './described-api.ts';
import { everyAct } from './every-act.ts';
import { type Caller, openPublicDoor, type PublicDoor } from './public-door.ts';

const OPENAPI = '/admin/v1/openapi.json';

let door: PublicDoor;
let operator: Caller;
let document: Json;

beforeAll(async () => {
  door = await openPublicDoor();
  operator = await door.page(['operator']);
  document = (await door.ask({}, 'GET', OPENAPI)).body;
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
  expect(door.bugs).toEqual([]);
});

/** Every route that the live router has, from the router itself. */
function liveRoutes(api: Express): string[] {
  return api.router.stack.flatMap(({ route }) => {
    if (route === undefined) return [];
    const methods = route.stack
      .map(({ method }) => method)
      .filter((method) => method !== undefined && method !== 'options');
    return methods.map((method) => `${method.toUpperCase()} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`);
  });
}

describe('the description of the management API', () => {
  test('is for everybody, says OpenAPI 3.1, and is refused by other methods than GET', async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const answer = await door.ask({}, 'GET', OPENAPI);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect((await door.ask({}, 'POST', OPENAPI)).status).toBe(401);
    expect((await door.ask(operator, 'POST', OPENAPI)).status).toBe(405);
  });

  test('has exactly the routes that the live router has', () => {
    const described = operationsOf(document).map(({ method, path }) => `${method} ${path}`);
    expect(described.toSorted()).toEqual(liveRoutes(door.api).toSorted());
    expect(described).toHaveLength(Object.keys(ROUTES).length + 1);
  });

  test('is sound: every reference leads somewhere, ids are unique, parameters of paths are declared', () => {
    expect(() => resolved(document, document.paths)).not.toThrow();
    const operations = operationsOf(document);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).filter((parameter: Json) => parameter.in === 'path');
      expect([path, declared.map(({ name }: Json) => name)]).toEqual([path, named]);
      expect(declared.every(({ required }: Json) => required === true)).toBe(true);
      for (const way of operation.security) {
        expect(Object.keys(document.components.securitySchemes)).toEqual(expect.arrayContaining(Object.keys(way)));
      }
    }
    expect(JSON.stringify(document)).not.toMatch(/"\$(?:id|schema|defs)"/);
  });

  test('says of each operation who may do it: by the token’s scope, and by the person’s role', () => {
    const needs = Object.fromEntries(
      operationsOf(document).map(({ operation }) => [
        operation.operationId,
        operation.security.flatMap((way: Json) => way.token ?? (way.session === undefined ? [] : ['page'])),
      ]),
    );
    expect(needs['openapi']).toEqual([]);
    expect(needs['team.add']).toEqual(['page']);
    expect(needs['token.create']).toEqual(['gateway:admin', 'page']);
    expect(needs['audit.query']).toEqual(['gateway:audit', 'gateway:admin', 'page']);
  });

  test('holds: every operation, asked for as described, answers as described', async () => {
    const done = new Set<string>();
    const ways = operationsOf(document);
    for await (const { act, input, answer } of everyAct(door, operator)) {
      const { method } = requestFor(act, input);
      const way = ways.find(({ operation }) => operation.operationId === act);
      expect([act, way?.method]).toEqual([act, method]);
      const { parameters = [], requestBody, responses } = way?.operation ?? {};
      const described = [
        ...parameters.map(({ name }: Json) => name),
        ...Object.keys(requestBody?.content['application/json'].schema.properties ?? {}),
      ];
      expect([act, described]).toEqual([act, expect.arrayContaining(Object.keys(input))]);
      for (const { name, schema } of parameters) {
        if (Object.hasOwn(input, name))
          expect([act, name, problemsWith(document, schema, input[name])]).toEqual([act, name, []]);
      }
      const sent = Object.fromEntries(
        Object.entries(input).filter(([name]) => !parameters.some((each: Json) => each.name === name)),
      );
      if (requestBody !== undefined) {
        const { schema } = requestBody.content['application/json'];
        expect([act, problemsWith(document, schema, sent)]).toEqual([act, []]);
      }
      expect([act, answer.status, answer.body]).toEqual([act, Number(Object.keys(responses)[0]), answer.body]);
      const [type = ''] = Object.keys(responses[answer.status].content);
      expect([act, answer.headers.get('content-type')]).toEqual([act, type]);
      const { schema } = responses[answer.status].content[type];
      expect([act, problemsWith(document, schema, answer.body)]).toEqual([act, []]);
      // A schema that takes anything would prove nothing.
      expect(problemsWith(document, schema, { ...answer.body, unheardOf: 1 })).not.toEqual([]);
      done.add(act);
    }
    expect([...done].toSorted()).toEqual((Object.keys(ROUTES) as ActName[]).toSorted());
  });

  test('names the media type of each format of an export', async () => {
    const { parameters, responses } = document.paths['/admin/v1/audit/export'].get;
    const formats = parameters.find(({ name }: Json) => name === 'format').schema.enum;
    const answered = await Promise.all(
      formats.map((format: string) => door.ask(operator, 'GET', `/admin/v1/audit/export?format=${format}`)),
    );
    const types = answered.map(({ headers }) => headers.get('content-type'));
    expect(formats).toHaveLength(3);
    expect(Object.keys(responses[200].content).toSorted()).toEqual([...new Set(types)].toSorted());
  });

  test('holds for refusals too: status and shape are among those described', async () => {
    const robot = await door.token('acme', ['gateway:admin']);
    const asked: [Caller, string, string, unknown][] = [
      [operator, 'POST', '/admin/v1/teams', { slug: '!' }],
      [{}, 'GET', '/admin/v1/teams', undefined],
      [robot, 'POST', '/admin/v1/teams', { slug: 'x' }],
      [robot, 'GET', '/admin/v1/keys?team=beta', undefined],
      [operator, 'POST', '/admin/v1/teams', { slug: 'acme' }],
      [{ ...operator, 'content-type': 'text/plain' }, 'POST', '/admin/v1/teams', '{}'],
      [operator, 'POST', '/admin/v1/teams', { slug: 'x'.repeat(300_000) }],
    ];
    const statuses: number[] = [];
    for (const [who, method, target, body] of asked) {
      const answer = await door.ask(who, method, target, body);
      statuses.push(answer.status);
      const path = target.replace(/\?.*/, '');
      const described = document.paths[path][method.toLowerCase()].responses[answer.status];
      const { schema } = resolved(document, described).content['application/json'];
      expect(problemsWith(document, schema, answer.body)).toEqual([]);
    }
    expect(statuses).toEqual([400, 401, 403, 404, 409, 415, 413]);
  });
});
