import { statSync } from 'node:fs';
import type { PruneAsked } from '../retention/record-pruner.ts';
import { ulidEpochMs } from '../ulid.ts';
import { listSegments, type SegmentFile } from './segment-file.ts';
import { openSegmentToRead, readSegmentHead } from './segment-head.ts';

/** A segment, as retention looks at it. */
export interface StoredSegment extends SegmentFile {
  readonly chain: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Link of its last batch. */
  readonly link: Uint8Array;
  /** Latest instant of its events; of an empty one, when its run began. */
  readonly highAt: number;
  readonly isSealed: boolean;
  readonly bytes: number;
}

/**
 * All segments of a directory, oldest run first, within a run the oldest first. What cannot be read is left where it is:
 * verifying finds it.
 *
 * @throws the file system's error when the directory cannot be read
 */
export function storedSegments(directory: string): StoredSegment[] {
  return listSegments(directory)
    .reverse()
    .flatMap((file) => look(file) ?? []);
}

function look(file: SegmentFile): StoredSegment | undefined {
  try {
    using db = openSegmentToRead(file.path);
    const head = readSegmentHead(db);
    if (head === undefined) return undefined;
    return {
      ...file,
      chain: head.chain,
      firstSeq: head.firstSeq,
      lastSeq: head.head.seq,
      link: head.head.link,
      highAt: head.range?.highAt ?? ulidEpochMs(file.run),
      isSealed: head.sealed,
      bytes: sizeOf(file.path) + sizeOf(`${file.path}-wal`),
    };
  } catch {
    return undefined;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Which segments go: of each run from its beginning on, over all runs the oldest first, sealed ones only.
 *
 * @param segments as {@link storedSegments} answers them
 * @param holds why a segment may not go yet, in words; undefined when it may
 */
export function segmentsToGo(
  segments: readonly StoredSegment[],
  { before = Number.NEGATIVE_INFINITY, bytesMax = Number.POSITIVE_INFINITY }: Pick<PruneAsked, 'before' | 'bytesMax'>,
  holds: (segment: StoredSegment) => string | undefined,
): { going: StoredSegment[]; heldBack: string[] } {
  const going: StoredSegment[] = [];
  const heldBack: string[] = [];
  const runs = [...Map.groupBy(segments, ({ run }) => run).values()].map((all) => all.values());
  const next = new Map(runs.flatMap((run) => first(run)));
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  while (next.size > 0) {
    const [run, segment] = [...next].reduce((a, b) => (b[1].highAt < a[1].highAt ? b : a));
    if (segment.highAt >= before && bytes <= bytesMax) break;
    const reason = segment.isSealed ? holds(segment) : 'it is still written, or not sealed yet';
    next.delete(run);
    if (reason !== undefined) {
      heldBack.push(`${segment.chain} from event ${segment.firstSeq} on: ${reason}`);
      continue;
    }
    going.push(segment);
    bytes -= segment.bytes;
    for (const [again, following] of first(run)) next.set(again, following);
  }
  return { going, heldBack };
}

function first(run: IterableIterator<StoredSegment>): [IterableIterator<StoredSegment>, StoredSegment][] {
  const { value } = run.next();
  return value === undefined ? [] : [[run, value]];
}
