import type { Clock } from '../domain/clock.ts';
import type { AuditRecord } from '../domain/record.ts';
import { Recorder } from './recorder.ts';
import { QueryClient } from './segments/query-client.ts';
import { Sealer, unsealedSegments } from './segments/sealer.ts';
import { WriterClient } from './segments/writer-client.ts';

export interface RecordOptions {
  /** Where the segment files stand; made, with mode 0700, when it is not there. Several gateways may share it. */
  readonly directory: string;
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
  /** Told, in one line for an operator, when writing begins to fail, when sealing fails, and what was lost at the end. */
  readonly onProblem?: (problem: string) => void;
}

const FLUSH_MS_MAX = 200;
const SEGMENT_EVENTS_MAX = 100_000;
const SEGMENT_AGE_MS_MAX = 86_400_000;
/** How long a question waits for what happened just before it to be written. */
const SETTLE_MS_MAX = 500;
/** How long a disk that does not answer may hold up the end of the process. */
const CLOSE_MS_MAX = 5_000;

/**
 * Opens the record of this gateway: begins a chain, and seals in the background what earlier runs left open. A directory
 * that cannot be written does not keep the gateway from starting: `health` says so, changes are refused, and the record
 * recovers by itself.
 */
export async function openRecord(options: RecordOptions): Promise<AuditRecord> {
  const { directory, gatewayId, clock, onProblem = () => undefined } = options;
  const writer = new WriterClient(
    {
      directory,
      gatewayId,
      startedAt: clock.epochMs(),
      segmentEventsMax: options.segmentEventsMax ?? SEGMENT_EVENTS_MAX,
      segmentAgeMsMax: options.segmentAgeMsMax ?? SEGMENT_AGE_MS_MAX,
      busyMsMax: Math.ceil(options.intentMsMax / 2),
      resume: undefined,
    },
    () => sealer.ask(),
  );
  const sealer = new Sealer(() => unsealedSegments(directory, writer.state), onProblem);
  const recorder = new Recorder({ ...options, flushMsMax: options.flushMsMax ?? FLUSH_MS_MAX, onProblem }, writer);
  const queries = new QueryClient(directory);
  await recorder.probe();
  return {
    intend: (event) => recorder.intend(event),
    append: (event) => recorder.append(event),
    room: () => recorder.room(),
    async query(filter, page) {
      await recorder.settled(SETTLE_MS_MAX);
      return queries.query(filter, page);
    },
    health: () => recorder.health(),
    async close() {
      const isDrained = await within(clock, CLOSE_MS_MAX, recorder.close());
      const { lagEvents, problem } = recorder.health();
      if (lagEvents > 0)
        onProblem(`the record was closed with ${lagEvents} events unwritten: ${problem ?? 'no answer'}`);
      await Promise.all([isDrained ? writer.close() : writer.terminate(), sealer.close(), queries.close()]);
    },
  };
}

/** Whether a promise settled within a time. */
async function within(clock: Clock, delayMs: number, promise: Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const cancel = clock.after(delayMs, () => late.resolve(false));
  const isInTime = await Promise.race([promise.then(() => true), late.promise]);
  cancel();
  return isInTime;
}
