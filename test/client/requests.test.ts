import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type AnswerFacts, type ClientOptions, createClient } from '../../src/client/client.ts';
import { type Heard, json, type OddGateway, oddGateway } from './odd-gateway.ts';

let gateway: OddGateway;
let heard: Heard[];

beforeAll(async () => {
  gateway = await oddGateway((res, { url }) => {
    if (url.startsWith('/auth/ticket'))
      json(res, { path: '/v1/x?gateway-ticket=abc', endsAt: '2027-01-01T00:00:00.000Z' }, 201);
    else if (url.startsWith('/auth/logout')) json(res, { endSessionUrl: 'https://login.example.com/out' });
    else json(res, { data: [] });
  });
});
beforeEach(() => {
  heard = gateway.heard as Heard[];
  heard.length = 0;
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const client = (options: Partial<ClientOptions> = {}) => createClient({ baseUrl: gateway.url, ...options });

describe('who calls', () => {
  test('With a token: the token and nothing that stands for a page', async () => {
    await client({ token: 'mgw_abc' }).devices.get('a');
    expect(heard[0]?.headers).toMatchObject({ authorization: 'Bearer mgw_abc' });
    expect(heard[0]?.headers).not.toHaveProperty('x-requested-by');
  });

  test('A token function is asked before each call, so that a token can rotate', async () => {
    let turn = 0;
    const rotating = client({ token: async () => `mgw_${++turn}` });
    await rotating.devices.get('a');
    await rotating.devices.get('a');
    expect(heard.map(({ headers }) => headers.authorization)).toEqual(['Bearer mgw_1', 'Bearer mgw_2']);
  });

  test('Without: the static header, with every method, and the browser is told to send its cookie', async () => {
    const seen: RequestInit[] = [];
    const page = client({
      requestedBy: 'my-page',
      fetch: (url, init) => {
        seen.push(init as RequestInit);
        return fetch(url, init);
      },
    });
    await page.devices.get('a');
    await page.devices.rename('a', { name: 'b' });
    await page.session.get();
    expect(heard.map(({ headers }) => headers['x-requested-by'])).toEqual(['my-page', 'my-page', 'my-page']);
    expect(heard.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    expect(seen.map(({ credentials }) => credentials)).toEqual(['include', 'include', 'include']);
  });

  test('With a token in a browser the cookie stays out: both together the gateway refuses', async () => {
    let credentials: string | undefined;
    const both = client({
      token: 'mgw_abc',
      fetch: (url, init) => {
        credentials = init?.credentials;
        return fetch(url, init);
      },
    });
    await both.devices.get('a');
    expect(credentials).toBe('omit');
  });

  test('A token that no header can carry is refused without being told', async () => {
    for (const token of ['', 'mgw_secret\n', 'mgw_secret x', 'mgw_secrét']) {
      const call = client({ token }).devices.get('a');
      await expect(call).rejects.toThrow(TypeError);
      await expect(call).rejects.not.toThrow(/secr/);
    }
    expect(heard).toEqual([]);
  });
});

describe('what may be said of a call', () => {
  test('Deadline, urgency, team and idempotency key become their headers; a call’s own word wins', async () => {
    const busy = client({ token: 't', deadlineMs: 10_000, urgency: 5, team: 'alpha' });
    await busy.groups.get('a');
    await busy.groups.get('a', { deadlineMs: 100_000, urgency: 0, team: 'beta', idempotencyKey: 'once' });
    expect(heard[0]?.headers).toMatchObject({ prefer: 'wait=7', priority: 'u=5', 'gateway-team': 'alpha' });
    expect(heard[0]?.headers).not.toHaveProperty('idempotency-key');
    expect(heard[1]?.headers).toMatchObject({
      prefer: 'wait=95',
      priority: 'u=0',
      'gateway-team': 'beta',
      'idempotency-key': 'once',
    });
  });

  test('A deadline of less than two seconds means: now, or not at all', async () => {
    await client({ token: 't' }).groups.get('a', { deadlineMs: 1_300 });
    expect(heard[0]?.headers['prefer']).toBe('wait=0');
  });

  test('A deadline that is none is refused', async () => {
    for (const deadlineMs of [0, -1, Number.NaN]) {
      await expect(client({ token: 't' }).groups.get('a', { deadlineMs })).rejects.toThrow(TypeError);
    }
  });

  test('What cannot be undone carries its word', async () => {
    await client({ token: 't' }).notify.wipe({ devices: ['a'] }, { confirm: 'wipe' });
    await client({ token: 't' }).notify.refurbish({ group: 'b' }, { confirm: 'refurbish' });
    await client({ token: 't' }).notify.reboot({ devices: ['a'] });
    expect(heard.map(({ headers }) => headers['gateway-confirm'])).toEqual(['wipe', 'refurbish', undefined]);
  });

  test('A header value that no header can carry is not taken for a failure on the way', async () => {
    await expect(client({ token: 't', team: 'a\nb' }).groups.get('a')).rejects.toMatchObject({ name: 'TypeError' });
    expect(heard).toEqual([]);
  });

  test('Bodies go as JSON, bytes as they are, and what has none says no content type', async () => {
    const any = client({ token: 't' });
    await any.devices.rename('a b', { name: 'ü' });
    await any.artifacts.upload(new Uint8Array([104, 105]), { name: 'x', version: '1 2', type: 'apk' });
    await any.artifacts.upload(new Blob(['ho'], { type: 'text/x' }), { name: 'x', version: '1', type: 'apk' });
    await any.groups.delete('g');
    expect(heard.map(({ method, url, body, headers }) => [method, url, body, headers['content-type']])).toEqual([
      ['POST', '/v1/default/device/a%20b', '{"name":"ü"}', 'application/json'],
      ['POST', '/v1/default/artifact?name=x&version=1+2&type=apk', 'hi', 'application/octet-stream'],
      ['POST', '/v1/default/artifact?name=x&version=1&type=apk', 'ho', 'text/x'],
      ['DELETE', '/v1/default/group/g', '', undefined],
    ]);
  });

  test('Every answer is heard of, good and bad, with what is left of the budget', async () => {
    const facts: AnswerFacts[] = [];
    await using told = await oddGateway((res, { url }) => {
      const headers = { 'request-id': 'id', 'ratelimit-policy': '"mason";q=50;w=2', ratelimit: '"mason";r=49;t=1' };
      if (url.endsWith('bad')) json(res, { type: 'x', message: 'y' }, 404, { 'request-id': 'id' });
      else json(res, {}, 200, headers);
    });
    const listening = createClient({ baseUrl: told.url, token: 't', onAnswer: (fact) => facts.push(fact) });
    await listening.devices.get('good');
    await listening.devices.get('bad').catch(() => undefined);
    const budget = { calls: 50, windowMs: 2_000, remaining: 49, resetMs: 1_000 };
    expect(facts).toEqual([
      { method: 'GET', path: '/v1/default/device/good', status: 200, requestId: 'id', budget },
      { method: 'GET', path: '/v1/default/device/bad', status: 404, requestId: 'id', budget: undefined },
    ]);
  });
});

describe('sessions', () => {
  test('Looking without keeping alive, logging out, a ticket, and where to go', async () => {
    const { session } = client();
    await session.get({ slide: false });
    await session.get();
    expect(await session.logout()).toEqual({ endSessionUrl: 'https://login.example.com/out' });
    expect(await session.ticket({ method: 'GET', path: '/v1/x' })).toEqual({
      url: `${gateway.url}/v1/x?gateway-ticket=abc`,
      endsAt: '2027-01-01T00:00:00.000Z',
    });
    expect(session.accountUrl()).toBe(`${gateway.url}/auth/account`);
    expect(session.signInUrl('/a?b=c&d')).toBe(`${gateway.url}/auth/login?returnTo=%2Fa%3Fb%3Dc%26d`);
    expect(heard.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
      'GET /auth/session?slide=false ',
      'GET /auth/session ',
      'POST /auth/logout ',
      'POST /auth/ticket {"method":"GET","path":"/v1/x"}',
    ]);
    expect(heard.filter(({ headers }) => headers['prefer'] !== undefined)).toEqual([]);
  });
});

describe('the address of the gateway', () => {
  test.each([
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/auth/login?returnTo=%2F'],
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080/auth/login?returnTo=%2F'],
    ['https://example.com/mason//', 'https://example.com/mason/auth/login?returnTo=%2F'],
  ])('%s is one', (baseUrl, expected) => {
    expect(createClient({ baseUrl }).session.signInUrl()).toBe(expected);
  });

  test.each([
    '',
    '/',
    'gateway.example.com',
    'ftp://gateway.example.com',
    'https://me:secret@gateway.example.com',
    'https://gateway.example.com/v1',
    'https://gateway.example.com/v1/',
    'https://gateway.example.com?x',
    'https://gateway.example.com/#x',
  ])('%j is none', (baseUrl) => {
    expect(() => createClient({ baseUrl })).toThrow(TypeError);
    expect(() => createClient({ baseUrl })).not.toThrow(/secret/);
  });
});
