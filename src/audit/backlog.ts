import { gapLine } from './gateway-events.ts';
import { LineBuffer } from './line-buffer.ts';

/** What goes to the writer at once: whole or not at all. */
export interface Batch {
  /** From 1, in the order of the run. */
  readonly n: number;
  /** Lines of events that nobody waits for, as bytes of ASCII. */
  readonly appends: Buffer;
  readonly appendEvents: number;
  readonly intents: readonly Intent[];
}

/** An event that somebody waits for. */
export interface Intent {
  readonly line: string;
  settle(problem: string | undefined): void;
}

/** A batch of lines is cut here: a commit of this size takes some ten milliseconds, which an intent may have to wait. */
export const BATCH_BYTES_MAX = 262_144;

interface Chunk {
  readonly lines: LineBuffer;
  events: number;
}

/**
 * Events accepted and not yet durable, bounded in events and bytes, and the count of those that found no room. Lines are
 * collected into one string: an object an event would cost more than the event.
 */
export class Backlog {
  readonly #eventsMax: number;
  readonly #bytesMax: number;
  readonly #chunks: Chunk[] = [];
  /** Memory of the batch before, for the next: half a megabyte ten times a second is better not asked for anew. */
  #spare: LineBuffer | undefined;
  readonly #intents = new Set<Intent>();
  #intentBytes = 0;
  #events = 0;
  #bytes = 0;
  #batches = 0;
  #missing: { events: number; since: number; until: number } | undefined;
  #gap = 0;

  constructor(eventsMax: number, bytesMax: number) {
    this.#eventsMax = eventsMax;
    this.#bytesMax = bytesMax;
  }

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Events lost since the start. */
  get gap(): number {
    return this.#gap;
  }

  /** Whether something waits that should go at once: an intent, or as many lines as one batch takes. */
  get isReady(): boolean {
    if (this.#intents.size > 0 || this.#chunks.length > 1) return true;
    return (this.#chunks[0]?.lines.length ?? 0) >= BATCH_BYTES_MAX;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0 && this.#intents.size === 0 && this.#missing === undefined;
  }

  /** How many more events fit. */
  get roomEvents(): number {
    return this.#bytes >= this.#bytesMax ? 0 : Math.max(0, this.#eventsMax - this.#events);
  }

  /** Takes a line, or counts it as missing. */
  add(line: string, at: number): void {
    if (this.#events >= this.#eventsMax || this.#bytes + line.length > this.#bytesMax) {
      this.miss(1, at);
      return;
    }
    this.#push(line, 1);
    this.#count(1, line.length);
  }

  /**
   * False, and nothing is taken, when there is no room. Intents have the same bounds once more for themselves: a flood of
   * reads must not keep changes out.
   */
  addIntent(intent: Intent): boolean {
    if (this.#intents.size >= this.#eventsMax || this.#intentBytes + intent.line.length > this.#bytesMax) return false;
    this.#intents.add(intent);
    this.#intentBytes += intent.line.length;
    this.#count(1, intent.line.length);
    return true;
  }

  /** Takes back an intent that did not get into a batch yet. */
  removeIntent(intent: Intent): void {
    if (!this.#intents.delete(intent)) return;
    this.#intentBytes -= intent.line.length;
    this.#count(-1, -intent.line.length);
  }

  /** Takes the chain's last line, for which there is always room. */
  addLast(line: string): void {
    this.#push(line, 1);
    this.#count(1, line.length);
  }

  /** Takes all intents out of it. */
  takeIntents(): Intent[] {
    const intents = [...this.#intents];
    for (const intent of intents) this.removeIntent(intent);
    return intents;
  }

  /** Counts events that will never be written; the record says so once it can. */
  miss(events: number, at: number): void {
    this.#gap += events;
    const missing = this.#missing ?? { events: 0, since: at, until: at };
    missing.events += events;
    missing.until = at;
    this.#missing = missing;
  }

  /** The next batch: all intents, and a piece of what else waits; first of all, what is missing. */
  take(at: number): Batch {
    const chunk = this.#chunks.shift() ?? this.#newChunk();
    let appends = chunk.lines.copy();
    chunk.lines.clear();
    this.#spare = chunk.lines;
    const missing = this.#missing;
    if (missing !== undefined) {
      const line = gapLine(at, missing);
      appends = Buffer.concat([Buffer.from(line, 'latin1'), appends]);
      chunk.events += 1;
      this.#count(1, line.length);
      this.#missing = undefined;
    }
    const intents = [...this.#intents];
    // They count until they are durable.
    this.#intents.clear();
    this.#intentBytes = 0;
    this.#batches += 1;
    return { n: this.#batches, appends, appendEvents: chunk.events, intents };
  }

  /** What was taken is durable, or given up. */
  done(batch: Batch): void {
    this.#count(-batch.appendEvents, -batch.appends.length);
    for (const intent of batch.intents) this.#count(-1, -intent.line.length);
  }

  #push(line: string, events: number): void {
    const last = this.#chunks.at(-1);
    const isFull = last === undefined || last.lines.length >= BATCH_BYTES_MAX;
    const chunk = isFull ? this.#newChunk() : last;
    if (isFull) this.#chunks.push(chunk);
    chunk.lines.push(line);
    chunk.events += events;
  }

  #newChunk(): Chunk {
    const lines = this.#spare ?? new LineBuffer();
    this.#spare = undefined;
    return { lines, events: 0 };
  }

  #count(events: number, bytes: number): void {
    this.#events += events;
    this.#bytes += bytes;
  }
}
