import type { Clock } from '../domain/clock.ts';
import type { Backlog, Batch } from './backlog.ts';

/** Where batches go to: settles when a batch is durable. */
export interface BatchWriter {
  write(batch: number, lines: Uint8Array): Promise<void>;
}

export interface PumpOptions {
  readonly clock: Clock;
  /** A batch under way for longer than this counts as a failure to write, though it may still succeed. */
  readonly stuckMs: number;
  /** Told when writing begins to fail, and when it fails in another way. */
  readonly onProblem: (problem: string) => void;
  /** Told when room was made. */
  readonly onRoom: () => void;
}

/** Pauses between attempts while writing fails: doubled from the first to the last. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;
const PROBE: Batch = { n: 0, appends: Buffer.alloc(0), appendEvents: 0, intents: [] };

/**
 * Moves batches from the backlog to the writer, one at a time: what comes while one is under way shares the next (group
 * commit). After a failure nobody waits in vain: intents are refused, other lines are kept and tried again, with pauses.
 */
export class BatchPump {
  readonly #options: PumpOptions;
  readonly #backlog: Backlog;
  readonly #writer: BatchWriter;
  #underWaySince: number | undefined;
  /** What is to be written of a batch that failed. */
  #again: Batch | undefined;
  #failure: string | undefined;
  #retryMs = 0;
  #retryAt = 0;
  #isDue = false;
  #isAsked = false;
  #onDrained: (() => void)[] = [];

  constructor(options: PumpOptions, backlog: Backlog, writer: BatchWriter) {
    this.#options = options;
    this.#backlog = backlog;
    this.#writer = writer;
  }

  /** Why nothing can be written now, in words for an operator; undefined when it can. */
  get problem(): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    const since = this.#underWaySince;
    if (since === undefined || this.#options.clock.now() - since <= this.#options.stuckMs) return undefined;
    return `a write did not end within ${this.#options.stuckMs} ms`;
  }

  /** Milliseconds until the next attempt, at most `RETRY_MS_MAX`. */
  get retryAfterMs(): number {
    return this.#failure === undefined ? RETRY_MS_MAX : Math.max(0, this.#retryAt - this.#options.clock.now());
  }

  /** Tries whether writing is possible; settles when that is known. */
  probe(): Promise<void> {
    return this.#send(PROBE);
  }

  /** Sends what cannot wait, at the end of this turn: all intents of one turn then share a commit. */
  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    queueMicrotask(() => {
      this.#isAsked = false;
      this.#next();
    });
  }

  /** Sends all that waits. */
  flush(): void {
    this.#isDue = true;
    this.#next();
  }

  /** Sends all that waits; settles when it is written, or the next attempt has failed. */
  drain(): Promise<void> {
    this.#retryAt = 0;
    return this.flushed();
  }

  /** Sends all that waits, when the next attempt is due; settles when nothing waits any more, or an attempt has failed. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained.push(resolve);
      this.flush();
    });
  }

  #drained(): void {
    for (const tell of this.#onDrained.splice(0)) tell();
  }

  #next(): void {
    if (this.#underWaySince !== undefined || this.#options.clock.now() < this.#retryAt) return;
    if (this.#again !== undefined) {
      void this.#send(this.#again);
    } else if (this.#backlog.isReady || (this.#isDue && !this.#backlog.isEmpty)) {
      const batch = this.#backlog.take(this.#options.clock.epochMs());
      this.#isDue = this.#isDue && !this.#backlog.isEmpty;
      void this.#send(batch);
    } else {
      this.#isDue = false;
      this.#drained();
      if (this.#failure !== undefined) void this.#send(PROBE);
    }
  }

  async #send(batch: Batch): Promise<void> {
    this.#underWaySince = this.#options.clock.now();
    const failure = await this.#writer.write(batch.n, linesOf(batch)).then(() => undefined, messageOf);
    this.#underWaySince = undefined;
    if (failure === undefined) this.#succeed(batch);
    else this.#fail(batch, failure);
    this.#next();
  }

  #succeed(batch: Batch): void {
    this.#failure = undefined;
    this.#retryMs = 0;
    this.#retryAt = 0;
    this.#again = batch === this.#again ? undefined : this.#again;
    this.#backlog.done(batch);
    for (const intent of batch.intents) intent.settle(undefined);
    this.#options.onRoom();
  }

  #fail(batch: Batch, failure: string): void {
    const isNews = failure !== this.#failure;
    this.#failure = failure;
    this.#retryMs = Math.min(Math.max(RETRY_MS_MIN, this.#retryMs * 2), RETRY_MS_MAX);
    this.#retryAt = this.#options.clock.now() + this.#retryMs;
    this.#options.clock.after(this.#retryMs, () => {
      // A timer may end a little before the clock says so; asking the clock again would then be the end of all attempts.
      this.#retryAt = 0;
      this.#next();
    });
    this.#backlog.done({ ...batch, appends: PROBE.appends, appendEvents: 0 });
    if (batch.appendEvents > 0) this.#again = { ...batch, intents: [] };
    for (const intent of [...batch.intents, ...this.#backlog.takeIntents()]) intent.settle(failure);
    if (isNews) this.#options.onProblem(failure);
    this.#drained();
    this.#options.onRoom();
  }
}

function linesOf(batch: Batch): Uint8Array {
  if (batch.intents.length === 0) return batch.appends;
  return Buffer.concat([batch.appends, Buffer.from(batch.intents.map((intent) => intent.line).join(''), 'latin1')]);
}

function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
