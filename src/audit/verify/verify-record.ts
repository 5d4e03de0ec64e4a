import type { TakenOut } from '../../domain/archive.ts';
import { ChainCheck, type ChainResult, type CheckedChain } from './chain-check.ts';
import type { Evidence, Piece } from './evidence.ts';
import { type Finding, Findings } from './finding.ts';
import { KeyRing } from './key-ring.ts';
import { readWitness } from './read-witness.ts';
import { WitnessBook } from './witness-book.ts';

export interface VerifyOptions {
  readonly evidence: Evidence;
  /** Files kept elsewhere: the log of a gateway, a sink's file, an export. */
  readonly witnesses?: readonly string[];
  /** Raw public keys that the auditor has from elsewhere; none: those that the record names. */
  readonly publicKeys?: readonly Uint8Array[];
  readonly onFinding?: (finding: Finding) => void;
  /** Hears of progress with each batch. */
  readonly onProgress?: (progress: { readonly events: number; readonly chain: string }) => void;
}

/** What was proven, and what was not. */
export interface Verification {
  /** Whether nothing at all was found. */
  readonly ok: boolean;
  readonly events: number;
  readonly batches: number;
  readonly checkpoints: number;
  readonly chains: readonly ChainResult[];
  /** The first thousand. */
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
  /** Ids of the signing keys that were trusted, and whether they came from outside. */
  readonly keys: { readonly trusted: readonly string[]; readonly fromOutside: boolean };
  readonly notes: readonly string[];
}

/**
 * Checks a record: every event's bytes, columns and targets, the links of every batch, gaps, checkpoints, the succession of
 * signing keys, that the run before each run is there, and what witnesses saw. Memory does not grow with the number of events.
 *
 * @throws the file system's error when a witness cannot be read
 */
export async function verifyRecord(options: VerifyOptions): Promise<Verification> {
  const verifier = new Verifier(options);
  return await verifier.run();
}

class Verifier {
  readonly #options: VerifyOptions;
  readonly #findings: Findings;
  readonly #book = new WitnessBook();
  readonly #keys: KeyRing;
  readonly #results: ChainResult[] = [];
  readonly #seen = new Set<string>();
  readonly #taken = new Map<string, TakenOut>();
  readonly #begins: CheckedChain[] = [];
  #check: ChainCheck | undefined;
  #chain = '';
  #events = 0;
  #batches = 0;
  #checkpoints = 0;

  constructor(options: VerifyOptions) {
    this.#options = options;
    this.#findings = new Findings(options.onFinding);
    this.#keys = new KeyRing(options.publicKeys ?? [], (message) => this.#findings.add({ message }));
  }

  async run(): Promise<Verification> {
    const { evidence, witnesses = [] } = this.#options;
    const onFinding = (finding: Finding): void => this.#findings.add(finding);
    await evidence.prepare(this.#keys, this.#book, onFinding);
    for (const path of witnesses) await readWitness(path, this.#keys, this.#book, onFinding);
    for await (const piece of evidence.pieces(onFinding)) this.#take(piece);
    this.#endChain();
    this.#explainWhatIsMissing();
    return {
      ok: this.#findings.total === 0,
      events: this.#events,
      batches: this.#batches,
      checkpoints: this.#checkpoints,
      chains: this.#results,
      findings: this.#findings.kept,
      findingsTotal: this.#findings.total,
      keys: { trusted: this.#keys.trusted, fromOutside: this.#keys.isFromOutside },
      notes: evidence.notes(),
    };
  }

  #take(piece: Piece): void {
    switch (piece.kind) {
      case 'chain':
        this.#beginChain(piece.chain);
        break;
      case 'batch':
        this.#events += piece.batch.events.length;
        this.#batches += 1;
        this.#check?.batch(piece.batch);
        this.#options.onProgress?.({ events: this.#events, chain: this.#chain });
        break;
      case 'checkpoint':
        this.#checkpoints += 1;
        this.#check?.checkpoint(piece.checkpoint);
        break;
      case 'broken':
        this.#findings.add({ chain: this.#chain, message: piece.message });
        break;
    }
  }

  #beginChain(chain: CheckedChain): void {
    this.#endChain();
    if (this.#seen.has(chain.chain))
      this.#findings.add({ chain: chain.chain, message: 'the chain stands there twice' });
    this.#seen.add(chain.chain);
    this.#chain = chain.chain;
    if (chain.firstSeq > 1) this.#begins.push(chain);
    this.#check = new ChainCheck(chain, {
      keys: this.#keys,
      points: this.#book.take(chain.chain),
      onFinding: (finding) => this.#findings.add(finding),
      onTaken: (taken) => this.#remember(taken),
    });
  }

  #endChain(): void {
    if (this.#check === undefined) return;
    this.#results.push(this.#check.end(this.#options.evidence));
    this.#check = undefined;
  }

  /** An act stands there as intended and as done: it counts once. */
  #remember(taken: TakenOut): void {
    const { chain, firstSeq, lastSeq } = taken;
    this.#taken.set(`${chain} ${firstSeq} ${lastSeq} ${taken.taken}`, taken);
  }

  /** What retention or erasure took stands on record; anything else that is missing was taken by somebody else. */
  #explainWhatIsMissing(): void {
    const taken = [...this.#taken.values()];
    const wasTaken = (chain: string, seq: number): boolean =>
      taken.some((one) => one.chain === chain && one.taken === 'events' && one.lastSeq >= seq);
    for (const { chain, firstSeq } of this.#begins) {
      if (wasTaken(chain, firstSeq - 1)) continue;
      const message = `events 1 to ${firstSeq - 1} are missing, and no event on record says that retention took them`;
      this.#findings.add({ chain, seq: 1, message });
    }
    for (const { chain, firstSeq, bytesGone } of this.#results) {
      // What was said of events that went themselves since then is no leave to take others.
      const said = taken.filter((one) => one.chain === chain && one.taken === 'bytes' && one.lastSeq >= firstSeq);
      const count = said.reduce((sum, { events = 0 }) => sum + events, 0);
      if (bytesGone <= count) continue;
      const message = `the bytes of ${bytesGone} events are gone; events on record say that ${count} were taken`;
      this.#findings.add({ chain, message });
    }
    for (const { chain, seq, source, ...point } of this.#book.left()) {
      const witness = { chain, seq, source, ...point };
      if (wasTaken(chain, seq) || this.#options.evidence.isYounger(witness)) continue;
      const doubt = this.#options.evidence.doubt(witness);
      this.#findings.add({ chain, message: `${source} saw the chain up to event ${seq}, and it is not there${doubt}` });
    }
  }
}
