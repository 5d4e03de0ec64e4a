import { expect, test } from '@jest/globals';
import { parseArguments } from '../../src/simulator/parse-arguments.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { type SimulatorControl, simulatorAt } from '../support/simulator.ts';
import { apiAt, type Got } from './api-client.ts';

const PATH = '/default/group?limit=1';
const KEYS = ['--key', 'a=account:owner', '--key', 'b=account:owner'];

/** A simulator with these options in this process: there are many, and each costs a fraction of a process. */
async function limited(args: readonly string[]): Promise<SimulatorControl & AsyncDisposable & { url: string }> {
  const command = parseArguments(['--port', '0', ...args]);
  if (command === 'help') throw new Error('these options ask for help');
  const { url, close } = await startSimulator(command.options);
  return { ...simulatorAt(url), url, [Symbol.asyncDispose]: close };
}

/** So many calls, one after the other. */
async function calls(url: string, count: number, key = 'a', path = PATH): Promise<Got[]> {
  const got: Got[] = [];
  for (let at = 0; at < count; at += 1) got.push(await apiAt(url)('GET', path, { key }));
  return got;
}

test('beyond the limit calls are refused in the documented shape, and the counts say who was', async () => {
  await using sim = await limited(['--limit', '3/1h', '--limit-kind', 'sliding-log', ...KEYS]);
  const answers = await calls(sim.url, 5);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
  expect(answers[4]?.body).toMatchObject({ type: 'rate_limit_error', message: expect.any(String) });
  expect(Number(answers[4]?.headers.get('retry-after'))).toBeGreaterThan(3590);
  expect((await calls(sim.url, 1, 'b'))[0]?.status).toBe(200);

  const stats = await sim.stats();
  expect(stats).toMatchObject({
    accepted: 4,
    rateLimited: 2,
    mostInWindow: 4,
    windowMs: 3_600_000,
    byStatus: { 200: 4, 429: 2 },
  });
  expect(stats.keys).toMatchObject([
    { key: 'a', label: 'key-1', accepted: 3, rateLimited: 2, mostInWindow: 3 },
    { key: 'b', label: 'key-2', accepted: 1, rateLimited: 0, mostInWindow: 1 },
  ]);
  expect(stats.firstAcceptedAt).toBe(stats.keys[0]?.firstAcceptedAt);
  expect(stats.lastAcceptedAt).toBe(stats.keys[1]?.lastAcceptedAt);
  expect((await sim.stats(3_599_999)).mostInWindow).toBe(4);
  await sim.reset();
  expect((await calls(sim.url, 1))[0]?.status).toBe(200);
});

test('calls without a valid key and control calls cost nothing; forbidden and unknown ones do', async () => {
  await using sim = await limited(['--limit', '2/1h', '--key', 'a=fleet:read']);
  expect((await calls(sim.url, 3, 'wrong')).map(({ status }) => status)).toEqual([401, 401, 401]);
  await sim.stats();
  const statuses = [
    ...(await calls(sim.url, 1, 'a', '/default/user')),
    ...(await calls(sim.url, 1, 'a', '/default/nothing')),
    ...(await calls(sim.url, 1)),
  ].map(({ status }) => status);
  expect(statuses).toEqual([403, 404, 429]);
});

test('a limit of the account is shared by its keys', async () => {
  await using sim = await limited(['--limit', '2/1h', '--limit-scope', 'account', ...KEYS]);
  const statuses = [...(await calls(sim.url, 2, 'a')), ...(await calls(sim.url, 1, 'b'))].map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 429]);
});

test('a bucket of depth 1 lets one call through and then makes them wait', async () => {
  await using sim = await limited(['--limit', '60/1h', '--limit-kind', 'token-bucket', '--limit-depth', '1', ...KEYS]);
  const answers = await calls(sim.url, 2);
  expect(answers.map(({ status }) => status)).toEqual([200, 429]);
  expect(answers[1]?.headers.get('retry-after')).toBe('60');
});

test.each([
  ['ietf', ['"default";q=2;w=60', '"default";r=1;t='], ['ratelimit-policy', 'ratelimit']],
  ['ietf-old', ['2', '1', ''], ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset']],
  ['x-ratelimit', ['2', '1', ''], ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']],
  ['x-rate-limit', ['2', '1', ''], ['x-rate-limit-limit', 'x-rate-limit-remaining', 'x-rate-limit-reset']],
])('the dialect %s tells where a caller stands', async (dialect, begins, names) => {
  await using sim = await limited([
    '--limit',
    '2/60s',
    '--limit-kind',
    'fixed-from-first',
    '--rate-headers',
    dialect,
    ...KEYS,
  ]);
  const [answer] = await calls(sim.url, 1);
  for (const [at, name] of names.entries()) expect(answer?.headers.get(name)).toMatch(begins[at] ?? '');
  expect(answer?.headers.get(names.at(-1) ?? '')).toMatch(/60$/);
});

test('a reset may be an instant instead of a duration, in seconds or milliseconds', async () => {
  const args = ['--limit', '2/60s', '--rate-headers', 'x-ratelimit', '--limit-kind', 'fixed-from-first', ...KEYS];
  for (const [form, unit] of [
    ['epoch', 1000],
    ['epoch-ms', 1],
  ] as const) {
    await using sim = await limited([...args, '--rate-reset', form]);
    const [answer] = await calls(sim.url, 1);
    const left = Number(answer?.headers.get('x-ratelimit-reset')) * unit - Date.now();
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(61_000);
  }
});

test('Retry-After may be a date, or missing', async () => {
  const args = ['--limit', '1/60s', '--limit-kind', 'sliding-log', ...KEYS];
  await using dated = await limited([...args, '--retry-after', 'date']);
  const date = (await calls(dated.url, 2))[1]?.headers.get('retry-after') ?? '';
  expect(date).toMatch(/GMT$/);
  expect(Date.parse(date) - Date.now()).toBeGreaterThan(50_000);
  await using silent = await limited([...args, '--retry-after', 'none']);
  expect((await calls(silent.url, 2))[1]?.headers.has('retry-after')).toBe(false);
});

test('its own work takes time after counting: calls at once are all under way together', async () => {
  await using sim = await limited(['--latency', '80', '--jitter', '0..10', '--limit', '5/1h', ...KEYS]);
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: 8 }, () => calls(sim.url, 1)));
  expect(performance.now() - began).toBeGreaterThanOrEqual(79);
  const statuses = answers.flat().map(({ status }) => status);
  expect(statuses.filter((status) => status === 429)).toHaveLength(3);
  expect((await sim.stats()).mostInFlight).toBeGreaterThanOrEqual(5);
  const waited = (await sim.requests()).filter(({ status }) => status === 200);
  for (const { tookMs } of waited) expect(tookMs).toBeGreaterThanOrEqual(79);
});
