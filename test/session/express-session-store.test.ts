import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import express, { type Express, type Request } from 'express';
import session from 'express-session';
import request from 'supertest';
import { GatewayError } from '../../src/domain/errors.ts';
import { ExpressSessionStore } from '../../src/session/express-session-store.ts';
import type { NewSession } from '../../src/session/session-content.ts';

const GIVEN = { issuer: 'i', address: '', userAgent: '' } as NewSession;

let live: Set<string>;
let store: ExpressSessionStore;
let act: (req: Request) => void;
let app: Express;
let failures: unknown[];

beforeEach(() => {
  live = new Set();
  failures = [];
  store = new ExpressSessionStore({
    start: async (id) => void live.add(id),
    end: async (id) => void live.delete(id),
  });
  app = express();
  app.use(session({ store, name: 'mason-gateway', secret: 'x'.repeat(43), resave: false, saveUninitialized: false }));
  app.get('/', (req, res) => {
    act(req);
    res.end('done');
  });
  app.use((error: unknown, _req: Request, _res: unknown, _next: unknown) => void failures.push(error));
});

afterEach(() => {
  store.removeAllListeners();
});

const set = (id: string): Promise<unknown> =>
  new Promise((resolve) => store.set(id, { begun: GIVEN } as session.SessionData, resolve));

describe('B7: express-session can begin a session once, and revive none (expressjs/session #632)', () => {
  test('what a handler writes into a session that nobody began is stored nowhere', async () => {
    act = (req) => {
      req.session.begun = GIVEN;
    };
    await request(app).get('/');
    expect(live).toEqual(new Set());
    expect(failures).toMatchObject([{ code: 'unauthenticated' }]);
  });

  test('a session that ended while its request was in flight stays ended, though the request saves it', async () => {
    using _ = store.expect('id');
    await set('id');
    expect(live).toEqual(new Set(['id']));
    await new Promise((resolve) => store.destroy('id', resolve));
    expect(await set('id')).toBeInstanceOf(GatewayError);
    expect(live).toEqual(new Set());
  });

  test('an id that was drawn and not used in its request is nothing afterwards', async () => {
    {
      using _ = store.expect('late');
    }
    expect(await set('late')).toMatchObject({ code: 'unauthenticated' });
  });

  test('no cookie leads to a session through it, however well signed', async () => {
    using _ = store.expect('id');
    await set('id');
    const found = await new Promise((resolve) => store.get('id', (error, data) => resolve([error, data])));
    expect(found).toEqual([null, null]);
  });

  test('a store that fails is told', async () => {
    const broken = new ExpressSessionStore({
      start: () => Promise.reject(new GatewayError('store_unavailable', 'away')),
      end: () => Promise.reject(new GatewayError('store_unavailable', 'away')),
    });
    using _ = broken.expect('id');
    const failed = await new Promise((resolve) => broken.set('id', { begun: GIVEN } as session.SessionData, resolve));
    expect(failed).toMatchObject({ code: 'store_unavailable' });
    expect(await new Promise((resolve) => broken.destroy('id', resolve))).toMatchObject({ code: 'store_unavailable' });
  });
});
