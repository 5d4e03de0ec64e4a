import type { RecordArchive } from '../domain/archive.ts';
import type { SignedCheckpoint, Signer } from '../domain/checkpoint.ts';
import type { Clock } from '../domain/clock.ts';
import type { AuditRecord } from '../domain/record.ts';
import type { UsageDelta } from '../domain/usage.ts';
import type { PostgresSettings } from '../store/postgres/postgres-settings.ts';
import { chainName } from './chain.ts';
import { Checkpointer } from './checkpointer.ts';
import type { ExportAsked, ExportPiece } from './export/export-record.ts';
import type { PlaceOptions, RecordPlace } from './record-place.ts';
import { Recorder } from './recorder.ts';
import type { RecordPruner } from './retention/record-pruner.ts';
import { openSegments } from './segments/open-segments.ts';
import type { DeliveryAsked, DeliveryPiece } from './sinks/delivery.ts';

export interface RecordOptions {
  /** Where the segment files stand; made, with mode 0700, when it is not there. Several gateways may share it. */
  readonly directory: string;
  /** Where all gateways keep one record instead. */
  readonly database?: PostgresSettings | undefined;
  readonly gatewayId: string;
  readonly clock: Clock;
  /** Milliseconds within which an intent is durable or refused. */
  readonly intentMsMax: number;
  /** Milliseconds that an event nobody waits for may be held; 200 where not given. */
  readonly flushMsMax?: number;
  /** Events, and bytes of them, that may wait to be written. */
  readonly lagEventsMax: number;
  readonly lagBytesMax: number;
  /** Events (100,000) and age in milliseconds (a day) at which a segment is sealed and the next one begun. */
  readonly segmentEventsMax?: number;
  readonly segmentAgeMsMax?: number;
  /** Signs checkpoints; none are made without it. */
  readonly signer?: Signer;
  /** Milliseconds from one checkpoint to the next while events come; 5,000 where not given. */
  readonly checkpointMs?: number;
  /** Told of each checkpoint: whoever keeps it elsewhere is a witness. */
  readonly onCheckpoint?: (checkpoint: SignedCheckpoint) => void;
  /** Told of the usage in each batch of a chain once that is durable; undefined where only the record knows it. */
  readonly onUsage?: (chain: string, batch: number, usage: readonly UsageDelta[] | undefined) => void;
  /** Told, in one line for an operator, when writing begins to fail, when sealing fails, and what was lost at the end. */
  readonly onProblem?: (problem: string) => void;
}

/** The record of this gateway, with what those need who check, export, count or close it. */
export interface OpenedRecord extends AuditRecord {
  /** The chain that this gateway writes; undefined until writing was possible once. It may go on under another name. */
  chain(): string | undefined;
  readonly archive: RecordArchive;
  /** How far that chain has come, of what is durable. */
  head(): { readonly chain: string; readonly seq: number } | undefined;
  /** See `deliveryPieces`. */
  delivered(asked: DeliveryAsked): AsyncIterable<DeliveryPiece>;
  /** Who follows the record ends here: when all is on record, the last event and checkpoint too, and can still be read. */
  readonly followers: AsyncDisposableStack;
  readonly pruner: RecordPruner;
  /** See `exportRecord`; with all that was accepted before. */
  exported(asked: ExportAsked): AsyncIterable<ExportPiece>;
}

const FLUSH_MS_MAX = 200;
const CHECKPOINT_MS = 5_000;
/** How long a question waits for what happened just before it to be written. */
const SETTLE_MS_MAX = 500;
/** How long a disk that does not answer may hold up the end of the process. */
const CLOSE_MS_MAX = 5_000;

/**
 * Opens the record of this gateway, and begins a chain. A directory that cannot be written does not keep the gateway from
 * starting: `health` says so, changes are refused, and the record recovers by itself.
 *
 * @throws GatewayError `store_unavailable` when there is a database, and its schema cannot be brought up to date
 */
export async function openRecord(options: RecordOptions): Promise<OpenedRecord> {
  const { clock, gatewayId, onProblem = () => undefined, onUsage = () => undefined } = options;
  const place = await openPlace(options, {
    ...options,
    onProblem,
    onUsage: (run, batch, usage) => onUsage(chainName(gatewayId, run), batch, usage),
  });
  const { writer } = place;
  const recorder = new Recorder({ ...options, flushMsMax: options.flushMsMax ?? FLUSH_MS_MAX, onProblem }, writer);
  await recorder.probe();
  const checkpointer = startCheckpoints(options, place, onProblem);
  const followers = new AsyncDisposableStack();
  return {
    intend: (event) => recorder.intend(event),
    append: (event) => recorder.append(event),
    room: () => recorder.room(),
    async query(filter, page) {
      await recorder.settled(SETTLE_MS_MAX);
      return place.query(filter, page);
    },
    health: () => recorder.health(),
    archive: place.archive,
    head: () => writer.state && { chain: chainName(gatewayId, writer.state.run), seq: writer.state.head.seq },
    delivered: (asked) => place.delivered(asked),
    followers,
    pruner: place.pruner,
    chain: () => writer.state && chainName(gatewayId, writer.state.run),
    async *exported(asked) {
      await recorder.settled(SETTLE_MS_MAX);
      yield* place.exported(asked);
    },
    async close() {
      const isDrained = await within(
        clock,
        CLOSE_MS_MAX,
        recorder.close().then(() => checkpointer?.close()),
      );
      const { lagEvents, problem } = recorder.health();
      if (lagEvents > 0)
        onProblem(`the record was closed with ${lagEvents} events unwritten: ${problem ?? 'no answer'}`);
      try {
        await followers.disposeAsync();
      } finally {
        await Promise.all([isDrained ? writer.close() : writer.terminate(), place.close()]);
      }
    },
  };
}

function startCheckpoints(
  { gatewayId, clock, signer, checkpointMs = CHECKPOINT_MS, onCheckpoint = () => undefined }: RecordOptions,
  { writer, archive }: RecordPlace,
  onProblem: (problem: string) => void,
): Checkpointer | undefined {
  if (signer === undefined) return undefined;
  return new Checkpointer(
    { clock, signer, checkpointMs, onCheckpoint, onProblem },
    {
      head: () => writer.state && { ...writer.state.head, chain: chainName(gatewayId, writer.state.run) },
      keep: (seq, checkpoint) => writer.keep(seq, checkpoint),
      newest: () => archive.newest(),
    },
  );
}

async function openPlace({ database, ...options }: RecordOptions, common: PlaceOptions): Promise<RecordPlace> {
  if (database === undefined) return openSegments({ ...options, ...common, startedAt: options.clock.epochMs() });
  // Whoever has no database need not load what speaks with one.
  const { openPostgresRecord } = await import('./postgres/open-postgres-record.ts');
  return openPostgresRecord(database, common);
}

/** Whether a promise settled within a time. */
async function within(clock: Clock, delayMs: number, promise: Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const cancel = clock.after(delayMs, () => late.resolve(false));
  const isInTime = await Promise.race([promise.then(() => true), late.promise]);
  cancel();
  return isInTime;
}
