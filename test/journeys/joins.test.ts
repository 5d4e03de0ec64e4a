import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OPERATES } from '../../src/domain/authority.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

const OPERATOR = { actor: { kind: 'operator' }, authority: OPERATES } as const;
const KEYS = Array.from({ length: 24 }, (_, n) => `join-key-${n}-0123456789abcdef`);
const SHARED_BYTES_MAX = 1_048_576;

type Outcome = Readonly<Record<string, unknown>> & { attempts: { status?: number }[]; joined?: string };

let simulator: SimulatorProcess;
let gateway: TestGateway;
let teams = 0;

beforeAll(async () => {
  simulator = await spawnSimulator(KEYS.flatMap((key) => ['--key', `${key}=account:owner`]));
  gateway = await startGateway({ masonUrl: simulator.url });
});
afterAll(async () => {
  await gateway.close();
  await simulator.close();
});

/** A team with a budget of its own, whose line is closed for a second by a call that has the turn that is free. */
async function closedLine(limit = '1/1s', key = KEYS[teams] as string) {
  const { acts } = gateway.gateway;
  const team = `team-${++teams}`;
  const path = `/v1/default/device?limit=1&of=${team}`;
  await acts['team.add'](OPERATOR, { slug: team });
  await acts['key.add'](OPERATOR, { team, name: 'key', key, scopes: ['account:owner'], limit });
  const token = async (app: string): Promise<string> => {
    await acts['app.add'](OPERATOR, { team, name: app }).catch(() => undefined);
    return (await acts['token.create'](OPERATOR, { team, app, scopes: ['account:owner'] })).token;
  };
  const caller = await token('caller');
  const call = (headers: Record<string, string> = {}, more: RequestInit & { as?: string; path?: string } = {}) => {
    const { as = caller, path: other = path, ...init } = more;
    return gateway.call(as, other, { ...init, headers: { prefer: 'wait=120', ...headers } });
  };
  /** What Mason was asked with the team's path, the oldest first. */
  const asked = async (other = path) =>
    (await simulator.requests(1_000)).filter(({ target }) => target === other).map(({ head }) => head);
  const isAsked = (): Promise<true> => eventually('Mason is asked', async () => (await asked()).length === 1);
  expect((await call({}, { path: '/v1/default/device?limit=1&opener' })).status).toBe(200);
  return { team, path, caller, token, call, asked, isAsked };
}

/** In the order in which they go: the more urgent one first. */
const FIRST = { priority: 'u=0' };
const SECOND = { priority: 'u=1' };

const allWait = (count: number): Promise<true> =>
  eventually(`${count} wait`, async () => {
    const metrics = await (await fetch(`${gateway.privateUrl}/metrics`)).text();
    const depths = [...metrics.matchAll(/^mason_gateway_line_depth\{.*\} (\d+)$/gm)];
    return depths.reduce((sum, [, depth]) => sum + Number(depth), 0) === count;
  });

const outcomeOf = async (answer: Response): Promise<Outcome> =>
  (await gateway.record({ requestId: answer.headers.get('request-id') }))[0] as Outcome;

const joinedCalls = async (): Promise<number> => {
  const metrics = await (await fetch(`${gateway.privateUrl}/metrics`)).text();
  return Number(/^mason_gateway_joined_calls_total (\d+)$/m.exec(metrics)?.[1]);
};

const statuses = (answers: readonly Response[]): number[] => answers.map(({ status }) => status);

describe('reads that ask the same while they wait', () => {
  test('Fifty of several apps: Mason is asked once, each has its own answer, request id and record', async () => {
    const line = await closedLine('2/1s');
    const before = await joinedCalls();
    const tokens = await Promise.all(Array.from({ length: 5 }, (_, n) => line.token(`app-${n}`)));
    const calls = Array.from({ length: 50 }, (_, n) => line.call({}, { as: tokens[n % 5] as string }));
    const answers = await Promise.all(calls);
    expect(new Set(statuses(answers))).toEqual(new Set([200]));
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
    expect(new Set(answers.map(({ headers }) => headers.get('request-id'))).size).toBe(50);
    const asked = await line.asked();
    // All stand in line within a second; a machine that is busy with others may take a little longer.
    expect(asked.length).toBeLessThanOrEqual(2);

    const outcomes = await Promise.all(answers.map(outcomeOf));
    const sent = outcomes.filter(({ attempts }) => attempts.length > 0);
    expect(sent).toHaveLength(asked.length);
    expect(sent.map(({ joined }) => joined)).toEqual(sent.map(() => undefined));
    const joined = outcomes.filter(({ attempts }) => attempts.length === 0);
    expect(
      new Set(joined.map(({ joined: by }) => by)).isSubsetOf(new Set(sent.map(({ requestId }) => requestId))),
    ).toBe(true);
    for (const outcome of joined) {
      expect(outcome).toMatchObject({ kind: 'outcome', result: 'answered', status: 200, masonMs: 0 });
      expect([outcome['keyFingerprint'], outcome['bytesOut']]).toEqual([
        sent[0]?.['keyFingerprint'],
        sent[0]?.['bytesOut'],
      ]);
      expect(outcome['queueMs']).toBeGreaterThan(0);
    }
    expect((await joinedCalls()) - before).toBe(joined.length);
    for (const { headers } of answers) {
      expect(headers.get('ratelimit-policy')).toMatch(/^"mason";q=\d+;w=1$/);
      expect(headers.get('server-timing')).toMatch(/^queue;dur=[1-9]/);
    }
  });

  test('A joined call costs no slot: whoever stands behind fifty of them has the next turn', async () => {
    const line = await closedLine();
    const calls = Array.from({ length: 50 }, () => line.call(FIRST));
    const behind = line.call({ priority: 'u=7' }, { path: `${line.path}&behind` });
    await allWait(51);
    expect(statuses(await Promise.all([...calls, behind]))).toEqual(Array(51).fill(200));
    expect((await outcomeOf(await behind))['queueMs']).toBeLessThan(10_000);
  });

  test('What asks anything else is not joined: path, query, headers that go on, HEAD, a key of idempotency, another team', async () => {
    const line = await closedLine('20/1s');
    const other = await closedLine('20/1s', KEYS[teams - 1] as string);
    const variants: [Record<string, string>, (RequestInit & { as?: string; path?: string })?][] = [
      [{}],
      [{}, { path: `${line.path}&` }],
      [{}, { path: line.path.replace('limit=1', 'limit=2') }],
      [{}, { method: 'HEAD' }],
      [{ accept: 'application/json' }],
      [{ 'accept-language': 'de' }],
      [{ 'if-none-match': '"a"' }],
      [{ 'if-none-match': '"b"' }],
      [{ 'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' }],
      [{ range: 'bytes=0-1' }],
      [{ 'idempotency-key': 'k' }],
      [{ 'idempotency-key': 'k' }],
      [{}, { as: other.caller }],
    ];
    const answers = await Promise.all(variants.map(([headers, more]) => line.call(headers, more)));
    const outcomes = await Promise.all(answers.map(outcomeOf));
    expect(outcomes.map(({ joined }) => joined)).toEqual(variants.map(() => undefined));
    expect(outcomes.map(({ attempts }) => attempts.length)).toEqual(variants.map(() => 1));
  });

  test('What is not Mason’s to see makes no difference: urgency, wait, the caller’s own request id, a cookie', async () => {
    const line = await closedLine();
    const calls = [
      FIRST,
      SECOND,
      { 'request-id': 'mine' },
      { cookie: 'a=b' },
      { prefer: 'wait=100', 'x-forwarded-for': '1.1.1.1' },
    ];
    const answers = calls.map((headers) => line.call(headers));
    await allWait(calls.length);
    expect(statuses(await Promise.all(answers))).toEqual(Array(5).fill(200));
    expect(await line.asked()).toHaveLength(1);
  });

  test('HEADs are joined among themselves, and tell a length without a body', async () => {
    const line = await closedLine();
    const calls = Array.from({ length: 6 }, (_, n) => line.call({}, { method: n % 2 === 0 ? 'HEAD' : 'GET' }));
    await allWait(6);
    const answers = await Promise.all(calls);
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    expect(bodies.filter((body) => body === '')).toHaveLength(3);
    expect(new Set(answers.map(({ headers }) => headers.get('content-length')))).toEqual(
      new Set([String(bodies[1]?.length)]),
    );
    expect(await line.asked()).toHaveLength(2);
  });

  test('A conditional call’s 304 is for all who asked with the same tag', async () => {
    const line = await closedLine();
    await simulator.faults({ fault: { kind: 'status', status: 304, headers: { ETag: '"a"' }, body: '' } });
    const calls = Array.from({ length: 3 }, () => line.call({ 'if-none-match': '"a"' }));
    await allWait(3);
    const answers = await Promise.all(calls);
    expect(answers.map(({ status, headers }) => [status, headers.get('etag')])).toEqual(Array(3).fill([304, '"a"']));
    expect(await line.asked()).toHaveLength(1);
  });

  test('A thing that is not there is not there for all of them', async () => {
    const line = await closedLine();
    const path = `/v1/default/group/none-of-${line.team}`;
    const calls = Array.from({ length: 3 }, () => line.call({}, { path }));
    await allWait(3);
    const answers = await Promise.all(calls);
    for (const answer of answers) {
      expect([answer.status, answer.headers.get('error-source')]).toEqual([404, 'mason']);
      expect(await answer.json()).toMatchObject({ type: 'not_found_error' });
    }
    expect(await line.asked(path)).toHaveLength(1);
    const outcomes = await Promise.all(answers.map(outcomeOf));
    expect(outcomes.filter(({ joined }) => joined !== undefined)).toHaveLength(2);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ result: 'answered', errorSource: 'mason' });
  });

  test('A key that Mason echoes is cut out of each of them', async () => {
    const line = await closedLine();
    await simulator.faults({ kind: 'echo-authorization' });
    const calls = Array.from({ length: 3 }, () => line.call());
    await allWait(3);
    const bodies = await Promise.all((await Promise.all(calls)).map((answer) => answer.text()));
    expect(await line.asked()).toHaveLength(1);
    expect(new Set(bodies).size).toBe(1);
    expect(bodies[0]).toContain('authorization');
    expect(bodies[0]).not.toContain('join-key');
  });
});

test.each([
  ['bottleneck', '5/1s'],
  ['fair', 'auto'],
])('The line of engine %s with the limit %s joins them too', async (engine, limit) => {
  await using own = await startGateway({
    masonUrl: simulator.url,
    keys: [{ key: KEYS.at(-1) as string, scopes: ['account:owner'], limit }],
    settings: { lane: { engine } },
  });
  const token = await own.token();
  const path = `/v1/default/device?limit=1&engine=${engine}`;
  const calls = Array.from({ length: 30 }, () => own.call(token, path, { headers: { prefer: 'wait=120' } }));
  const answers = await Promise.all(calls);
  expect(statuses(answers)).toEqual(Array(30).fill(200));
  const outcomes = (await own.record()).filter(({ path }) => path === '/v1/default/device');
  expect(outcomes.filter(({ joined }) => joined !== undefined).length).toBeGreaterThan(20);
});

describe('an answer that is too large to be held', () => {
  test.each([
    ['of a megabyte is for all', SHARED_BYTES_MAX, 1],
    ['of a byte more is for the first only, and the next has its own turn', SHARED_BYTES_MAX + 1, 2],
  ])('One %s', async (_, bytes, asks) => {
    const line = await closedLine();
    await simulator.faults({ kind: 'large', bytes });
    const calls = Array.from({ length: 3 }, () => line.call());
    await allWait(3);
    const answers = await Promise.all(calls);
    expect(statuses(answers)).toEqual([200, 200, 200]);
    const bodies = await Promise.all(answers.map(async (answer) => Buffer.from(await answer.arrayBuffer())));
    const large = bodies.filter(({ length }) => length === bytes);
    expect(large).toHaveLength(asks === 1 ? 3 : 1);
    for (const body of large) expect(body.equals(large[0] as Buffer)).toBe(true);
    expect(large[0]?.at(-1)).toBe((bytes - 1) % 251);
    expect(await line.asked()).toHaveLength(asks);
  });
});

describe('the call that was sent', () => {
  test('comes to nothing when its caller hangs up: the others keep their places, and the next one asks for them', async () => {
    const line = await closedLine();
    await simulator.faults({ kind: 'slow-headers', delayMs: 20_000 });
    const leave = new AbortController();
    const first = line.call(FIRST, { signal: leave.signal }).catch(() => 'left');
    const others = Array.from({ length: 3 }, () => line.call());
    await allWait(4);
    await line.isAsked();
    leave.abort();
    expect(await first).toBe('left');
    const answers = await Promise.all(others);
    expect(statuses(answers)).toEqual([200, 200, 200]);
    expect(await line.asked()).toHaveLength(2);
    const outcomes = await Promise.all(answers.map(outcomeOf));
    expect(outcomes.filter(({ joined }) => joined !== undefined)).toHaveLength(2);
  });

  test('fails with Mason’s 500, for itself only', async () => {
    const line = await closedLine();
    await simulator.faults({ kind: 'status', status: 500 });
    const calls = [FIRST, SECOND, {}].map((headers) => line.call(headers));
    await allWait(3);
    expect(statuses(await Promise.all(calls))).toEqual([500, 200, 200]);
    expect(await line.asked()).toHaveLength(2);
  });

  test('is refused for the rate: nobody hears of it, all wait, and one call is enough afterwards', async () => {
    const line = await closedLine();
    await simulator.faults({ kind: 'status', status: 429, headers: { 'Retry-After': '1' } });
    const calls = [FIRST, SECOND, {}].map((headers) => line.call(headers));
    await allWait(3);
    const answers = await Promise.all(calls);
    expect(statuses(answers)).toEqual([200, 200, 200]);
    expect(await line.asked()).toHaveLength(2);
    expect((await outcomeOf(answers[0] as Response)).attempts).toMatchObject([{ status: 429 }, { status: 200 }]);
  });

  test('has an answer that breaks off: nobody else is given a piece of it', async () => {
    const line = await closedLine();
    await simulator.faults({ kind: 'truncated-body', framing: 'length' });
    const first = line.call(FIRST).then((answer) => answer.text());
    const others = Array.from({ length: 2 }, () => line.call());
    await allWait(3);
    await expect(first).rejects.toThrow();
    const bodies = await Promise.all((await Promise.all(others)).map((answer) => answer.json()));
    expect(bodies).toEqual(
      [{ data: expect.any(Array) }, { data: expect.any(Array) }].map((body) => expect.objectContaining(body)),
    );
    expect(await line.asked()).toHaveLength(2);
  });

  test('was sent before somebody came: that one’s own question goes to Mason', async () => {
    const line = await closedLine();
    await simulator.faults({ kind: 'slow-headers', delayMs: 500 });
    const early = [line.call(FIRST), line.call(SECOND)];
    await allWait(2);
    await line.isAsked();
    const late = line.call();
    await allWait(2);
    expect(statuses(await Promise.all([...early, late]))).toEqual([200, 200, 200]);
    expect((await outcomeOf((await early[1]) as Response)).joined).toBeDefined();
    const own = await outcomeOf(await late);
    expect([own.joined, own.attempts.length]).toEqual([undefined, 1]);
    expect(await line.asked()).toHaveLength(2);
  });
});

describe('a call that waits for another’s answer', () => {
  test('is refused when its token is revoked meanwhile, and the answer is not for it', async () => {
    const line = await closedLine();
    const { acts } = gateway.gateway;
    const revoked = await line.token('revoked');
    await simulator.faults({ kind: 'slow-headers', delayMs: 600 });
    const first = line.call(FIRST);
    const second = line.call({}, { as: revoked });
    await allWait(2);
    await line.isAsked();
    const [token] = (await acts['token.list'](OPERATOR, { team: line.team, app: 'revoked' })).data;
    await acts['token.revoke'](OPERATOR, { id: token?.id });
    expect((await second).status).toBe(401);
    expect((await first).status).toBe(200);
    expect(await outcomeOf(await second)).toMatchObject({ kind: 'refused', result: 'not_sent', status: 401 });
    expect((await outcomeOf(await second)).joined).toBeUndefined();
  });

  test('keeps its own deadline', async () => {
    const line = await closedLine();
    await simulator.faults({ kind: 'status', status: 429, headers: { 'Retry-After': '3' } });
    const patient = line.call(FIRST);
    const hasty = line.call({ prefer: 'wait=3' });
    await allWait(2);
    const refused = await hasty;
    expect([refused.status, refused.headers.get('error-source')]).toEqual([429, 'gateway']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await patient).status).toBe(200);
  });

  test('may leave: its going costs nobody anything', async () => {
    const line = await closedLine();
    const leave = new AbortController();
    const first = line.call(FIRST);
    const second = line.call(SECOND, { signal: leave.signal }).catch(() => 'left');
    const third = line.call();
    await allWait(3);
    leave.abort();
    expect(await second).toBe('left');
    expect(statuses(await Promise.all([first, third]))).toEqual([200, 200]);
    expect(await line.asked()).toHaveLength(1);
  });
});
