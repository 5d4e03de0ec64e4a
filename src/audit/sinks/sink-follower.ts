import type { RecordArchive } from '../../domain/archive.ts';
import type { SignedCheckpoint } from '../../domain/checkpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Positions } from '../../domain/positions.ts';
import type { SinkHealth } from '../../domain/sink.ts';
import { checkpointPlace } from '../checkpoint-place.ts';
import { EXPORT_FORMATS, type ExportFormatName } from '../export/export-format.ts';
import { signedLine } from '../export/ndjson.ts';
import { failureText } from '../failure-text.ts';
import type { DeliveryAsked, DeliveryPiece } from './delivery.ts';
import type { Sink } from './sink.ts';
import { type ChainPlace, moved, parsePosition, placeIn, positionName, type SinkPosition } from './sink-position.ts';

/** The record, as it is followed. */
export interface FollowedRecord {
  readonly archive: Pick<RecordArchive, 'chains' | 'newest' | 'checkpoints'>;
  /** See `deliveryPieces`; made in a thread. */
  delivered(asked: DeliveryAsked): AsyncIterable<DeliveryPiece>;
  /** How far the chain of this run has come, of what is durable. */
  head(): { readonly chain: string; readonly seq: number } | undefined;
}

export interface FollowerOptions {
  readonly id: string;
  readonly gatewayId: string;
  readonly format: ExportFormatName;
  /** What is delivered at once, and so what is held. */
  readonly bytesMax: number;
  readonly sink: Sink;
  readonly record: FollowedRecord;
  readonly positions: Positions;
  readonly clock: Clock;
  /** Told in one line, when trouble begins, and when it ends. */
  readonly onTrouble: (problem: string) => void;
  readonly onWell: (words: string) => void;
}

const LOOK_EVERY_MS = 1_000;
/** Other runs of this gateway, such as commands while it was down, are looked for so often. */
const LOOK_FOR_RUNS_EVERY_MS = 60_000;
const SAVE_EVERY_MS = 1_000;
const RETRY_MS_MAX = 60_000;
/** The end of the process waits so long for a sink to take the last events. */
const CLOSE_MS_MAX = 2_000;

/**
 * Delivers the chains of one gateway to a sink, in order, at least once: the position moves behind what was delivered, and is
 * stored behind that. It reads what is on record already, so that whatever the sink does, nobody else waits and nothing piles up.
 */
export class SinkFollower implements AsyncDisposable {
  readonly #options: FollowerOptions;
  /** Where chains end, as far as was seen. */
  readonly #heads = new Map<string, number>();
  #position: SinkPosition | undefined;
  #isSaved = true;
  #savedAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #ownChain: string | undefined;
  #current: { chain: string; seq: number } | undefined;
  #problem: string | undefined;
  #troubleSince = 0;
  #wellAt: number;
  #isClosing = false;
  /** No more time, and the store may be closed: what is left is delivered after the next start. */
  #isOver = false;
  #wake: () => void = () => undefined;
  readonly #running: Promise<void>;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#wellAt = options.clock.now();
    this.#running = this.#run();
  }

  health(): SinkHealth {
    const { id, format, sink, clock, record } = this.#options;
    const own = record.head();
    if (own !== undefined) this.#heads.set(own.chain, own.seq);
    const lagEvents = [...this.#heads].reduce((sum, [chain, seq]) => sum + Math.max(0, seq - this.#seqIn(chain)), 0);
    return {
      id,
      kind: sink.kind,
      format,
      lagEvents,
      lagSeconds: lagEvents === 0 ? 0 : Math.round((clock.now() - this.#wellAt) / 1_000),
      problem: this.#problem,
      ...this.#current,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, sink } = this.#options;
    this.#isClosing = true;
    this.#wake();
    const late = Promise.withResolvers<void>();
    const cancel = clock.after(CLOSE_MS_MAX, late.resolve);
    await Promise.race([this.#running, late.promise]);
    cancel();
    this.#isOver = true;
    await sink.close();
  }

  async #run(): Promise<void> {
    let retryMs = LOOK_EVERY_MS;
    for (let isLast = false; !isLast; ) {
      // Once more after the end has begun, unless there is trouble.
      isLast = this.#isClosing;
      let waitMs = LOOK_EVERY_MS;
      try {
        await this.#round();
        this.#well();
        retryMs = LOOK_EVERY_MS;
      } catch (error) {
        this.#trouble(failureText(error));
        isLast ||= this.#isClosing;
        waitMs = retryMs;
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      }
      if (!this.#isClosing) await this.#wait(waitMs);
    }
  }

  async #wait(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const cancel = this.#options.clock.after(delayMs, resolve);
    await promise;
    cancel();
  }

  /** Delivers all there is. */
  async #round(): Promise<void> {
    const { positions, gatewayId, id, record, clock } = this.#options;
    this.#position ??= parsePosition(await positions.get(positionName(gatewayId, id)));
    const own = record.head();
    if (own?.chain !== this.#ownChain || clock.now() - this.#lookedAt >= LOOK_FOR_RUNS_EVERY_MS) {
      for (const kept of await record.archive.chains()) {
        if (kept.gatewayId !== gatewayId) continue;
        this.#heads.set(kept.chain, kept.head.seq);
        await this.#deliver(kept.chain, kept.head.seq, kept.chain === own?.chain);
      }
      this.#lookedAt = clock.now();
      this.#ownChain = own?.chain;
    } else if (own !== undefined) {
      await this.#deliver(own.chain, own.seq, true);
    }
    if (!this.#isSaved) await this.#save();
  }

  async #deliver(chain: string, headSeq: number, isOwn: boolean): Promise<void> {
    const { sink, format, bytesMax, record, clock } = this.#options;
    const place = placeIn(this.#position ?? parsePosition(undefined), chain);
    if (place === 'done' || this.#isOver) return;
    const hasMore = headSeq > place.seq;
    if (hasMore) {
      for await (const piece of record.delivered({ chain, afterSeq: place.seq, format, bytesMax })) {
        if (this.#isOver) return;
        await sink.deliver(piece.text);
        this.#move(chain, { seq: piece.reached });
        if (clock.now() - this.#savedAt >= SAVE_EVERY_MS) await this.#save();
      }
    }
    if (EXPORT_FORMATS[format].isProven && (hasMore || (isOwn && place.checkpoint < place.seq))) {
      await this.#deliverCheckpoint(chain, isOwn);
    }
  }

  /** The newest one vouches for all before it: whoever keeps what a sink was given is a witness. */
  async #deliverCheckpoint(chain: string, isOwn: boolean): Promise<void> {
    const place = placeIn(this.#position ?? parsePosition(undefined), chain);
    const checkpoint = await this.#newestOf(chain, isOwn);
    if (checkpoint === undefined || place === 'done' || this.#isOver) return;
    const { seq } = checkpointPlace(checkpoint.text);
    if (seq <= place.checkpoint || seq > place.seq) return;
    await this.#options.sink.deliver(signedLine('checkpoint', checkpoint));
    this.#move(chain, { checkpoint: seq });
  }

  async #newestOf(chain: string, isOwn: boolean): Promise<SignedCheckpoint | undefined> {
    const { archive } = this.#options.record;
    if (isOwn) return (await archive.newest()).find(({ text }) => checkpointPlace(text).chain === chain);
    let last: SignedCheckpoint | undefined;
    for await (const checkpoint of archive.checkpoints(chain)) last = checkpoint;
    return last;
  }

  #move(chain: string, to: Partial<ChainPlace>): void {
    const position = this.#position ?? parsePosition(undefined);
    const place = placeIn(position, chain);
    if (place === 'done') return;
    this.#position = moved(position, chain, { ...place, ...to });
    this.#current = { chain, seq: to.seq ?? place.seq };
    this.#isSaved = false;
  }

  async #save(): Promise<void> {
    if (this.#isOver) return;
    const { positions, gatewayId, id, clock } = this.#options;
    await positions.set(positionName(gatewayId, id), JSON.stringify(this.#position));
    this.#isSaved = true;
    this.#savedAt = clock.now();
  }

  #seqIn(chain: string): number {
    const place = this.#position && placeIn(this.#position, chain);
    return place === 'done' ? Number.POSITIVE_INFINITY : (place?.seq ?? 0);
  }

  #well(): void {
    const { id, clock, onWell } = this.#options;
    this.#wellAt = clock.now();
    if (this.#problem === undefined) return;
    onWell(`the sink ${id} delivers again, after ${Math.round((this.#wellAt - this.#troubleSince) / 1_000)} s`);
    this.#problem = undefined;
  }

  #trouble(problem: string): void {
    const { id, clock, onTrouble } = this.#options;
    if (this.#problem === undefined) {
      this.#troubleSince = clock.now();
      onTrouble(`the sink ${id} cannot deliver: ${problem}; it is tried again, and what it missed is delivered then`);
    }
    this.#problem = problem;
  }
}
