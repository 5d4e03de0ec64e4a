import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OPERATES } from '../../src/domain/authority.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const OPERATOR = { actor: { kind: 'operator' }, authority: OPERATES } as const;
const KEY = 'learning-key-0123456789abcdef';
const CALLS = 60;

let simulator: SimulatorProcess;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  simulator = await spawnSimulator(['--limit', '6/1s', '--limit-kind', 'sliding-log', '--key', `${KEY}=account:owner`]);
  gateway = await startGateway({ masonUrl: simulator.url });
  const { acts } = gateway.gateway;
  await acts['team.add'](OPERATOR, { slug: 'learners' });
  await acts['key.add'](OPERATOR, {
    team: 'learners',
    name: 'key',
    key: KEY,
    scopes: ['account:owner'],
    limit: 'auto',
  });
  await acts['app.add'](OPERATOR, { team: 'learners', name: 'app' });
  token = (await acts['token.create'](OPERATOR, { team: 'learners', app: 'app', scopes: ['fleet:read'] })).token;
});
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

test('A limit that nobody told is learnt from Mason’s refusals, which no caller sees, and is forgotten when told to', async () => {
  const headers = { authorization: `Bearer ${token}`, prefer: 'wait=60' };
  const answers = await Promise.all(
    // Each asks something else: equal ones would share one call.
    Array.from({ length: CALLS }, (_, n) => fetch(`${gateway.url}/v1/default/device?limit=1&n=${n}`, { headers })),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: CALLS }, () => 200));
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  const { rateLimited } = await simulator.stats();
  expect(rateLimited).toBeGreaterThan(0);

  const { acts } = gateway.gateway;
  const budget = 'learners-key';
  const [learnt] = (await acts['limit.show'](OPERATOR, { budget })).data;
  expect(learnt).toMatchObject({ known: 'learnt', refusalsSeen: rateLimited });
  expect(learnt?.refusals[0]?.taken).toBeLessThanOrEqual(8);
  expect(learnt?.spreadMs).toBeGreaterThanOrEqual(0);

  await acts['limit.forget'](OPERATOR, { budget });
  const [anew] = (await acts['limit.show'](OPERATOR, { budget })).data;
  expect(anew).toMatchObject({ known: 'assumed', mode: 'searching', limit: '5/1s', refusalsSeen: 0 });
}, 60_000);
