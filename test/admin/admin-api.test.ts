import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createAdminApi, serveAlone } from '../../src/admin/admin-api.ts';
import { operatorOnSocket } from '../../src/admin/asker.ts';
import { ROUTES, requestFor } from '../../src/admin/routes.ts';
import type { ActName, Acts } from '../../src/manage/acts.ts';
import { type Management, openManagement } from '../manage/management.ts';

let m: Management;
let bugs: unknown[];
let app: ReturnType<typeof serve>;

function serve(acts: Acts) {
  const onBug = (error: unknown, requestId: string) => bugs.push([error, requestId]);
  return serveAlone(createAdminApi(acts, { identify: operatorOnSocket, cookieName: 'mason-gateway', onBug }));
}

beforeEach(async () => {
  m = await openManagement();
  bugs = [];
  app = serve(m.acts);
});

afterEach(async () => {
  await m.close();
});

describe('the management API', () => {
  test('does an act, under the account that asked, and answers the request id that is on record', async () => {
    const answer = await request(app).post('/admin/v1/teams').set('Gateway-Account', 'grace').send({ slug: 'acme' });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ slug: 'acme' });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers).not.toHaveProperty('x-powered-by');
    const act = {
      act: 'team.add',
      requestId: answer.headers['request-id'],
      actor: { kind: 'operator', account: 'grace' },
    };
    expect(m.record.events).toMatchObject([
      { ...act, result: 'intended' },
      { ...act, result: 'done' },
    ]);
  });

  test('an account name that could forge lines or columns is not believed', async () => {
    await request(app).get('/admin/v1/teams').set('Gateway-Account', 'root; rm -rf');
    await request(app).get('/admin/v1/teams');
    expect(m.record.events.map((event) => event.actor)).toEqual([{ kind: 'operator' }, { kind: 'operator' }]);
  });

  test('every act has exactly one place, and every place is found by the request that the command line makes', async () => {
    const places = Object.values(ROUTES).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(places).size).toBe(places.length);
    expect(Object.keys(ROUTES).toSorted()).toEqual(Object.keys(m.acts).toSorted());
    for (const act of Object.keys(ROUTES) as ActName[]) {
      m.record.events.length = 0;
      const { method, target, body } = requestFor(act, { team: 'acme', name: 'x', id: 'tok_1', requestId: 'r' });
      const verb = method.toLowerCase() as 'get' | 'post' | 'patch' | 'delete';
      const asked = request(app)[verb](target);
      await (body === undefined ? asked : asked.type('json').send(body));
      expect(m.record.events.map((event) => event.act)).toEqual([act]);
    }
  });

  test('names survive the path, whatever stands in them', async () => {
    const { target } = requestFor('app.remove', { team: 'a/../b?c#d', name: '..' });
    const answer = await request(app).delete(target);
    expect([answer.status, answer.body.type]).toEqual([400, 'invalid_request_error']);
  });

  test.each([
    ['POST', '/admin/v1/teams', '{"slug":', 400, 'invalid_request_error'],
    ['POST', '/admin/v1/teams', '[1]', 400, 'invalid_request_error'],
    ['POST', '/admin/v1/teams', '{"__proto__":{"slug":"acme"}}', 400, 'invalid_request_error'],
    ['POST', '/admin/v1/teams', `{"slug":"${'a'.repeat(300_000)}"}`, 413, 'invalid_request_error'],
    ['GET', '/admin/v1/teams/%zz', undefined, 400, 'invalid_request_error'],
    ['GET', '/admin/v1/keys?team=nobody', undefined, 404, 'not_found_error'],
    ['GET', '/admin/v1/nothing', undefined, 404, 'not_found_error'],
    ['GET', '/', undefined, 404, 'not_found_error'],
    ['GET', '/admin/v1/audit?limit=1&limit=2', undefined, 400, 'invalid_request_error'],
    ['PUT', '/admin/v1/teams', undefined, 405, 'invalid_request_error'],
  ])('%s %s %.20s answers %s in the one error shape', async (method, path, body, status, type) => {
    const asked = request(app)[method.toLowerCase() as 'get' | 'post' | 'put'](path);
    const answer = await (body === undefined ? asked : asked.type('json').send(body));
    expect([answer.status, answer.body]).toEqual([status, { type, message: expect.any(String) }]);
    expect(answer.headers['error-source']).toBe('gateway');
    expect(bugs).toEqual([]);
    if (status === 405) expect(answer.headers['allow']).toBe('POST, GET, HEAD');
  });

  test('a form, which any web page may send, is not taken for JSON', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await request(app).post('/admin/v1/teams').set('Content-Type', type).send('{"slug":"acme"}');
      expect([answer.status, answer.body.type]).toEqual([415, 'invalid_request_error']);
    }
    expect(await m.store.teams.list()).toEqual([]);
  });

  test('a conflict, a broken record and a dead store each have their status', async () => {
    await request(app).post('/admin/v1/teams').send({ slug: 'acme' });
    const conflict = await request(app).post('/admin/v1/teams').send({ slug: 'acme' });
    expect([conflict.status, conflict.body.type]).toEqual([409, 'conflict_error']);
    m.record.broken = true;
    const unrecorded = await request(app).post('/admin/v1/teams').send({ slug: 'beta' });
    expect([unrecorded.status, unrecorded.body.type, unrecorded.headers['retry-after']]).toEqual([
      503,
      'api_error',
      '1',
    ]);
    await m.store.close();
    const dead = await request(app).get('/admin/v1/teams');
    expect([dead.status, dead.body.type, dead.headers['retry-after']]).toEqual([503, 'api_error', '1']);
  });

  test('a bug is told to the log with the request id, and to the caller without any detail', async () => {
    const failing = () => Promise.reject(new TypeError('undefined is not /srv/secret'));
    const broken = { ...m.acts, 'team.list': Object.assign(failing, m.acts['team.list']) };
    app = serve(broken);
    const answer = await request(app).get('/admin/v1/teams');
    expect([answer.status, answer.body]).toEqual([
      500,
      { type: 'api_error', message: 'internal error of the gateway' },
    ]);
    expect(bugs).toEqual([[expect.any(TypeError), answer.headers['request-id']]]);
  });
});
