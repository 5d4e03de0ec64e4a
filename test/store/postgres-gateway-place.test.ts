import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import { type GatewayPlace, takeGatewayPlace } from '../../src/store/postgres/gateway-place.ts';
import { eventually } from '../support/eventually.ts';
import { type SomePostgres, somePostgres } from '../support/postgres-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { settingsOf } from './postgres-pairs.ts';

/** A gateway on a machine of its own, whose way to the database can be cut; its time passes when the test says so. */
class Machine implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly problems: string[] = [];
  readonly way: TcpProxy;
  readonly #url: string;
  place: GatewayPlace | undefined;

  constructor(url: string, way: TcpProxy) {
    this.#url = url;
    this.way = way;
  }

  async start(gatewayId: string, redis: 'redis' | 'alone', clock = systemClock): Promise<void> {
    this.place = await takeGatewayPlace(settingsOf(this.#url, { port: this.way.port }), {
      gatewayId,
      sharesBudgets: redis === 'redis',
      clock,
      onProblem: (problem) => this.problems.push(problem),
    });
  }

  /** Why it is refused, once it has waited for as long as it may. */
  async refusal(gatewayId: string, redis: 'redis' | 'alone'): Promise<{ code: string; message: string }> {
    const end = this.start(gatewayId, redis, this.clock).then(
      () => new Error('it was not refused'),
      (error: Error) => error,
    );
    let isOver = false;
    void end.then(() => {
      isOver = true;
    });
    await eventually('it is refused', async () => {
      await this.clock.advance(250);
      return isOver;
    });
    expect(this.clock.now()).toBeGreaterThan(8_000);
    return (await end) as Error & { code: string };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.place?.[Symbol.asyncDispose]();
    await this.way[Symbol.asyncDispose]();
  }
}

let postgres: SomePostgres;
let url: string;
let machines: AsyncDisposableStack;

beforeAll(async () => {
  postgres = await somePostgres();
  url = await postgres.freshDatabase();
});

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

beforeEach(() => {
  machines = new AsyncDisposableStack();
});

afterEach(async () => {
  await machines.disposeAsync();
});

async function machine(): Promise<Machine> {
  return machines.use(new Machine(url, await TcpProxy.before(Number(new URL(url).port || 5_432))));
}

test('gateways that know nothing of each other’s calls are refused beside any other, with one line that says what to set', async () => {
  const [alone, other] = [await machine(), await machine()];
  await alone.start('one', 'alone');
  expect(await other.refusal('two', 'alone')).toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(
      /^a gateway runs on the database \w+ of .+ and this one has no Redis: .+ same REDIS_URL$/,
    ),
  });
  expect(await (await machine()).refusal('two', 'redis')).toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/^a gateway without Redis runs on .+ same REDIS_URL$/),
  });
  await alone.place?.[Symbol.asyncDispose]();
  const [one, two] = [await machine(), await machine()];
  await Promise.all([one.start('one', 'redis'), two.start('two', 'redis')]);
  expect(await other.refusal('three', 'alone')).toMatchObject({ code: 'conflict' });
  expect(await (await machine()).refusal('two', 'redis')).toMatchObject({
    message: expect.stringMatching(/^a gateway by the name two runs on .+ GATEWAY_ID/),
  });
});

test('of several that start at once one gets the place', async () => {
  const all = [await machine(), await machine(), await machine()];
  const starts = all.map((each, n) => each.start(`gw-${n}`, 'alone', each.clock).then(() => each));
  let over = 0;
  for (const start of starts)
    void start
      .catch(() => undefined)
      .finally(() => {
        over += 1;
      });
  await eventually('they all know', async () => {
    for (const { clock } of all) await clock.advance(250);
    return over === all.length;
  });
  const ends = await Promise.allSettled(starts);
  expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
});

test('one that was killed holds up nobody: its successor waits for it, instead of being refused', async () => {
  const [killed, successor] = [await machine(), await machine()];
  await killed.start('one', 'alone');
  const start = successor.start('one', 'alone');
  killed.way.cut();
  await start;
});

test('one that lost its connection takes its place again; where another has it meanwhile, it says so until that one ends', async () => {
  const [cutOff, other] = [await machine(), await machine()];
  const { clock } = cutOff;
  await cutOff.start('one', 'alone', clock);
  const afterAWhile = (isWell: boolean): Promise<true> =>
    eventually('it knows', async () => {
      await clock.advance(2_000);
      return (cutOff.place?.problem === undefined) === isWell;
    });
  cutOff.way.cut();
  await clock.advance(2_000);
  await other.start('two', 'alone');
  cutOff.way.mend();
  await afterAWhile(false);
  expect(cutOff.problems).toEqual([expect.stringContaining('a gateway runs on the database')]);
  await other.place?.[Symbol.asyncDispose]();
  await afterAWhile(true);
  expect(await (await machine()).refusal('two', 'alone')).toMatchObject({ code: 'conflict' });
  expect(cutOff.problems).toHaveLength(1);
});
