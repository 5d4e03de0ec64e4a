import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { OPERATES } from '../../src/domain/authority.ts';
import { eventually } from '../support/eventually.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const OPERATOR = { actor: { kind: 'operator' }, authority: OPERATES } as const;

let simulator: SimulatorProcess;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`]);
  gateway = await startGateway({ masonUrl: simulator.url, settings: { record: { intentMsMax: 400 } } });
  token = await gateway.token();
});
beforeEach(() => simulator.reset());
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

const change = (name: string): Promise<Response> =>
  gateway.call(token, '/v1/default/group', {
    method: 'POST',
    body: JSON.stringify({ name }),
    headers: { 'content-type': 'application/json' },
  });

/** What is durable at this very moment: nothing is flushed for the question. */
const durable = async (filter: object): Promise<Readonly<Record<string, unknown>>[]> =>
  (await gateway.gateway.acts['audit.query'](OPERATOR, { limit: 1_000, ...filter })).data.map(({ event }) => event);

/** Another process would hold the record's file like this: a backup, a full disk's cousin. Gives it back when disposed of. */
function holdTheRecord(): Disposable {
  const directory = join(gateway.dataDir, 'audit');
  const open = readdirSync(directory)
    .filter((name) => name.endsWith('.db'))
    .toSorted()
    .at(-1) as string;
  const db = new DatabaseSync(join(directory, open));
  db.exec('BEGIN IMMEDIATE');
  return {
    [Symbol.dispose]() {
      db.exec('ROLLBACK');
      db.close();
    },
  };
}

test('A change is on record before Mason sees it', async () => {
  await simulator.faults({ kind: 'slow-headers', delayMs: 700 });
  const answer = change('announced');
  const sent = await eventually('it is at Mason', async () => (await simulator.requests())[0]);
  const requestId = /\r\nrequest-id: (.*)\r\n/.exec(sent.head)?.[1];
  const events = await durable({ requestId });
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    kind: 'intent',
    requestId,
    operation: 'group.create',
    effect: 'change',
    team: 'alpha',
    actor: { kind: 'app', app: 'tests' },
    method: 'POST',
    path: '/v1/default/group',
    targets: { count: 1, list: [{ kind: 'group', name: 'announced' }] },
  });
  expect(events[0]).not.toHaveProperty('status');
  expect((await answer).headers.get('request-id')).toBe(requestId);
  const [outcome, intent] = await gateway.record({ requestId });
  expect([intent?.['kind'], outcome?.['kind'], outcome?.['result']]).toEqual(['intent', 'outcome', 'answered']);
});

test('A read is not announced, and what refuses a change before the line announces nothing', async () => {
  const read = await gateway.call(token, '/v1/default/device?limit=1');
  expect(await gateway.record({ requestId: read.headers.get('request-id') })).toHaveLength(1);
  const refused = await gateway.call(token, '/v1/default/notify/wipe', { method: 'POST', body: '{}' });
  const [event, ...more] = await gateway.record({ requestId: refused.headers.get('request-id') });
  expect([event?.['kind'], more]).toEqual(['refused', []]);
});

describe('while the record cannot be written', () => {
  test('Changes are refused before Mason hears of them, reads go on, and afterwards all is as before', async () => {
    const outcomes: (string | null)[] = [];
    {
      using _ = holdTheRecord();
      const refused = await change('unrecorded');
      expect([refused.status, refused.headers.get('error-source')]).toEqual([503, 'gateway']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(((await refused.json()) as { type: string }).type).toBe('api_error');
      expect(await simulator.requests()).toEqual([]);
      for (let read = 0; read < 5; read++) {
        const answer = await gateway.call(token, '/v1/default/device?limit=1');
        expect(answer.status).toBe(200);
        outcomes.push(answer.headers.get('request-id'));
      }
      const ready = await eventually('it says so', async () => {
        const answer = await fetch(`${gateway.privateUrl}/readyz`);
        return answer.status === 503 ? answer : undefined;
      });
      expect(await ready.json()).toMatchObject({ status: 'not ready', problems: { record: expect.any(String) } });
      expect(await (await fetch(`${gateway.privateUrl}/metrics`)).text()).toMatch(/^mason_gateway_record_writable 0$/m);
      const again = await change('unrecorded-too');
      expect(again.status).toBe(503);
      outcomes.push(refused.headers.get('request-id'), again.headers.get('request-id'));
    }
    await eventually('changes go again', async () => (await change(`again-${Date.now()}`)).status === 200);
    expect((await fetch(`${gateway.privateUrl}/readyz`)).status).toBe(200);
    const events = await gateway.record();
    const known = new Map(events.map((event) => [event['requestId'], event]));
    expect(outcomes.filter((id) => !known.has(id))).toEqual([]);
    expect(known.get(outcomes[0])).toMatchObject({ kind: 'outcome', result: 'answered', status: 200 });
    expect(known.get(outcomes[5])).toMatchObject({ result: 'not_sent', status: 503, errorCode: 'record_unavailable' });
    expect((await simulator.state()).effects.length).toBe(1);
  });
});
