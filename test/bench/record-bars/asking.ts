import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OpenedRecord, openRecord } from '../../../src/audit/open-record.ts';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import { databaseSettings } from '../../../src/config/database-settings.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import { judge, type Part, tell } from '../lane-bars/bar.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { askedFilters } from './asked-filters.ts';
import { type Installed, installOn, type StoreName } from './installed.ts';
import { type Timed, timed, timedText } from './timed.ts';
import { askUsage } from './usage-asked.ts';
import { writtenEvent } from './written-events.ts';

const EVENTS = 1_000_000;
const LONG_EVENTS = 10_000_000;
const DAYS_MS = 30 * 86_400_000;
const PAGE = 100;
const ASKING_MS_MAX = 100;
const EVENT_BYTES_MAX = 1_000;
const LAG_EVENTS_MAX = 20_000;
/** What a server with 2 GB has by its own rule of thumb. */
const MEMORY = ['shared_buffers=512MB', 'max_wal_size=1GB'];
const SEALING_MS_MAX = 300_000;
const TOLD = 3;

export const askingSqlite: Part = asking('sqlite');
export const askingPostgres: Part = asking('postgres');

function asking(store: StoreName): Part {
  return {
    name: `asking-${store}`,
    about: `first pages, usage and size of a large record on ${store}`,
    run: ({ long }) => ask(store, long ? LONG_EVENTS : EVENTS),
  };
}

async function ask(store: StoreName, events: number): Promise<boolean> {
  await using installed = await installOn(store, ['gateway-1'], MEMORY);
  const config = loadConfig(installed.installation.env);
  const now = Date.now();
  const from = performance.now();
  const record = await openBig(config);
  try {
    await write(record, events, now);
    tell(`${events} events written in ${((performance.now() - from) / 1_000).toFixed(0)} s`);
    const size = await settledBytes(installed, config);
    const parts = [
      judge(
        size / events < EVENT_BYTES_MAX,
        `${(size / events).toFixed(0)} bytes an event with its indexes; the bar is ${EVENT_BYTES_MAX}`,
      ),
      await judgeFilters(record, now),
      judgeMs('usage over 30 days', await askUsage(config, now)),
    ];
    return parts.every(Boolean);
  } finally {
    await record.close();
  }
}

function openBig(config: Config): Promise<OpenedRecord> {
  return openRecord({
    ...config.record,
    directory: join(config.gateway.dataDir, 'audit'),
    database: databaseSettings(config.database),
    gatewayId: 'gateway-1',
    clock: systemClock,
    onProblem: console.log,
  });
}

/** Evenly over thirty days, as fast as it can be written. */
async function write(record: OpenedRecord, events: number, now: number): Promise<void> {
  for (let n = 0; n < events; n += 1) {
    record.append(writtenEvent(n, now - DAYS_MS + Math.floor((n * DAYS_MS) / events)));
    if (n % 1_000 === 0) while (record.health().lagEvents > LAG_EVENTS_MAX) await sleep(1);
  }
  while (record.health().lagEvents > 0) await sleep(1);
  const { gap } = record.health();
  if (gap > 0) throw new Error(`${gap} events were not written`);
}

/** Once what is done in the background is done. */
async function settledBytes({ postgres }: Installed, config: Config): Promise<number> {
  const database = databaseSettings(config.database)?.database;
  if (postgres !== undefined && database !== undefined) {
    // What autovacuum does within a minute.
    await postgres.query('VACUUM ANALYZE', database);
    const [row] = await postgres.query(
      `SELECT sum(pg_total_relation_size(oid)) AS bytes FROM pg_class WHERE relkind = 'r' AND relname LIKE 'record\\_%'`,
      database,
    );
    return Number(row?.['bytes']);
  }
  const directory = join(config.gateway.dataDir, 'audit');
  const sizes = () => readdirSync(directory).map((name) => statSync(join(directory, name)));
  await waitUntil(
    'all but the newest segment are sealed',
    () => sizes().filter(({ mode }) => (mode & 0o200) !== 0).length <= OPEN_FILES_MAX || undefined,
    SEALING_MS_MAX,
  );
  return sizes().reduce((sum, { size }) => sum + size, 0);
}

/** The open segment with its log, the log's index. */
const OPEN_FILES_MAX = 3;

async function judgeFilters(record: OpenedRecord, now: number): Promise<boolean> {
  const asked: (Timed & { what: string })[] = [];
  for (const [what, filter] of askedFilters(now)) {
    asked.push({ what, ...(await timed(() => record.query(filter, { limit: PAGE }))) });
  }
  asked.sort((a, b) => b.ms - a.ms);
  for (const one of asked.slice(0, TOLD)) tell(`${one.what}: ${timedText(one)}`);
  const slow = asked.filter(({ ms }) => ms > ASKING_MS_MAX);
  const names = slow.length === 0 ? '' : ` (${slow.map(({ what }) => what).join(', ')})`;
  return judge(
    slow.length === 0,
    `${slow.length} of ${asked.length} first pages took more than ${ASKING_MS_MAX} ms${names}; the bar is 0`,
  );
}

function judgeMs(what: string, took: Timed): boolean {
  return judge(took.ms <= ASKING_MS_MAX, `${what}: ${timedText(took)}; the bar is ${ASKING_MS_MAX} ms`);
}
