import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { OpenedRecord } from '../../../src/audit/open-record.ts';
import { settingsOf } from '../../store/postgres-pairs.ts';
import { eventually } from '../../support/eventually.ts';
import { PostgresServer } from '../../support/postgres-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { sampleIntent, sampleOutcome } from '../sample-events.ts';
import { RecordDatabase, type StoredChain } from './record-database.ts';

const INTENT_MS_MAX = 600;
const SMALL = { intentMsMax: INTENT_MS_MAX, flushMsMax: 20, lagEventsMax: 20, lagBytesMax: 100_000 };

let server: PostgresServer;
let database: RecordDatabase;

beforeAll(async () => {
  server = await PostgresServer.start();
  database = new RecordDatabase(await server.freshDatabase());
});

afterEach(async () => {
  // Where a test failed before it came to it.
  server.thaw();
  await database.empty();
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function refusedWithinBound(record: OpenedRecord): Promise<void> {
  const from = performance.now();
  await expect(record.intend(sampleIntent({ requestId: 'refused' }))).rejects.toMatchObject({
    code: 'record_unavailable',
    retryAfterMs: expect.any(Number),
  });
  // Half as much again for a busy machine; the bound itself is proven on virtual time.
  expect(performance.now() - from).toBeLessThan(INTENT_MS_MAX * 1.5);
}

function idsOf(chains: readonly StoredChain[]): unknown[] {
  return chains.flatMap(({ events }) => events.map(({ requestId, act }) => act ?? requestId));
}

/** Breaks and mends what is between a record and its database. */
async function survives(
  record: OpenedRecord,
  broken: () => Promise<void> | void,
  mend: () => Promise<void> | void,
): Promise<void> {
  await record.intend(sampleIntent({ requestId: 'before' }));
  await broken();
  await refusedWithinBound(record);
  for (let n = 0; n < 30; n += 1) record.append(sampleOutcome({ requestId: `read ${n}` }));
  // What is under way takes its place too.
  await eventually('what does not fit is a gap', () => !record.health().writable && record.health().gap >= 10);
  const { gap } = record.health();
  await refusedWithinBound(record);
  await mend();
  await eventually('it writes again', () => record.health().writable && record.health().lagEvents === 0);
  await record.intend(sampleIntent({ requestId: 'after' }));
  const found = await record.query({ requestId: 'after' }, { limit: 5 });
  expect(found.events).toHaveLength(1);
  await record.close();
  const chains = await database.chains();
  expect(chains.map(({ faults }) => faults)).toEqual([[]]);
  const ids = idsOf(chains);
  const reads = Array.from({ length: 30 - gap }, (_, n) => `read ${n}`);
  // What was refused may be there: nobody knew. What was promised is, once.
  expect(ids.filter((id) => id !== 'refused').sort()).toEqual(
    ['gateway.start', 'before', ...reads, 'gateway.gap', 'after', 'gateway.stop'].sort(),
  );
}

test('a server that crashes: changes are refused within the bound, reads are counted, and it goes on by itself', async () => {
  const record = await database.open(SMALL);
  await survives(
    record,
    async () => {
      await server.stop();
      await expect(record.query({}, { limit: 1 })).rejects.toMatchObject({ code: 'store_unavailable' });
    },
    () => server.restart(),
  );
});

test('a server that hangs, which no closed connection tells', async () => {
  const record = await database.open(SMALL);
  await survives(
    record,
    () => server.freeze(),
    () => server.thaw(),
  );
});

test('a network that is cut for one gateway does not trouble the other, nor lose or double anything', async () => {
  await using proxy = await TcpProxy.before(server.port);
  const cut = await database.open({ ...SMALL, database: settingsOf(database.url, { port: proxy.port }) });
  await cut.intend(sampleIntent({ requestId: 'before' }));
  const other = await database.open({ gatewayId: 'gw-2' });
  // Answers get lost on their way: what was written then shows only when it is read back.
  for (let round = 0; round < 3; round += 1) {
    proxy.delayMs = 40;
    cut.append(sampleOutcome({ requestId: `read ${round}` }));
    const unheard = cut.intend(sampleIntent({ requestId: `unheard ${round}` })).catch(() => undefined);
    await eventually('it is written', async () => {
      const { events } = await other.query({ requestId: `unheard ${round}` }, { limit: 1 });
      return events.length === 1 || !cut.health().writable;
    });
    proxy.cut();
    await unheard;
    await other.intend(sampleIntent({ requestId: `other ${round}` }));
    proxy.delayMs = 0;
    proxy.mend();
    await eventually('it writes again', () => cut.health().writable && cut.health().lagEvents === 0);
  }
  await database.closeAll();
  const chains = await database.chains();
  expect(chains.map(({ faults }) => faults)).toEqual([[], []]);
  const ids = idsOf(chains);
  for (const round of [0, 1, 2]) {
    for (const id of [`read ${round}`, `other ${round}`]) expect(ids.filter((one) => one === id)).toEqual([id]);
    expect(ids.filter((one) => one === `unheard ${round}`).length).toBeLessThan(2);
  }
});

test('connections that an operator ends at any moment lose nothing that was promised, and double nothing', async () => {
  const [one, two] = [
    await database.open({ flushMsMax: 1 }),
    await database.open({ flushMsMax: 1, gatewayId: 'gw-2' }),
  ];
  const promised: string[] = [];
  const appended: string[] = [];
  let isOver = false;
  const load = async (record: OpenedRecord, name: string): Promise<void> => {
    for (let n = 0; !isOver; n += 1) {
      const id = `${name} ${n}`;
      record.append(sampleOutcome({ requestId: `read ${id}` }));
      appended.push(`read ${id}`);
      await record.intend(sampleIntent({ requestId: id })).then(
        () => promised.push(id),
        () => new Promise((resolve) => setTimeout(resolve, 5)),
      );
    }
  };
  const loads = [load(one, 'a'), load(one, 'b'), load(two, 'c')];
  for (let round = 0; round < 8; round += 1) {
    const goal = promised.length + 5 + round;
    await eventually('some are promised', () => promised.length >= goal);
    await server.terminateConnections();
  }
  isOver = true;
  await Promise.all(loads);
  await database.closeAll();
  const chains = await database.chains();
  expect(chains.map(({ faults }) => faults)).toEqual([[], []]);
  const ids = idsOf(chains);
  const found = new Set(ids);
  expect([...promised, ...appended].filter((id) => !found.has(id))).toEqual([]);
  const outcomes = ids.filter((id) => String(id).startsWith('read'));
  expect(new Set(outcomes).size).toBe(outcomes.length);
});

test('a connection that ended while nobody asked for anything is made anew, and nobody notices', async () => {
  const record = await database.open(SMALL);
  await record.intend(sampleIntent());
  for (let round = 0; round < 3; round += 1) {
    await server.terminateConnections();
    await eventually('it is gone', async () => {
      const found = await database.ask("SELECT 1 FROM pg_stat_activity WHERE application_name = 'mason-gateway'");
      return found.length === 0;
    });
    // The news of it is on its way to the writer.
    await new Promise((resolve) => setTimeout(resolve, 20));
    await record.intend(sampleIntent({ requestId: `after ${round}` }));
  }
  expect(record.health()).toMatchObject({ writable: true, gap: 0 });
});

test('a database that was put back to an earlier state: the next chain names what is missing', async () => {
  const record = await database.open();
  await record.intend(sampleIntent({ requestId: 'kept' }));
  const [kept] = await database.chains();
  await record.intend(sampleIntent({ requestId: 'lost' }));
  const [before] = await database.chains();
  await database.ask('DELETE FROM record_event WHERE (id & 1099511627775) > 2');
  await database.ask('DELETE FROM record_batch WHERE first_seq > 2');
  await database.ask('UPDATE record_chain SET seq = 2, batch = 1, link = $1', [
    Buffer.from(kept?.head.link ?? '', 'hex'),
  ]);
  await server.terminateConnections();
  await eventually('it writes again', () =>
    record.intend(sampleIntent({ requestId: 'after' })).then(
      () => true,
      () => false,
    ),
  );
  await record.close();
  const [first, second] = await database.chains();
  expect([first?.faults, second?.faults]).toEqual([[], []]);
  expect(idsOf(first === undefined ? [] : [first])).toEqual(['gateway.start', 'kept']);
  expect(second?.events[0]?.['details']).toMatchObject({
    previousChain: first?.chain,
    previousSeq: 3,
    previousLink: before?.head.link,
  });
  expect(second?.events.map(({ requestId }) => requestId)).toContain('after');
});

test('a chain that was closed under its writer is left, and named by the next', async () => {
  const record = await database.open();
  await record.intend(sampleIntent({ requestId: 'before' }));
  await database.ask('UPDATE record_chain SET is_open = false');
  await eventually('it writes again', () =>
    record.intend(sampleIntent({ requestId: 'after' })).then(
      () => true,
      () => false,
    ),
  );
  await record.close();
  const [first, second] = await database.chains();
  expect(second?.events[0]?.['details']).toMatchObject({ previousChain: first?.chain, previousSeq: 2 });
  expect([first?.faults, second?.faults]).toEqual([[], []]);
});

test('what others left open an hour ago is closed, unless somebody is there', async () => {
  const live = await database.open({ gatewayId: 'gw-live' });
  const dead = await database.open({ gatewayId: 'gw-dead' });
  await dead.close();
  await database.ask('UPDATE record_chain SET is_open = true, written_at = written_at - 3700000');
  await database.open({ gatewayId: 'gw-next' });
  expect(await database.ask('SELECT gateway_id, is_open FROM record_chain ORDER BY id')).toEqual([
    { gateway_id: 'gw-live', is_open: true },
    { gateway_id: 'gw-dead', is_open: false },
    { gateway_id: 'gw-next', is_open: true },
  ]);
  await live.intend(sampleIntent());
});

test('gateways that all start in the first second of a week make its partition once', async () => {
  const week = Math.floor(Date.now() / 604_800_000);
  await database.ask(`DROP TABLE IF EXISTS record_event_w${week}, record_target_w${week}`);
  const records = await Promise.all(['gw-1', 'gw-2', 'gw-3'].map((gatewayId) => database.open({ gatewayId })));
  expect(records.map((record) => record.health().problem)).toEqual([undefined, undefined, undefined]);
});

test('a partition that was dropped while the gateway ran is made anew', async () => {
  const record = await database.open();
  const week = Math.floor(sampleIntent().at / 604_800_000);
  await record.intend(sampleIntent({ requestId: 'dropped' }));
  await database.ask(`DROP TABLE record_event_w${week}, record_target_w${week}`);
  await expect(record.intend(sampleIntent())).rejects.toMatchObject({ code: 'record_unavailable' });
  await eventually('it writes again', () => record.health().writable);
  await record.intend(sampleIntent({ requestId: 'after' }));
  expect((await record.query({ team: 'ops' }, { limit: 5 })).events).toHaveLength(1);
});
