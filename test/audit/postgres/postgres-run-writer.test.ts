import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { eventLine } from '../../../src/audit/event-line.ts';
import { bringUpToDate } from '../../../src/audit/postgres/bring-up-to-date.ts';
import { type PostgresRunState, PostgresRunWriter } from '../../../src/audit/postgres/postgres-run-writer.ts';
import { forThread } from '../../../src/audit/postgres/thread-settings.ts';
import { openWritingConnection } from '../../../src/audit/postgres/writing-connection.ts';
import { eventually } from '../../support/eventually.ts';
import { type SomePostgres, somePostgres } from '../../support/postgres-server.ts';
import { sampleIntent } from '../sample-events.ts';
import { RecordDatabase } from './record-database.ts';

let postgres: SomePostgres;
let database: RecordDatabase;
const writers: PostgresRunWriter[] = [];

beforeAll(async () => {
  postgres = await somePostgres();
  database = new RecordDatabase(await postgres.freshDatabase());
  await bringUpToDate(database.settings);
});

afterEach(async () => {
  await Promise.all(writers.splice(0).map((writer) => writer.close()));
  await database.empty();
});

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

function aWriter(resume?: PostgresRunState): PostgresRunWriter {
  const settings = forThread(database.settings);
  const writer = new PostgresRunWriter({ settings, gatewayId: 'gw-1', askMsMax: 5_000, resume });
  writers.push(writer);
  return writer;
}

function line(requestId: string): string {
  return eventLine(sampleIntent({ requestId }));
}

/** The request ids on record, and that there is one chain, which holds. */
async function written(): Promise<unknown[]> {
  const chains = await database.chains();
  expect(chains.map(({ faults }) => faults)).toEqual([[]]);
  return chains.flatMap(({ events }) => events.slice(1).map(({ requestId }) => requestId));
}

test('a batch is written once, however often it is sent, and by whomever goes on with the run', async () => {
  const writer = aWriter();
  const first = await writer.write(1, line('a'));
  expect(await writer.write(1, line('a'))).toEqual(first);
  await writer.write(2, line('b'));
  // A thread that died before its second batch was answered.
  const next = aWriter(first);
  expect(await next.write(2, line('b'))).toMatchObject({ run: first.run, head: { seq: 3, batch: 2 } });
  await next.write(3, line('c'));
  expect(await written()).toEqual(['a', 'b', 'c']);
});

test('of two that write one run at once, because the old connection only seemed dead, one writes each batch', async () => {
  const old = aWriter();
  const state = await old.write(1, line('a'));
  const next = aWriter(state);
  await next.write(0, '');
  const other = new Client({ connectionString: database.url });
  await other.connect();
  await other.query('BEGIN; SELECT 1 FROM record_chain FOR UPDATE');
  const both = [old.write(2, line('b')), next.write(2, line('b'))];
  const settled = Promise.allSettled(both);
  await eventually('both wait', async () => {
    const waiting = await database.ask("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    return waiting.length === 2;
  });
  await other.query('COMMIT');
  await other.end();
  expect((await settled).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const states = [await old.write(2, line('b')), await next.write(2, line('b'))];
  expect(states[0]).toEqual(states[1]);
  expect(await written()).toEqual(['a', 'b']);
});

test('a chain of one who was silent for hours but is connected stays open when another begins; one that was closed is left', async () => {
  const silent = aWriter();
  const { run } = await silent.write(1, line('a'));
  await database.ask('UPDATE record_chain SET written_at = 0');
  await aWriter().write(0, '');
  expect(await silent.write(2, line('b'))).toMatchObject({ run });
  await database.ask('UPDATE record_chain SET is_open = false');
  // What is behind the end of a closed chain would be passed over by those who follow the record.
  await expect(silent.write(3, line('c'))).rejects.toThrow('somebody else wrote or closed it');
  expect((await silent.write(3, line('c'))).run).not.toBe(run);
});

test('a database that is told not to wait for its disk waits for it all the same', async () => {
  await database.ask(`ALTER DATABASE ${database.settings.database} SET synchronous_commit = off`);
  const { client, destroy } = await openWritingConnection(database.settings, 5_000);
  expect((await client.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }]);
  destroy();
});
