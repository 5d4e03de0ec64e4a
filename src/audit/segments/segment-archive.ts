import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { KeptBatch, KeptChain, RecordArchive } from '../../domain/archive.ts';
import type { SignedCheckpoint } from '../../domain/checkpoint.ts';
import { GatewayError } from '../../domain/errors.ts';
import { failureText } from '../failure-text.ts';
import { unsealedSegments } from './sealer.ts';
import { SegmentBatches } from './segment-batches.ts';
import { listSegments, type SegmentFile } from './segment-file.ts';
import { openSegmentToRead, readSegmentHead, type SegmentHead } from './segment-head.ts';

/**
 * The record in a directory of segment files. It reads in the thread that it is called in, a piece of some hundred events at a
 * time: where calls are served, it belongs into another thread (`ArchiveClient`).
 */
export class SegmentArchive implements RecordArchive {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async chains(): Promise<readonly KeptChain[]> {
    return segmentChains(this.#directory);
  }

  async *batches(chain: string, afterSeq: number): AsyncIterable<KeptBatch> {
    yield* segmentBatches(this.#directory, chain, afterSeq);
  }

  async *checkpoints(chain: string): AsyncIterable<SignedCheckpoint> {
    yield* segmentCheckpoints(this.#directory, chain);
  }

  async newest(): Promise<readonly SignedCheckpoint[]> {
    // Newest segment first: what an older one of the same run has is not the newest.
    const found = unsealedSegments(this.#directory, undefined).flatMap(newestOf).toReversed();
    return [...new Map(found).values()].toReversed();
  }

  async close(): Promise<void> {
    // Nothing is open between two pieces.
  }
}

/** Of a file that cannot be read there is none: this is asked every few seconds, and tells nobody what is wrong. */
function newestOf(path: string): [chain: string, checkpoint: SignedCheckpoint][] {
  try {
    using db = openSegmentToRead(path);
    const chain = readSegmentHead(db)?.chain;
    if (chain === undefined) return [];
    const newest = db.prepare('SELECT text, key_id, signature FROM checkpoint ORDER BY seq DESC LIMIT 1').all();
    return checkpointRows(newest).map((checkpoint) => [chain, checkpoint]);
  } catch {
    return [];
  }
}

/** See `RecordArchive.chains`. A run of which no file can be read is `?/<run>`; reading its batches says why. */
function segmentChains(directory: string): KeptChain[] {
  const chains: KeptChain[] = [];
  for (const [run, files] of filesByRun(directory)) {
    const heads = files.map(headOrNothing).filter((head) => head !== undefined);
    const [first] = heads;
    const last = heads.at(-1);
    if (first !== undefined && last !== undefined) {
      const { chain, gatewayId, firstSeq, previousLink } = first;
      chains.push({ chain, gatewayId, run, firstSeq, previousLink, head: last.head });
    } else if (files.some(isUnreadable)) {
      const head = { seq: 0, batch: -1, link: new Uint8Array() };
      chains.push({ chain: `?/${run}`, gatewayId: '?', run, firstSeq: 1, previousLink: head.link, head });
    }
  }
  return chains;
}

/** See `RecordArchive.batches`. */
function* segmentBatches(directory: string, chain: string, afterSeq: number): Generator<KeptBatch> {
  let place = afterSeq;
  let before: SegmentHead | undefined;
  for (const file of filesOf(directory, chain)) {
    const segment = new SegmentBatches(file.path);
    for (let isEnd = false, isFirst = true; !isEnd; isFirst = false) {
      const chunk = orUnreadable(file, () => segment.next(place));
      if (chunk === undefined) break;
      const faults = isFirst ? misfits(file, chain, chunk.head, before) : [];
      for (const [n, batch] of chunk.batches.entries()) {
        yield n === 0 && faults.length > 0 ? { ...batch, faults: [...faults, ...batch.faults] } : batch;
      }
      ({ isEnd } = chunk);
      place = chunk.reached;
      before = chunk.head;
    }
  }
}

/** See `RecordArchive.checkpoints`. */
function* segmentCheckpoints(directory: string, chain: string): Generator<SignedCheckpoint> {
  for (const file of filesOf(directory, chain)) yield* orUnreadable(file, () => checkpointsOf(file)) ?? [];
}

/** At most one each few seconds of a day: a few megabytes. */
function checkpointsOf({ path }: SegmentFile): SignedCheckpoint[] {
  using db = openSegmentToRead(path);
  if (readSegmentHead(db) === undefined) return [];
  return checkpointRows(db.prepare('SELECT text, key_id, signature FROM checkpoint ORDER BY seq').all());
}

function checkpointRows(rows: readonly Record<string, unknown>[]): SignedCheckpoint[] {
  return rows.map((row) => ({
    text: String(row['text']),
    keyId: String(row['key_id']),
    signature: String(row['signature']),
  }));
}

/** What a segment says of itself and is not so: nothing links it, but queries go by it. */
function misfits(file: SegmentFile, chain: string, head: SegmentHead, before: SegmentHead | undefined): string[] {
  const faults: string[] = [];
  const differ = (what: string): number => faults.push(`${basename(file.path)} says another ${what} of itself`);
  if (head.chain !== chain) differ('chain');
  if (!chain.startsWith(`${head.gatewayId}/`)) differ('gateway');
  if (head.n !== file.n) differ('number');
  if (before !== undefined) {
    if (head.firstSeq !== before.head.seq + 1) differ('beginning');
    if (Buffer.compare(head.previousLink, before.head.link) !== 0) differ('previous link');
  }
  return faults;
}

/** Oldest run first, and of each the oldest file first. */
function filesByRun(directory: string): Map<string, SegmentFile[]> {
  try {
    return Map.groupBy(listSegments(directory).reverse(), ({ run }) => run);
  } catch (error) {
    throw new GatewayError('store_unavailable', `The record in ${directory} cannot be read: ${failureText(error)}`);
  }
}

function filesOf(directory: string, chain: string): SegmentFile[] {
  return filesByRun(directory).get(chain.slice(chain.lastIndexOf('/') + 1)) ?? [];
}

function headOrNothing({ path }: SegmentFile): SegmentHead | undefined {
  try {
    using db = openSegmentToRead(path);
    return readSegmentHead(db);
  } catch {
    return undefined;
  }
}

function isUnreadable(file: SegmentFile): boolean {
  try {
    using db = openSegmentToRead(file.path);
    readSegmentHead(db);
    return false;
  } catch {
    return existsSync(file.path);
  }
}

/** Undefined for a file that is gone: retention removes them, also while they are read. */
function orUnreadable<T>(file: SegmentFile, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!existsSync(file.path)) return undefined;
    throw new GatewayError(
      'store_unavailable',
      `${basename(file.path)} of the record cannot be read: ${failureText(error)}`,
      { cause: error },
    );
  }
}
