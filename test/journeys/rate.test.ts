import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OPERATES } from '../../src/domain/authority.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const OPERATOR = { actor: { kind: 'operator' }, authority: OPERATES } as const;
const KEYS = Array.from({ length: 24 }, (_, n) => `rate-key-${n}-0123456789abcdef`);

let simulator: SimulatorProcess;
let gateway: TestGateway;
let groups: string[];
let teams = 0;

beforeAll(async () => {
  simulator = await spawnSimulator(['--groups', '12', ...KEYS.flatMap((key) => ['--key', `${key}=account:owner`])]);
  gateway = await startGateway({ masonUrl: simulator.url, settings: { lane: { waitingCallsMax: 2 } } });
  const list = await fetch(`${simulator.url}/v1/default/group`, { headers: { authorization: `basic ${KEYS[0]}` } });
  groups = ((await list.json()) as { data: { name: string }[] }).data.map(({ name }) => name);
});
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

/** A team with a budget of its own. */
async function newTeam(limit: string): Promise<{ team: string; key: string; token(more?: object): Promise<string> }> {
  const { acts } = gateway.gateway;
  const team = `team-${++teams}`;
  const key = KEYS[teams] as string;
  await acts['team.add'](OPERATOR, { slug: team });
  await acts['key.add'](OPERATOR, { team, name: 'key', key, scopes: ['account:owner'], limit });
  let apps = 0;
  const token = async (more: object = {}): Promise<string> => {
    const app = `app-${++apps}`;
    await acts['app.add'](OPERATOR, { team, name: app });
    return (await acts['token.create'](OPERATOR, { team, app, scopes: ['account:owner'], ...more })).token;
  };
  return { team, key, token };
}

const recordOf = async (answer: Response): Promise<Readonly<Record<string, unknown>>> =>
  (await gateway.record({ requestId: answer.headers.get('request-id') })).find(({ kind }) => kind !== 'intent') ?? {};

const depth = async (): Promise<number> => {
  const metrics = await (await fetch(`${gateway.privateUrl}/metrics`)).text();
  return [...metrics.matchAll(/^mason_gateway_line_depth\{.*\} (\d+)$/gm)].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
};

const prefer = (wait: number, more: Record<string, string> = {}): RequestInit => ({
  headers: { prefer: `wait=${wait}`, ...more },
});

describe('a 429 of Mason’s', () => {
  const at = (ms: number): number => Date.now() + ms;
  const DIALECTS: readonly (readonly [string, () => Record<string, string>])[] = [
    ['Retry-After in seconds', () => ({ 'Retry-After': '1' })],
    ['Retry-After as a date', () => ({ 'Retry-After': new Date(Math.ceil(at(1_000) / 1_000) * 1_000).toUTCString() })],
    ['the draft', () => ({ 'RateLimit-Policy': '"d";q=1;w=1', RateLimit: '"d";r=0;t=1' })],
    ['the older draft', () => ({ 'RateLimit-Limit': '1', 'RateLimit-Remaining': '0', 'RateLimit-Reset': '1' })],
    ['X-RateLimit, seconds left', () => ({ 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1' })],
    ['X-RateLimit, an epoch', () => ({ 'X-RateLimit-Reset': String(Math.ceil(at(1_000) / 1_000)) })],
    ['X-RateLimit, an epoch in milliseconds', () => ({ 'X-RateLimit-Reset': String(at(1_000)) })],
    ['X-Rate-Limit, seconds left', () => ({ 'X-Rate-Limit-Reset': '1' })],
    ['nothing at all', () => ({})],
    ['a wait of zero', () => ({ 'Retry-After': '0' })],
    ['a date of the past', () => ({ 'Retry-After': 'Thu, 01 Jan 1970 00:00:00 GMT' })],
    ['garbage', () => ({ 'Retry-After': 'soon' })],
  ];

  test('In every dialect it is absorbed: the caller sees 200 and the wait, and nothing else', async () => {
    const wrong: unknown[] = [];
    await Promise.all(
      DIALECTS.map(async ([dialect, headers], n) => {
        const path = `/v1/default/group/${groups[n]}`;
        const token = await (await newTeam('1000/1s')).token();
        await simulator.faults({ match: { path }, fault: { kind: 'status', status: 429, headers: headers() } });
        const answer = await gateway.call(token, path);
        const { attempts, result } = (await recordOf(answer)) as unknown as {
          attempts: { status: number; startMs: number }[];
          result: string;
        };
        const [refused, accepted] = attempts;
        const waited = (accepted?.startMs ?? 0) - (refused?.startMs ?? 0);
        const least = n < 8 && !dialect.includes('epoch') && !dialect.includes('date') ? 990 : 200;
        const told = {
          status: answer.status,
          source: answer.headers.get('error-source'),
          statuses: attempts.map(({ status }) => status),
          result,
        };
        const expected = { status: 200, source: null, statuses: [429, 200], result: 'answered' };
        if (JSON.stringify(told) !== JSON.stringify(expected) || waited < least) wrong.push([dialect, told, waited]);
      }),
    );
    expect(wrong).toEqual([]);
  });
});

describe('on one budget', () => {
  test('After a 429 everybody on the budget pauses, also a change of another app; another budget does not', async () => {
    const { token, key } = await newTeam('1000/1s');
    const other = await (await newTeam('1000/1s')).token();
    const [first, second] = [await token(), await token()];
    await simulator.faults({
      match: { path: '/v1/default/subscription' },
      fault: { kind: 'status', status: 429, headers: { 'Retry-After': '1' } },
    });
    const refused = gateway.call(first, '/v1/default/subscription');
    await eventually('Mason has refused', async () => (await simulator.stats()).byStatus['429'] === 13);
    const change = gateway.call(second, '/v1/default/group', {
      method: 'POST',
      body: '{"name":"paused"}',
      headers: { 'content-type': 'application/json' },
    });
    expect((await gateway.call(other, '/v1/default/group/none')).status).toBe(404);
    expect((await Promise.all([refused, change])).map(({ status }) => status)).toEqual([200, 200]);
    const seen = (await simulator.requests()).filter(({ head }) => head.includes(`basic ${key}\r\n`));
    expect(seen).toHaveLength(3);
    expect((seen[1]?.at ?? 0) - (seen[0]?.at ?? 0)).toBeGreaterThan(950);
    expect((await simulator.requests()).find(({ target }) => target?.endsWith('/none'))?.at).toBeLessThan(
      seen[1]?.at ?? 0,
    );
  });

  test('A pause longer than the call may wait: 429 of the gateway at once, with the exact time, and nothing more is sent', async () => {
    const { token } = await newTeam('1000/1s');
    const caller = await token();
    await simulator.faults({
      match: { path: '/v1/default/sim' },
      fault: { kind: 'status', status: 429, headers: { 'Retry-After': '40' } },
    });
    const answer = await gateway.call(caller, '/v1/default/sim', prefer(5));
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('40');
    expect(answer.headers.get('error-source')).toBe('gateway');
    expect(answer.headers.get('ratelimit')).toMatch(/^"mason";r=0;t=[1-9]\d*$/);
    expect(await answer.json()).toEqual({ type: 'rate_limit_error', message: expect.stringContaining('40 s long') });
    expect(await recordOf(answer)).toMatchObject({
      kind: 'outcome',
      result: 'failed',
      status: 429,
      errorCode: 'deadline_unreachable',
    });
    const reached = (await simulator.stats()).requestsReached;
    for (const wait of [0, 1, 30]) {
      const later = await gateway.call(caller, '/v1/default/sim', prefer(wait));
      expect(later.status).toBe(429);
      expect(Number(later.headers.get('retry-after'))).toBeGreaterThan(30);
      expect(Number(later.headers.get('retry-after'))).toBeLessThanOrEqual(40);
      expect(await recordOf(later)).toMatchObject({ kind: 'refused', result: 'not_sent' });
    }
    expect((await simulator.stats()).requestsReached).toBe(reached);
  });

  test('Calls come faster than the budget: they wait their turn and Mason refuses none', async () => {
    const limited = await spawnSimulator([
      '--limit',
      '5/1s',
      '--limit-kind',
      'sliding-log',
      '--key',
      `${KEYS[0]}=account:owner`,
    ]);
    await using _ = limited;
    await using own = await startGateway({
      masonUrl: limited.url,
      keys: [{ key: KEYS[0] as string, scopes: ['account:owner'], limit: '5/1s' }],
    });
    const token = await own.token();
    // Each asks something else: equal ones would share one call.
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, n) => own.call(token, `/v1/default/device?limit=1&n=${n}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(9).fill(200));
    const stats = await limited.stats();
    expect([stats.rateLimited, stats.accepted]).toEqual([0, 9]);
    expect(stats.mostInWindow).toBeLessThanOrEqual(5);
    for (const answer of answers) {
      expect(answer.headers.get('ratelimit-policy')).toMatch(/^"mason";q=[1-5];w=1$/);
      expect(answer.headers.get('ratelimit')).toMatch(/^"mason";r=[0-5];t=\d+$/);
    }
    expect(answers.some((answer) => /queue;dur=[1-9]\d\d/.test(answer.headers.get('server-timing') ?? ''))).toBe(true);
  });
});

describe('what a caller may say', () => {
  test('Who will not wait does not: with an empty line the call goes, a change too; with a full one it hears when', async () => {
    const { token } = await newTeam('1/30s');
    const caller = await token();
    const idle = await gateway.call(caller, '/v1/default/group', {
      method: 'POST',
      body: '{"name":"no-wait"}',
      ...prefer(0, { 'content-type': 'application/json' }),
    });
    expect(idle.status).toBe(200);
    for (const wait of [0, 1, 20]) {
      const refused = await gateway.call(caller, '/v1/default/device', prefer(wait));
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(25);
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(32);
      expect(refused.headers.get('ratelimit-policy')).toBe('"mason";q=1;w=30');
    }
    const badly = await gateway.call(caller, '/v1/default/device', { headers: { prefer: 'wait=soon' } });
    expect([badly.status, badly.headers.get('error-source')]).toEqual([400, 'gateway']);
  });

  test('A line that is full refuses whoever comes next, and says when to come back', async () => {
    const { token } = await newTeam('1/30s');
    const caller = await token();
    expect((await gateway.call(caller, '/v1/default/device?limit=1')).status).toBe(200);
    const leave = new AbortController();
    const waiting = [1, 2].map(() =>
      gateway.call(caller, '/v1/default/device', { ...prefer(120), signal: leave.signal }).catch(() => undefined),
    );
    await eventually('two wait', async () => (await depth()) === 2);
    const third = await gateway.call(caller, '/v1/default/device', prefer(120));
    expect(third.status).toBe(429);
    expect(await third.json()).toEqual({ type: 'rate_limit_error', message: expect.stringContaining('is full') });
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(60);
    leave.abort();
    await Promise.all(waiting);
    await eventually('the places are free', async () => (await depth()) === 0);
    const gone = await gateway.record({ status: 499 });
    expect(gone).toHaveLength(2);
    expect(gone[0]).toMatchObject({ kind: 'refused', result: 'not_sent', errorCode: 'caller_gone', attempts: [] });
  });

  test('The more urgent call goes first, but no further than its token allows', async () => {
    const { team, token, key } = await newTeam('1/1s');
    const caller = await token();
    const { acts } = gateway.gateway;
    const calm = (await acts['token.create'](OPERATOR, { team, app: 'app-1', scopes: ['account:owner'], urgency: 6 }))
      .token;
    const go = (as: string, priority: string, mark: string): Promise<Response> =>
      gateway.call(as, `/v1/default/device?limit=1&mark=${mark}`, prefer(60, { priority }));
    const first = go(caller, 'u=3', 'first');
    await first;
    const capped = go(calm, 'u=0', 'capped');
    await eventually('one waits', async () => (await depth()) === 1);
    const urgent = go(caller, 'u=1', 'urgent');
    await Promise.all([capped, urgent]);
    const order = (await simulator.requests())
      .filter(({ head }) => head.includes(key))
      .map(({ target }) => target?.split('mark=')[1]);
    expect(order).toEqual(['first', 'urgent', 'capped']);
  });
});
