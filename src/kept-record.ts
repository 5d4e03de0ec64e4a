import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SegmentArchive } from './audit/segments/segment-archive.ts';
import type { Config } from './config/config.ts';
import { databaseSettings } from './config/database-settings.ts';
import type { RecordArchive } from './domain/archive.ts';
import type { SigningKey } from './domain/checkpoint.ts';
import { openStore } from './store/open-store.ts';

/** The record as it is kept, and the public halves of the keys that signed it. */
export interface KeptRecord extends AsyncDisposable {
  readonly archive: RecordArchive;
  readonly keys: readonly SigningKey[];
}

/**
 * Opens the record to read it, whether or not a gateway writes it: nothing is begun, and no master key is asked for.
 *
 * @throws GatewayError `store_unavailable`; the database's error when it does not answer
 */
export async function openKeptRecord(config: Config): Promise<KeptRecord> {
  await using stack = new AsyncDisposableStack();
  const server = databaseSettings(config.database);
  const { dataDir } = config.gateway;
  const file = join(dataDir, 'gateway.db');
  const isThere = server !== undefined || existsSync(file);
  const store = isThere
    ? stack.use(await openStore(server === undefined ? { file } : { kind: 'postgres', server }))
    : undefined;
  const kept = (await store?.signingKeys.list()) ?? [];
  const archive = server === undefined ? new SegmentArchive(join(dataDir, 'audit')) : await postgresArchive(server);
  stack.defer(() => archive.close());
  const rest = stack.move();
  return {
    archive,
    keys: kept.map(({ sealed, ...key }) => key),
    [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose](),
  };
}

async function postgresArchive(server: NonNullable<ReturnType<typeof databaseSettings>>): Promise<RecordArchive> {
  const { openPostgresArchive } = await import('./audit/postgres/postgres-archive.ts');
  return await openPostgresArchive(server);
}
