import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OPERATES } from '../../src/domain/authority.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const OPERATOR = { actor: { kind: 'operator' }, authority: OPERATES } as const;
/** One call in 55 s: of two that come behind it, both can go within the two minutes that they may wait. */
const SLOW_KEY = 'slow-key-0123456789abcdef';
const FAST_KEY = 'fast-key-0123456789abcdef';
const WAITS = { prefer: 'wait=120' };
/** The promise is one second; what the machine that runs the tests adds to it is not ours. */
const ENDED_MS_MAX = 2_500;

let simulator: SimulatorProcess;
let gateway: TestGateway;
let teams = 0;

beforeAll(async () => {
  const keys = [
    { key: SLOW_KEY, scopes: ['connect:read', 'notify:refresh'], limit: '1/55s' },
    { key: FAST_KEY, scopes: ['fleet:manager'] },
  ];
  simulator = await spawnSimulator(keys.flatMap(({ key, scopes }) => ['--key', `${key}=${scopes.join(',')}`]));
  gateway = await startGateway({ masonUrl: simulator.url, keys });
  // The one call of the slow budget is spent.
  expect((await gateway.call(await gateway.token(), '/v1/default/subscription')).status).toBe(200);
});
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

interface Team {
  readonly team: string;
  readonly app: string;
  readonly tokenId: string;
  readonly token: string;
}

/** A team of its own with the same keys, so that ending it ends nobody else's calls. */
async function newTeam(): Promise<Team> {
  const { acts } = gateway.gateway;
  const team = `team-${++teams}`;
  await acts['team.add'](OPERATOR, { slug: team });
  await acts['key.add'](OPERATOR, { team, name: 'slow', key: SLOW_KEY, scopes: ['connect:read', 'notify:refresh'] });
  await acts['key.add'](OPERATOR, { team, name: 'fast', key: FAST_KEY, scopes: ['fleet:manager'] });
  await acts['app.add'](OPERATOR, { team, name: 'app' });
  const made = await acts['token.create'](OPERATOR, { team, app: 'app', scopes: ['account:owner'] });
  return { team, app: 'app', tokenId: made.id, token: made.token };
}

interface Way {
  readonly how: string;
  /** Which of the team's keys is removed, if any, is chosen by what is under way. */
  readonly end: (team: Team, key: 'slow' | 'fast') => Promise<unknown>;
  readonly status: number;
  readonly code: string;
}

const acts = () => gateway.gateway.acts;

const WAYS: readonly Way[] = [
  {
    how: 'The token is revoked',
    end: ({ tokenId }) => acts()['token.revoke'](OPERATOR, { id: tokenId }),
    status: 401,
    code: 'unauthenticated',
  },
  {
    how: 'The leaked token is revoked by its text',
    end: ({ token }) => acts()['token.revoke_leaked'](OPERATOR, { tokens: [token] }),
    status: 401,
    code: 'unauthenticated',
  },
  {
    how: 'The token is rotated without grace',
    end: ({ tokenId }) => acts()['token.rotate'](OPERATOR, { id: tokenId, grace: '0s' }),
    status: 401,
    code: 'unauthenticated',
  },
  {
    how: 'The token is rotated and its grace ends',
    end: ({ tokenId }) => acts()['token.rotate'](OPERATOR, { id: tokenId, grace: '1s' }),
    status: 401,
    code: 'unauthenticated',
  },
  {
    how: 'The app is removed',
    end: ({ team, app }) => acts()['app.remove'](OPERATOR, { team, name: app }),
    status: 401,
    code: 'unauthenticated',
  },
  {
    how: 'The team is removed',
    end: ({ team }) => acts()['team.remove'](OPERATOR, { team, force: true }),
    status: 401,
    code: 'unauthenticated',
  },
  {
    how: 'The key is removed',
    end: ({ team }, key) => acts()['key.remove'](OPERATOR, { team, name: key }),
    status: 403,
    code: 'no_key',
  },
];

const waiting = async (): Promise<number> => {
  const metrics = await (await fetch(`${gateway.privateUrl}/metrics`)).text();
  return [...metrics.matchAll(/^mason_gateway_line_depth\{.*\} (\d+)$/gm)].reduce(
    (sum, [, depth]) => sum + Number(depth),
    0,
  );
};

const outcomeOf = async (answer: Response): Promise<Readonly<Record<string, unknown>> | undefined> =>
  (await gateway.record({ requestId: answer.headers.get('request-id') })).find(({ kind }) => kind !== 'intent');

describe.each(WAYS)('$how', ({ end, status, code }) => {
  test('while its calls wait in the line: they end, none reaches Mason, and all is on record', async () => {
    const team = await newTeam();
    const before = (await simulator.stats()).requestsReached;
    const read = gateway.call(team.token, '/v1/default/subscription', { headers: WAITS });
    const change = gateway.call(team.token, '/v1/default/notify/refresh', {
      method: 'POST',
      headers: { ...WAITS, 'content-type': 'application/json' },
      body: '{"devices":["1"]}',
    });
    await eventually('both wait', async () => (await waiting()) === 2);
    await end(team, 'slow');
    const from = performance.now();
    const answers = await Promise.all([read, change]);
    expect(performance.now() - from).toBeLessThan(ENDED_MS_MAX + 1_000);
    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
    expect(await waiting()).toBe(0);
    expect((await simulator.stats()).requestsReached).toBe(before);
    const events = await Promise.all(answers.map(outcomeOf));
    expect(events[0]).toMatchObject({ kind: 'refused', result: 'not_sent', status, errorCode: code, attempts: [] });
    expect(events[1]).toMatchObject({ kind: 'outcome', result: 'not_sent', status, errorCode: code, attempts: [] });
  });

  test('while its calls are in flight: they end, Mason is let go, and a change is on record as unknown', async () => {
    const team = await newTeam();
    await simulator.faults({ times: 2, fault: { kind: 'hang' } });
    const read = gateway.call(team.token, '/v1/default/device');
    const change = gateway.call(team.token, '/v1/default/device/1', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"x"}',
    });
    const open = await eventually('both are at Mason', async () => {
      const { faultsPlayed, connections } = await simulator.stats();
      return faultsPlayed === 2 && connections.open;
    });
    await end(team, 'fast');
    const from = performance.now();
    const answers = await Promise.all([read, change]);
    expect(performance.now() - from).toBeLessThan(ENDED_MS_MAX + 1_000);
    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
    const events = await Promise.all(answers.map(outcomeOf));
    expect(events[0]).toMatchObject({ kind: 'outcome', result: 'failed', status, errorCode: code });
    expect(events[1]).toMatchObject({ kind: 'outcome', result: 'unknown', status, errorCode: code });
    await eventually('both connections are closed', async () => (await simulator.stats()).connections.open <= open - 2);
    await simulator.reset();
  });
});

test('A rotation with grace ends nothing: calls that wait and new ones go on with the old token and the new', async () => {
  const team = await newTeam();
  await simulator.faults({ kind: 'slow-headers', delayMs: 1_200 });
  const inFlight = gateway.call(team.token, '/v1/default/device');
  await eventually('it is at Mason', async () => (await simulator.stats()).inFlight === 1);
  const { token } = await acts()['token.rotate'](OPERATOR, { id: team.tokenId, grace: '1h' });
  expect((await inFlight).status).toBe(200);
  expect((await gateway.call(team.token, '/v1/default/device')).status).toBe(200);
  expect((await gateway.call(token, '/v1/default/device')).status).toBe(200);
});

test('A revoked token is refused at once afterwards, while the team’s other tokens work on', async () => {
  const team = await newTeam();
  const other = await acts()['token.create'](OPERATOR, { team: team.team, app: 'app', scopes: ['fleet:read'] });
  expect((await gateway.call(team.token, '/v1/default/device')).status).toBe(200);
  await acts()['token.revoke'](OPERATOR, { id: team.tokenId });
  const refused = await eventually('it is refused', async () => {
    const answer = await gateway.call(team.token, '/v1/default/device');
    return answer.status === 401 ? answer : undefined;
  });
  expect(await refused.json()).toEqual({ type: 'authentication_error', message: 'the gateway token was revoked' });
  expect((await gateway.call(other.token, '/v1/default/device')).status).toBe(200);
});
