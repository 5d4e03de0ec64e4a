import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type AnswerFacts, createClient, type GatewayClient } from '../../src/client/client.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

let simulator: SimulatorProcess;
let gateway: TestGateway;
let client: GatewayClient;
const facts: AnswerFacts[] = [];

beforeAll(async () => {
  simulator = await spawnSimulator(['--devices', '137', '--key', `${OWNER_KEY}=account:owner`]);
  gateway = await startGateway({ masonUrl: simulator.url });
  const token = await gateway.token();
  client = createClient({ baseUrl: gateway.url, token, onAnswer: (fact) => facts.push(fact) });
});
beforeEach(async () => {
  await simulator.reset();
  facts.length = 0;
});
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

describe('a program with a token', () => {
  test('It reads the whole fleet page by page, and every answer tells its id and what is left of the budget', async () => {
    const ids = new Set<string>();
    for await (const device of client.devices.list({ limit: 50 })) ids.add(device.id);
    expect(ids.size).toBe(137);
    expect(facts).toHaveLength(3);
    for (const { status, requestId, budget } of facts) {
      expect({ status, requestId, budget }).toEqual({
        status: 200,
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        budget: {
          calls: expect.any(Number),
          windowMs: 1_000,
          remaining: expect.any(Number),
          resetMs: expect.any(Number),
        },
      });
    }
  });

  test('Backwards and by IMEI, too', async () => {
    const forwards: string[] = [];
    const pages = client.devices.list({ limit: 60 }).pages();
    let last: string | undefined;
    for await (const page of pages) {
      forwards.push(...page.data.map(({ id }) => id));
      last = page.prevPage;
    }
    const back: string[] = [];
    const list = client.devices.list({ limit: 60, before: last });
    for await (const page of list.pages()) back.unshift(...page.data.map(({ id }) => id));
    expect(back).toEqual(forwards.slice(0, 120));
    const [device] = (await client.devices.list({ limit: 1 }).page()).data;
    const found = await client.devices.list({ n: device?.imei }).page();
    expect(found.data).toEqual([device]);
  });

  test('Every operation but uploads does at Mason what it is named for', async () => {
    const [device, other] = (await client.devices.list({ limit: 2 }).page()).data;
    const devices = [device?.id as string];
    expect((await client.devices.get(devices[0] as string)).data).toEqual([device]);
    expect((await client.devices.rename(devices[0] as string, { name: 'Lobby ü' })).data[0]?.name).toBe('Lobby ü');
    expect(await client.devices.locate(devices[0] as string)).toHaveProperty('latitude');
    expect(await client.groups.create({ name: 'lobby', description: 'x' })).toMatchObject({ name: 'lobby' });
    expect(await client.groups.get('lobby')).toMatchObject({ description: 'x' });
    expect(await client.groups.move('lobby', { devices })).toMatchObject({ devices });
    const names: string[] = [];
    for await (const { name } of client.groups.list()) names.push(name);
    expect(names).toContain('lobby');
    expect(await client.deploy({ group: 'lobby', type: 'apk', name: 'a', version: '1' })).toMatchObject({ devices });
    for (const type of ['refresh', 'check', 'reboot', 'shutdown'] as const) {
      expect(await client.notify[type]({ devices })).toEqual({ type, devices });
    }
    expect(await client.notify.application({ devices, package: 'a', command: 'b' })).toMatchObject({ devices });
    expect(await client.notify.wipe({ group: 'lobby' }, { confirm: 'wipe' })).toEqual({ type: 'wipe', devices });
    expect(await client.notify.refurbish({ devices }, { confirm: 'refurbish' })).toMatchObject({ devices });
    await client.groups.delete('lobby');
    expect((await client.subscription.get()).accountID).toEqual(expect.any(String));
    for (const list of [client.usage.list(), client.sims.list(), client.users.list(), client.artifacts.list()]) {
      expect(Array.isArray((await list.page()).data)).toBe(true);
    }
    const { effects } = await simulator.state();
    expect(effects.map(({ what }) => what)).toEqual(
      'rename create-group move deploy-apk refresh check reboot shutdown application wipe refurbish delete-group'.split(
        ' ',
      ),
    );
    expect(JSON.stringify(effects)).not.toContain(other?.id);
  });

  test('Without its word, what cannot be undone does not happen, whatever the types say', async () => {
    const call = client.call('POST', '/v1/default/notify/wipe', { body: { devices: ['a'] } });
    await expect(call).rejects.toMatchObject({ status: 428, source: 'gateway', type: 'invalid_request_error' });
    expect((await simulator.stats()).requestsReached).toBe(0);
  });

  test('Mason’s refusal and the gateway’s are told apart, each with the id that it has on record', async () => {
    const missing = await client.devices.get('none').catch((error: unknown) => error);
    expect(missing).toMatchObject({ status: 404, source: 'mason', type: 'not_found_error' });
    const { requestId } = missing as { requestId: string };
    expect(await gateway.record({ requestId })).toMatchObject([{ operation: 'device.get', status: 404 }]);
    const reader = createClient({ baseUrl: gateway.url, token: await gateway.token({ app: 'r', effects: 'read' }) });
    await expect(reader.devices.rename('a', { name: 'b' })).rejects.toMatchObject({
      status: 403,
      source: 'gateway',
      type: 'permission_error',
    });
    const stranger = createClient({ baseUrl: gateway.url, token: 'mgw_nobody' });
    await expect(stranger.devices.get('a')).rejects.toMatchObject({ status: 401, type: 'authentication_error' });
  });

  test('What fails is sent once: retrying is the gateway’s, and a change that may have happened is not repeated', async () => {
    await simulator.faults({ fault: { kind: 'reset', when: 'after-headers' }, match: { method: 'POST' } });
    const call = client.devices.rename((await client.devices.list({ limit: 1 }).page()).data[0]?.id as string, {
      name: 'x',
    });
    await expect(call).rejects.toMatchObject({ type: 'network_error', source: 'network' });
    expect((await simulator.requests()).map(({ method }) => method)).toEqual(['GET', 'POST']);
  });

  test('A page that the caller no longer wants takes its call with it', async () => {
    const controller = new AbortController();
    await simulator.faults({ kind: 'hang' });
    const call = client.devices.get('a', { signal: controller.signal });
    const ended = expect(call).rejects.toMatchObject({ type: 'aborted' });
    while ((await simulator.stats()).faultsPlayed === 0);
    controller.abort();
    await ended;
    expect(facts).toEqual([]);
  });
});
