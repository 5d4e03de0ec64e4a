import { ArchiveClient } from '../archive-client.ts';
import type { PlaceOptions, RecordPlace } from '../record-place.ts';
import { threadUrl } from '../thread-url.ts';
import { WriterClient } from '../writer-client.ts';
import { QueryClient } from './query-client.ts';
import type { RunOptions, RunState } from './run-writer.ts';
import { Sealer, unsealedSegments } from './sealer.ts';
import { SegmentPruner } from './segment-pruner.ts';

export interface SegmentsOptions extends PlaceOptions {
  /** Where the segment files stand; made, with mode 0700, when it is not there. Several gateways may share it. */
  readonly directory: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Events (100,000) and age in milliseconds (a day) at which a segment is sealed and the next one begun. */
  readonly segmentEventsMax?: number;
  readonly segmentAgeMsMax?: number;
}

const SEGMENT_EVENTS_MAX = 100_000;
const SEGMENT_AGE_MS_MAX = 86_400_000;

/** The record in a directory of segment files. Seals in the background what is complete, and what earlier runs left open. */
export function openSegments(options: SegmentsOptions): RecordPlace {
  const { directory, gatewayId, startedAt } = options;
  const begin: RunOptions = {
    directory,
    gatewayId,
    startedAt,
    segmentEventsMax: options.segmentEventsMax ?? SEGMENT_EVENTS_MAX,
    segmentAgeMsMax: options.segmentAgeMsMax ?? SEGMENT_AGE_MS_MAX,
    busyMsMax: Math.ceil(options.intentMsMax / 2),
    resume: undefined,
  };
  const writer = new WriterClient<RunState>({
    url: threadUrl('writer-thread', import.meta.url),
    options: begin,
    onUsage: options.onUsage,
    onState: (state, before) => {
      if (state.segment !== before?.segment) sealer.ask();
    },
  });
  const sealer = new Sealer(() => unsealedSegments(directory, writer.state), options.onProblem);
  const queries = new QueryClient(directory);
  const archive = new ArchiveClient(threadUrl('archive-thread', import.meta.url), directory);
  const pruner = new SegmentPruner(directory);
  return {
    writer,
    query: (filter, page) => queries.query(filter, page),
    archive,
    exported: (asked) => archive.exported(asked),
    delivered: (asked) => archive.delivered(asked),
    pruner,
    close: async () => void (await Promise.all([sealer.close(), queries.close(), archive.close(), pruner.close()])),
  };
}
