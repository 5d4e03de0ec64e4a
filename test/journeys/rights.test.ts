import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { OPERATES } from '../../src/domain/authority.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const OPERATOR = { actor: { kind: 'operator' }, authority: OPERATES } as const;

let simulator: SimulatorProcess;
let gateway: TestGateway;

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`, '--key', 'beta-key-0123456789=fleet:read']);
  gateway = await startGateway({ masonUrl: simulator.url });
});
beforeEach(() => simulator.reset());
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly source: string | null;
}

/** The answer to a call that must be refused before Mason hears of it. */
const refusal = async (token: string, path: string, init?: RequestInit): Promise<Refusal> => {
  const before = (await simulator.stats()).requestsReached;
  const answer = await gateway.call(token, path, init);
  const body = (await answer.json()) as { type: string; message: string };
  expect(Object.keys(body)).toEqual(['type', 'message']);
  expect((await simulator.stats()).requestsReached).toBe(before);
  return { status: answer.status, ...body, source: answer.headers.get('error-source') };
};

describe('what a token allows', () => {
  test('A token reads with a reading scope and no more: the refusal names what is needed and what is held', async () => {
    const token = await gateway.token({ scopes: ['fleet:read', 'user:read'] });
    expect((await gateway.call(token, '/v1/default/device')).status).toBe(200);
    expect(await refusal(token, '/v1/default/group', post({ name: 'a' }))).toEqual({
      status: 403,
      type: 'permission_error',
      message: 'group.create needs the scope fleet:admin; the token holds fleet:read, user:read',
      source: 'gateway',
    });
    expect((await refusal(token, '/v1/default/device/1/location')).message).toContain('needs the scope fleet:locate');
    expect((await refusal(token, '/v1/default/notify/refresh', post({ devices: ['1'] }))).status).toBe(403);
  });

  test('The team’s key may more than the token: the token decides', async () => {
    const token = await gateway.token({ scopes: ['notify:refresh'] });
    expect((await refusal(token, '/v1/default/device')).status).toBe(403);
    expect(
      (await refusal(token, '/v1/default/notify/wipe', post({ devices: ['1'] }, { 'gateway-confirm': 'wipe' }))).status,
    ).toBe(403);
  });

  test('Effects have a ceiling that no scope lifts; without a word it is "change"', async () => {
    const devices = (await (await gateway.call(await gateway.token(), '/v1/default/device?limit=1')).json()) as {
      data: { id: string }[];
    };
    const target = { devices: [devices.data[0]?.id] };
    const made = await gateway.gateway.acts['token.create'](OPERATOR, {
      team: 'alpha',
      app: 'tests',
      scopes: ['account:owner'],
    });
    const reboot = await refusal(made.token, '/v1/default/notify/reboot', post(target));
    expect(reboot).toMatchObject({
      status: 403,
      message: 'notify.reboot is disruptive; the token allows effects up to "change"',
    });
    expect(
      (await refusal(made.token, '/v1/default/notify/wipe', post(target, { 'gateway-confirm': 'wipe' }))).status,
    ).toBe(403);
    expect((await gateway.call(made.token, '/v1/default/notify/refresh', post(target))).status).toBe(200);

    const reader = await gateway.token({ effects: 'read' });
    expect((await refusal(reader, '/v1/default/notify/refresh', post(target))).message).toContain('up to "read"');
    const disruptive = await gateway.token({ effects: 'disruptive' });
    expect((await gateway.call(disruptive, '/v1/default/notify/reboot', post(target))).status).toBe(200);
    expect((await refusal(disruptive, '/v1/default/notify/refurbish', post(target))).status).toBe(403);
  });

  test('What cannot be undone needs its word: without, or with another one, 428 that names it', async () => {
    const token = await gateway.token();
    const devices = (await (await gateway.call(token, '/v1/default/device?limit=1')).json()) as {
      data: { id: string }[];
    };
    const target = { devices: [devices.data[0]?.id] };
    for (const word of ['wipe', 'refurbish']) {
      const path = `/v1/default/notify/${word}`;
      for (const said of [
        {},
        { 'gateway-confirm': '' },
        { 'gateway-confirm': 'yes' },
        { 'gateway-confirm': word.toUpperCase() },
      ]) {
        expect(await refusal(token, path, post(target, said))).toMatchObject({
          status: 428,
          type: 'invalid_request_error',
          message: `notify.${word} cannot be undone: say so with the header "Gateway-Confirm: ${word}"`,
        });
      }
      expect((await gateway.call(token, path, post(target, { 'gateway-confirm': word }))).status).toBe(200);
    }
    expect((await simulator.requests()).every(({ head }) => !/gateway-confirm/i.test(head))).toBe(true);
  });

  test('A reboot that does not say what it reboots is refused', async () => {
    const token = await gateway.token();
    expect((await refusal(token, '/v1/default/notify/reboot', post({}))).status).toBe(400);
    expect((await refusal(token, '/v1/default/deploy', post({ type: 'apk' }))).message).toContain('"group"');
    expect((await refusal(token, '/v1/default/notify/reboot', { method: 'POST' })).message).toContain('needs a body');
  });

  test('A token that is bound to addresses works from there and nowhere else, whatever the headers say', async () => {
    const here = await gateway.token({ from: ['10.0.0.0/8', '127.0.0.1'] });
    expect((await gateway.call(here, '/v1/default/device?limit=1')).status).toBe(200);
    const elsewhere = await gateway.token({ from: ['10.0.0.0/8', '2001:db8::/32'] });
    for (const headers of [
      {},
      { 'x-forwarded-for': '10.1.1.1' },
      { forwarded: 'for=10.1.1.1' },
      { 'x-real-ip': '10.1.1.1' },
    ]) {
      expect(await refusal(elsewhere, '/v1/default/device', { headers })).toMatchObject({
        status: 403,
        message: 'the gateway token may be used from 10.0.0.0/8, 2001:db8::/32; this call comes from 127.0.0.1',
      });
    }
    const [event] = await gateway.record({ kind: 'refused' });
    expect(event).toMatchObject({ errorCode: 'forbidden', status: 403, actor: { address: '127.0.0.1' } });
  });
});

describe('who is nobody', () => {
  test.each([
    ['no header', undefined],
    ['another scheme', 'Digest mgw_x'],
    ['a Mason key', `basic ${OWNER_KEY}`],
    ['the demo key', 'basic demo-owner-key'],
    ['nothing behind the scheme', 'Bearer '],
    ['two credentials', 'Bearer a, Bearer b'],
    ['a token of right form that nobody made', 'Bearer mgw_0000000000000000000000000000003Hq8yT'],
    ['base64 of a password', `Basic ${Buffer.from('a:b').toString('base64')}`],
  ])('%s: 401, in words that repeat nothing of it, and Mason hears nothing', async (_, authorization) => {
    const before = (await simulator.stats()).requestsReached;
    const answer = await fetch(`${gateway.url}/v1/default/device`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    const text = await answer.text();
    expect(answer.status).toBe(401);
    expect(JSON.parse(text)).toEqual({ type: 'authentication_error', message: expect.any(String) });
    expect(answer.headers.get('www-authenticate')).toBeNull();
    for (const part of authorization?.split(/[\s,]+/).slice(1) ?? [])
      if (part.length > 8) expect(text).not.toContain(part);
    expect((await simulator.stats()).requestsReached).toBe(before);
  });

  test('A token counts in Authorization and nowhere else', async () => {
    const token = await gateway.token();
    const attempts: RequestInit[] = [
      { headers: { cookie: `token=${token}; __Host-session=${token}` } },
      { headers: { 'x-api-key': token } },
      { headers: { 'proxy-authorization': `Bearer ${token}` } },
      { method: 'POST', body: JSON.stringify({ token, access_token: token }) },
    ];
    for (const init of attempts)
      expect((await fetch(`${gateway.url}/v1/default/group?access_token=${token}`, init)).status).toBe(401);
    const changed = `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`;
    expect((await gateway.call(changed, '/v1/default/device')).status).toBe(401);
    const scheme = await fetch(`${gateway.url}/v1/default/device`, { headers: { authorization: `bEaReR  ${token}` } });
    expect(scheme.status).toBe(200);
  });
});

describe('between teams', () => {
  test('A team’s token goes with the team’s keys, and no header moves it into another', async () => {
    const { acts } = gateway.gateway;
    await acts['team.add'](OPERATOR, { slug: 'beta' });
    await acts['key.add'](OPERATOR, {
      team: 'beta',
      name: 'k',
      key: 'beta-key-0123456789',
      scopes: ['fleet:read'],
      limit: '1000/1s',
    });
    await acts['app.add'](OPERATOR, { team: 'beta', name: 'app' });
    const { token } = await acts['token.create'](OPERATOR, { team: 'beta', app: 'app', scopes: ['account:owner'] });
    expect((await gateway.call(token, '/v1/default/device?limit=1')).status).toBe(200);
    expect((await simulator.requests()).at(-1)?.head).toContain('authorization: basic beta-key-0123456789\r\n');
    expect(await refusal(token, '/v1/default/device', { headers: { 'gateway-team': 'alpha' } })).toMatchObject({
      status: 403,
    });
    expect((await gateway.call(token, '/v1/default/device', { headers: { 'gateway-team': 'beta' } })).status).toBe(200);
    expect(await refusal(token, '/v1/default/group', post({ name: 'b' }))).toMatchObject({
      status: 403,
      type: 'permission_error',
      message: 'no Mason key of team beta has the scope fleet:admin that group.create needs; the team has fleet:read',
    });
    const events = await gateway.record({ team: 'beta', kind: 'outcome' });
    expect(events).toHaveLength(2);
  });
});

describe('what is not there', () => {
  test('Unknown paths are 404, other methods 405 with Allow, and Mason hears of neither', async () => {
    const token = await gateway.token();
    for (const path of [
      '/v1',
      '/v1/',
      '/v1/default',
      '/v1/default/device/',
      '/v1/default/device/a/b/c',
      '/v2/default/device',
      '/v1/global/xray/x/shell',
    ]) {
      expect([path, (await refusal(token, path)).status]).toEqual([path, 404]);
    }
    for (const [method, path, allow] of [
      ['PUT', '/v1/default/device', 'GET, HEAD'],
      ['DELETE', '/v1/default/device/x', 'GET, HEAD, POST'],
      ['GET', '/v1/default/notify/wipe', 'POST'],
      ['PATCH', '/v1/default/group/x', 'DELETE, GET, HEAD'],
    ] as const) {
      expect(await refusal(token, path, { method })).toMatchObject({ status: 405, type: 'invalid_request_error' });
      expect((await gateway.call(token, path, { method })).headers.get('allow')).toBe(allow);
    }
  });

  test('The query never decides which operation it is, and a body over the bound is refused before it is read', async () => {
    const token = await gateway.token({ scopes: ['fleet:read'] });
    expect((await refusal(token, '/v1/default/notify/wipe?x=/v1/default/device', post({}))).status).toBe(403);
    const owner = await gateway.token();
    expect(await refusal(owner, '/v1/default/group', post({ name: 'x'.repeat(1_100_000) }))).toMatchObject({
      status: 413,
      type: 'invalid_request_error',
    });
  });

  test('OPTIONS is answered here, for anybody, without a call', async () => {
    const answer = await fetch(`${gateway.url}/v1/default/group/x`, { method: 'OPTIONS' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'OPTIONS, DELETE, GET, HEAD']);
    expect((await simulator.stats()).requestsReached).toBe(0);
  });

  test('Each refusal is on record with who, what and why, though nothing was sent', async () => {
    const token = await gateway.token({ app: 'nosy', scopes: ['fleet:read'] });
    const answer = await gateway.call(token, '/v1/default/group/x', { method: 'DELETE' });
    const events = await gateway.record({ requestId: answer.headers.get('request-id') });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      kind: 'refused',
      result: 'not_sent',
      status: 403,
      errorSource: 'gateway',
      errorCode: 'forbidden',
      operation: 'group.delete',
      effect: 'change',
      actor: { app: 'nosy' },
      attempts: [],
    });
  });
});

describe('what was refused, as an auditor asks for it', () => {
  test('A revoked token that is still tried: the record says whose it was', async () => {
    const token = await gateway.token({ app: 'leaky' });
    const { data } = await gateway.gateway.acts['token.list'](OPERATOR, { team: 'alpha', app: 'leaky' });
    const id = data[0]?.id as string;
    await gateway.gateway.acts['token.revoke'](OPERATOR, { id });
    expect(await refusal(token, '/v1/default/device')).toMatchObject({ status: 401 });
    const [event] = await gateway.record({ tokenId: id, status: 401 });
    expect(event).toMatchObject({
      kind: 'refused',
      team: 'alpha',
      actor: { kind: 'unknown', app: 'leaky', tokenId: id },
    });
  });

  test('An attempt on a group that was refused is found under the name of the group', async () => {
    const token = await gateway.token({ scopes: ['fleet:read'] });
    expect(await refusal(token, '/v1/default/group/porto%20stores', { method: 'DELETE' })).toMatchObject({
      status: 403,
    });
    const [event] = await gateway.record({ device: 'porto stores' });
    expect(event).toMatchObject({ kind: 'refused', operation: 'group.delete', status: 403 });
  });
});
