import { mkdirSync } from 'node:fs';
import type { SignedCheckpoint } from '../../domain/checkpoint.ts';
import { chainBegin, chainName, type Head } from '../chain.ts';
import { startLine } from '../gateway-events.ts';
import { ulid, ulidEpochMs } from '../ulid.ts';
import { UsageTally } from '../usage-tally.ts';
import type { BatchesWriter, WriterState } from '../writer-protocol.ts';
import { OpenSegment } from './open-segment.ts';
import { findPreviousHead } from './previous-head.ts';
import { listSegments, segmentPath } from './segment-file.ts';
import { isPassing } from './sqlite-failure.ts';

/** Where a run stands: what a writer must know to go on with it. */
export interface RunState extends WriterState {
  /** Number of the segment that it writes to. */
  readonly segment: number;
}

export interface RunOptions {
  readonly directory: string;
  readonly gatewayId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly segmentEventsMax: number;
  readonly segmentAgeMsMax: number;
  /** How long a commit waits for another process's lock before it fails. */
  readonly busyMsMax: number;
  /** Where a writer of the same run stood that died. */
  readonly resume: RunState | undefined;
}

/** Failures in a row of one segment, other than passing ones, after which the run goes on in the next. */
const STRIKES_MAX = 2;

/**
 * Writes the chain of one run into its segments, synchronously, for a thread of its own. A failed write closes the
 * segment; the next one opens it again and takes what the file says for true: a batch that turns out to be there is not
 * written twice, a file that lost something, or fails again and again, is left for a new segment.
 */
export class RunWriter implements BatchesWriter<RunState> {
  readonly tally = new UsageTally();
  readonly #options: RunOptions;
  #run: string | undefined;
  #n = 1;
  /** The last segment that was open. */
  #opened = 0;
  #head: Head = { seq: 0, batch: -1, link: new Uint8Array() };
  #segment: OpenSegment | undefined;
  #openedAtMs = 0;
  #strikes = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    if (options.resume === undefined) return;
    this.#run = options.resume.run;
    this.#n = options.resume.segment;
    this.#opened = options.resume.segment;
    this.#head = options.resume.head;
  }

  /**
   * Writes a batch, unless it is there already, and says where the run stands. Batches are numbered from 1; 0 writes
   * nothing and tries whether writing is possible.
   *
   * @throws SQLite's or the file system's error: nothing of the batch counts as written, though it may come to light later
   */
  write(batch: number, text: string): RunState {
    try {
      const run = this.#run ?? this.#beginRun();
      const segment = this.#segment ?? this.#open(run);
      if (batch > this.#head.batch) this.#head = segment.commit(batch, text, this.#head, this.tally);
      this.#strikes = 0;
      return { run, segment: this.#n, head: this.#head };
    } catch (error) {
      this.#letGo(error);
      throw error;
    }
  }

  /**
   * Keeps a checkpoint beside the chain, in the segment that is open. Where none is, nothing is kept: the next checkpoint says
   * all that this one does.
   *
   * @param seq of the event that it stands at
   * @throws SQLite's error
   */
  keep(seq: number, checkpoint: SignedCheckpoint): void {
    this.#segment?.keep(seq, checkpoint);
  }

  /**
   * Between batches: what would only make a commit slow, the next segment among it. Failures are left to the next write,
   * which meets them too and tells.
   */
  rest(): void {
    const segment = this.#segment;
    if (segment === undefined || this.#run === undefined) return;
    try {
      segment.rest();
      if (!this.#isComplete(segment)) return;
      this.#segment = undefined;
      this.#n += 1;
      segment.close();
      this.#open(this.#run);
    } catch {
      // The next write opens what is not open.
    }
  }

  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }

  /** Names of runs sort by time; a clock that was set back must not put this run before the one it follows. */
  #beginRun(): string {
    const { directory, startedAt, gatewayId } = this.#options;
    const newest = listSegments(directory)[0]?.run;
    const run = ulid(newest === undefined ? startedAt : Math.max(startedAt, ulidEpochMs(newest) + 1));
    this.#run = run;
    this.#head = chainBegin(chainName(gatewayId, run));
    return run;
  }

  #open(run: string): OpenSegment {
    const { directory, gatewayId, startedAt, busyMsMax } = this.#options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const chain = chainName(gatewayId, run);
    const newest = listSegments(directory).find((file) => file.run === run)?.n ?? 0;
    if (newest > this.#n) {
      // A thread of this run, dead since, had already gone on.
      this.#n = newest;
    } else if (this.#opened === this.#n && newest < this.#n) {
      // It was there and is gone. Its name stays its own: somebody may bring it back.
      this.#n += 1;
    }
    const path = segmentPath(directory, run, this.#n);
    const begin = { gatewayId, chain, n: this.#n, head: this.#head };
    const { segment, found } = OpenSegment.open(path, begin, busyMsMax);
    if (found.chain !== chain || found.sealed || found.head.batch < this.#head.batch) {
      segment.close();
      this.#n += 1;
      return this.#open(run);
    }
    // For what both know, memory is taken for true: an altered file must not become part of the chain.
    if (found.head.batch > this.#head.batch) {
      this.#head = found.head;
      this.tally.unsure();
    }
    this.#segment = segment;
    this.#opened = this.#n;
    this.#openedAtMs = performance.now();
    if (this.#head.seq === 0) {
      this.#head = segment.commit(
        0,
        startLine(chain, startedAt, findPreviousHead(directory, gatewayId, run)),
        this.#head,
        this.tally,
      );
    }
    return segment;
  }

  #isComplete(segment: OpenSegment): boolean {
    const events = this.#head.seq - segment.firstSeq + 1;
    if (events >= this.#options.segmentEventsMax) return true;
    return events > 0 && performance.now() - this.#openedAtMs >= this.#options.segmentAgeMsMax;
  }

  #letGo(error: unknown): void {
    try {
      this.#segment?.close();
    } catch {
      // It is given up either way; the failure that led here is the one to tell.
    }
    this.#segment = undefined;
    if (isPassing(error)) return;
    this.#strikes += 1;
    if (this.#strikes < STRIKES_MAX) return;
    this.#strikes = 0;
    this.#n += 1;
  }
}
