import { join } from 'node:path';
import type { Logger } from 'pino';
import { type OpenedRecord, openRecord } from './audit/open-record.ts';
import { openSigner } from './audit/open-signer.ts';
import { Retention } from './audit/retention/retention.ts';
import { RunLife } from './audit/run-life.ts';
import { undelivered } from './audit/sinks/undelivered.ts';
import { UsageCounter } from './audit/usage-counter.ts';
import type { Config } from './config/config.ts';
import type { databaseSettings } from './config/database-settings.ts';
import { systemClock } from './domain/clock.ts';
import type { Store } from './store/open-store.ts';
import type { Vault } from './vault/open-vault.ts';

/** What belongs to the record of this process. */
export interface RecordRoom {
  readonly signer: Awaited<ReturnType<typeof openSigner>>;
  readonly record: OpenedRecord;
  /** The run of this process. */
  readonly life: RunLife;
  /** Prunes by itself once it is started. */
  readonly retention: Retention;
}

/**
 * Opens the record, begins a run in it, and defers their ends to the stack: the run stops first and ends last, when all that it
 * did is on record.
 */
export async function openRecordRoom(
  stack: AsyncDisposableStack,
  config: Config,
  below: { store: Store; vault: Vault; server: ReturnType<typeof databaseSettings>; log: Logger },
): Promise<RecordRoom> {
  const { store, vault, server, log } = below;
  const { dataDir, id: gatewayId } = config.gateway;
  const signer = await openSigner({
    keys: store.signingKeys,
    clock: systemClock,
    seal: (keyId, privateKey) => vault.sealFor('signing', keyId, privateKey),
    open: (keyId, sealed) => vault.openFor('signing', keyId, sealed),
  });
  const counter = new UsageCounter(store.usage);
  const record = await openRecord({
    ...config.record,
    directory: join(dataDir, 'audit'),
    database: server,
    gatewayId,
    clock: systemClock,
    signer,
    // Kept apart from the record, these lines are its witnesses.
    onCheckpoint: (checkpoint) => log.info({ checkpoint }, 'checkpoint'),
    onProblem: (problem) => log.error({ room: 'record' }, problem),
    onUsage: (chain, batch, usage) => counter.hear(chain, batch, usage),
  });
  const life = new RunLife({
    gatewayId,
    clock: systemClock,
    record,
    counter,
    usage: store.usage,
    runs: store.runs,
    positions: store.positions,
    onClosed: (chain, unknown) => log.warn({ chain, unknown }, 'a run had died: what it left open is closed'),
    onProblem: (problem) => log.warn({ room: 'record' }, problem),
  });
  stack.defer(() => life.end());
  stack.defer(() => record.close());
  stack.defer(() => life.stop());
  await life.begin();
  const retention = new Retention({
    policy: config.record.retention,
    pruner: record.pruner,
    record,
    positions: store.positions,
    clock: systemClock,
    undelivered: () =>
      undelivered(
        config.sinks.map(({ id }) => id),
        record.archive,
        store.positions,
      ),
    onPruned: (words) => log.info({ room: 'record' }, words),
    onProblem: (problem) => log.warn({ room: 'record' }, problem),
  });
  stack.defer(() => retention.close());
  return { signer, record, life, retention };
}
