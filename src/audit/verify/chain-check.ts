import type { TakenOut } from '../../domain/archive.ts';
import type { Checkpoint, SignedCheckpoint } from '../../domain/checkpoint.ts';
import { chainBegin, nextLink } from '../chain.ts';
import { type CheckedEvent, checkEvent, isEqual } from './event-check.ts';
import type { Finding } from './finding.ts';
import type { KeyRing } from './key-ring.ts';
import type { WitnessPoint } from './witness-book.ts';

/** A chain as its evidence announces it. */
export interface CheckedChain {
  readonly chain: string;
  /** Of the first event that is there. */
  readonly firstSeq: number;
  /** Link of the batch before it. */
  readonly previousLink: Uint8Array;
}

export interface CheckedBatch {
  readonly n: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly link: Uint8Array;
  readonly events: readonly CheckedEvent[];
  readonly faults: readonly string[];
}

/** What became of a chain. */
export interface ChainResult {
  readonly chain: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Hex. */
  readonly link: string;
  /** Whether its last event says that it came to its end. */
  readonly isEnded: boolean;
  /** The last event that a signed checkpoint of the chain itself covers; 0: none. */
  readonly signedSeq: number;
  /** The last event that a witness from outside covers, and who it is; 0: none. */
  readonly witnessedSeq: number;
  readonly witness: string | undefined;
  /** Events whose bytes were taken. */
  readonly bytesGone: number;
}

export interface ChainCheckOptions {
  readonly keys: KeyRing;
  /** Of this chain, oldest first. */
  readonly points: readonly WitnessPoint[];
  readonly onFinding: (finding: Finding) => void;
  /** Told of what was taken out of the record, as an event says. */
  readonly onTaken: (taken: TakenOut) => void;
}

/** Follows one chain, batch by batch. After something wrong it goes on with what stands there, so that the rest is judged too. */
export class ChainCheck {
  readonly #options: ChainCheckOptions;
  readonly #chain: CheckedChain;
  readonly #points: WitnessPoint[];
  #seq: number;
  #batch = -1;
  #link: Uint8Array;
  /** False behind a gap: what the next batch was linked to is not there. */
  #isLinked = true;
  #isEnded = false;
  #signedSeq = 0;
  #witness: WitnessPoint | undefined;
  #bytesGone = 0;

  constructor(chain: CheckedChain, options: ChainCheckOptions) {
    this.#options = options;
    this.#chain = chain;
    this.#points = [...options.points];
    this.#seq = chain.firstSeq - 1;
    this.#link = chain.previousLink;
    if (chain.firstSeq === 1 && !isEqual(chain.previousLink, chainBegin(chain.chain).link)) {
      this.#tell(1, 'the chain does not begin with the digest of its name');
    }
    this.#meetPoints(this.#seq);
  }

  batch(batch: CheckedBatch): void {
    for (const fault of batch.faults) this.#tell(Math.max(1, batch.firstSeq), fault);
    if (batch.events.length === 0 && batch.lastSeq < batch.firstSeq && batch.faults.length > 0) return;
    this.#follow(batch);
    this.#events(batch);
    const link = nextLink(
      this.#link,
      batch.events.map(({ digest }) => digest),
    );
    if (this.#isLinked && !isEqual(link, batch.link)) {
      this.#tell(batch.firstSeq, `the batch ${batch.firstSeq} to ${batch.lastSeq} is not the one that was linked`);
    }
    this.#isLinked = true;
    this.#seq = Math.max(batch.lastSeq, batch.events.at(-1)?.seq ?? 0, this.#seq);
    this.#batch = batch.n;
    this.#link = batch.link;
    this.#meetPoints(this.#seq);
  }

  /** A checkpoint that stands in the record behind the batch that it names. */
  checkpoint(signed: SignedCheckpoint): void {
    const { problem } = this.#options.keys.judge(signed.text, signed);
    const checkpoint = parsed(signed.text);
    const seq = checkpoint?.seq ?? this.#seq;
    if (problem !== undefined) {
      this.#tell(seq, `a checkpoint at event ${seq} proves nothing: ${problem}`);
      return;
    }
    const isHere =
      checkpoint?.chain === this.#chain.chain &&
      checkpoint.seq === this.#seq &&
      checkpoint.batch === this.#batch &&
      checkpoint.link === hex(this.#link);
    if (isHere) this.#signedSeq = seq;
    else if (seq > this.#seq)
      this.#tell(this.#seq + 1, `the tail is cut: a checkpoint saw event ${seq}, and the chain ends at ${this.#seq}`);
    else this.#tell(seq, `a checkpoint at event ${seq} does not lie on the chain`);
  }

  /** @param evidence says whether a witness saw the chain only after it was taken: then that says nothing of its tail */
  end(evidence: { isYounger(point: WitnessPoint): boolean; doubt(point: WitnessPoint): string }): ChainResult {
    for (const point of this.#points) {
      if (evidence.isYounger(point)) continue;
      const saw = `${point.source} saw event ${point.seq}, and the chain ends at ${this.#seq}`;
      this.#tell(this.#seq + 1, `the tail is cut: ${saw}${evidence.doubt(point)}`);
    }
    return {
      chain: this.#chain.chain,
      firstSeq: this.#chain.firstSeq,
      lastSeq: this.#seq,
      link: hex(this.#link),
      isEnded: this.#isEnded,
      signedSeq: this.#signedSeq,
      witnessedSeq: this.#witness?.seq ?? 0,
      witness: this.#witness?.source,
      bytesGone: this.#bytesGone,
    };
  }

  /** Whether a batch stands where the one before it ended. */
  #follow({ n, firstSeq, lastSeq }: CheckedBatch): void {
    const expected = this.#seq + 1;
    if (firstSeq > expected) {
      this.#tell(expected, `events ${expected} to ${firstSeq - 1} are missing`);
      this.#isLinked = false;
    } else if (firstSeq < expected) {
      this.#tell(
        firstSeq,
        `a batch from event ${firstSeq} on stands behind event ${this.#seq}: twice, or out of order`,
      );
      this.#isLinked = false;
    }
    if (n <= this.#batch) this.#tell(firstSeq, `batch ${n} stands behind batch ${this.#batch}`);
    if (lastSeq < firstSeq) this.#tell(firstSeq, `the batch from event ${firstSeq} on ends before it begins`);
  }

  #events({ firstSeq, lastSeq, events }: CheckedBatch): void {
    let expected = firstSeq;
    for (const event of events) {
      if (event.seq !== expected) this.#tell(Math.min(event.seq, expected), misplaced(event.seq, expected));
      expected = event.seq + 1;
      const { problems, meaning } = checkEvent(event);
      for (const problem of problems) this.#tell(event.seq, problem);
      if (event.line === undefined) this.#bytesGone += 1;
      this.#isEnded = meaning.isStop;
      if (meaning.taken !== undefined) this.#options.onTaken(meaning.taken);
    }
    if (lastSeq >= firstSeq && expected !== lastSeq + 1) {
      this.#tell(Math.min(expected, lastSeq + 1), misplaced(lastSeq + 1, expected));
    }
  }

  /** Looks at what witnesses say of the events up to `last`, where a batch ends; of what retention took nobody can tell. */
  #meetPoints(last: number): void {
    for (let point = this.#points[0]; point !== undefined && point.seq <= last; point = this.#points[0]) {
      this.#points.shift();
      if (point.seq < this.#chain.firstSeq - 1) continue;
      if (point.seq !== last || point.link !== hex(this.#link)) {
        this.#tell(point.seq, `event ${point.seq} is not what ${point.source} saw there`);
      } else if (point.isOutside) {
        this.#witness = point;
      }
    }
  }

  #tell(seq: number, message: string): void {
    this.#options.onFinding({ chain: this.#chain.chain, seq, message });
  }
}

function misplaced(found: number, expected: number): string {
  if (found < expected) return `event ${found} stands twice, or out of order`;
  return found === expected + 1 ? `event ${expected} is missing` : `events ${expected} to ${found - 1} are missing`;
}

function parsed(text: string): Checkpoint | undefined {
  try {
    return JSON.parse(text) as Checkpoint;
  } catch {
    return undefined;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
