import { createHash } from 'node:crypto';
import type { Manifest } from '../../domain/checkpoint.ts';
import type { CheckedBatch } from './chain-check.ts';
import { type CheckedEvent, checkEvent } from './event-check.ts';
import type { Evidence, Piece } from './evidence.ts';
import { type ExportLine, exportLine, manifestOf } from './export-lines.ts';
import type { Finding } from './finding.ts';
import type { KeyRing } from './key-ring.ts';
import { type FileLine, readLines } from './read-lines.ts';
import { pointsOf, seenIn } from './read-witness.ts';
import type { WitnessBook, WitnessPoint } from './witness-book.ts';

/** Clocks of gateways that differ by more than this are at fault. */
const CLOCKS_MS_MAX = 300_000;

type OnFinding = (finding: Finding) => void;

/** An export in a file: whole chains with all that is around them, or, of a filter, events that a manifest vouches for. */
export class ExportEvidence implements Evidence {
  readonly #path: string;
  #manifest: Manifest | undefined;
  #isFiltered = false;
  #events = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads keys, what is said of chains, and the manifest, which vouches for every byte before it. */
  async prepare(keys: KeyRing, book: WitnessBook, onFinding: OnFinding): Promise<void> {
    const sha = createHash('sha256');
    const pass: Preparation = { keys, book, onFinding, hasHead: false };
    let last: FileLine | undefined;
    let held = '';
    for await (const { lines, text } of readLines(this.#path)) {
      for (const line of lines) this.#prepareLine(line, pass);
      sha.update(held, 'latin1');
      held = text;
      last = lines.at(-1);
    }
    // All but the last line: the manifest cannot hold the digest of itself.
    if (last !== undefined)
      sha.update(held.slice(0, held.length - last.text.length - (last.isWhole ? 1 : 0)), 'latin1');
    if (!pass.hasHead) onFinding({ line: 1, message: 'this is no export: it does not begin like one' });
    this.#judgeEnd(last, sha.digest('hex'), pass);
  }

  async *pieces(onFinding: OnFinding): AsyncIterable<Piece> {
    const reader = new LineReader(this.#isFiltered, onFinding);
    for await (const { lines } of readLines(this.#path)) {
      for (const line of lines) {
        const piece = reader.read(line);
        if (piece !== undefined) yield piece;
      }
    }
    const rest = reader.end();
    if (rest !== undefined) yield rest;
    this.#events = reader.events;
    const said = this.#manifest?.events ?? reader.events;
    if (said !== reader.events)
      onFinding({ message: `the manifest says ${said} events, and there are ${reader.events}` });
  }

  /** With a filter the chains are not there, but the manifest says where they stood: more can be said of no witness. */
  isYounger({ chain, seq, link, at = 0 }: WitnessPoint): boolean {
    if (this.#manifest === undefined) return this.#isFiltered;
    if (at > this.#manifest.at) return true;
    if (!this.#isFiltered) return false;
    const head = this.#manifest.heads.find((one) => one.chain === chain);
    return head !== undefined && (head.seq > seq || (head.seq === seq && head.link === link));
  }

  /** The export bears the time of the gateway that made it, a witness that of its own. */
  doubt({ at }: WitnessPoint): string {
    const ms = at === undefined ? undefined : Number(this.#manifest?.at) - at;
    if (ms === undefined || !(ms < CLOCKS_MS_MAX)) return '';
    return `; it saw that ${Math.ceil(ms / 1_000)} s before the export: if clocks of gateways differ by so much, a later export has it`;
  }

  notes(): readonly string[] {
    if (!this.#isFiltered) return [];
    return [
      `An export with a filter: ${this.#events} events are those that the signer of the manifest took. That they were not altered since ` +
        'is proven; that none was left out is what the signer says. An export without a filter proves that too.',
    ];
  }

  #prepareLine({ text }: FileLine, pass: Preparation): void {
    if (text.startsWith('{"chain":') && !text.includes('"act":"gateway.start"')) return;
    const line = exportLine(text);
    if (line.kind === 'head') {
      pass.hasHead = true;
      this.#isFiltered = Object.keys(line.head.filter).length > 0;
    } else if (line.kind === 'key') {
      pass.keys.add(line.key);
    } else if (line.kind === 'checkpoint') {
      for (const point of seenIn(line.signed.text, { source: '', isOutside: false })) pass.book.add(point);
    } else if (line.kind === 'event' && line.event.seq === 1 && !this.#isFiltered) {
      const { previous } = checkEvent(line.event).meaning;
      if (previous !== undefined) {
        pass.book.add({ ...previous, source: `the beginning of ${line.chain}`, isOutside: false });
      }
    }
  }

  #judgeEnd(last: FileLine | undefined, sha256: string, { keys, book, onFinding }: Preparation): void {
    const line = last === undefined ? undefined : exportLine(last.text);
    if (last?.isWhole !== true || line?.kind !== 'manifest') {
      const message = 'the export was cut short: it does not end with a manifest, and nothing vouches for its end';
      onFinding({ ...(last === undefined ? {} : { line: last.number }), message });
      return;
    }
    const { problem } = keys.judge(line.signed.text, line.signed);
    if (problem !== undefined) {
      onFinding({ line: last.number, message: `the manifest proves nothing: ${problem}` });
      return;
    }
    this.#manifest = manifestOf(line.signed);
    if (this.#manifest?.sha256 !== sha256) {
      onFinding({ line: last.number, message: 'something before the manifest is not what was exported' });
    }
    if (this.#isFiltered) return;
    for (const point of pointsOf(line.signed.text, { source: 'the manifest', isOutside: false })) book.add(point);
  }
}

interface Preparation {
  readonly keys: KeyRing;
  readonly book: WitnessBook;
  readonly onFinding: OnFinding;
  hasHead: boolean;
}

/** Makes pieces of lines: events are held until the line that ends their batch. */
class LineReader {
  readonly #isFiltered: boolean;
  readonly #onFinding: OnFinding;
  #chain: string | undefined;
  #held: { readonly n: number; readonly event: CheckedEvent }[] = [];
  events = 0;

  constructor(isFiltered: boolean, onFinding: OnFinding) {
    this.#isFiltered = isFiltered;
    this.#onFinding = onFinding;
  }

  read({ text, number }: FileLine): Piece | undefined {
    const line = exportLine(text);
    switch (line.kind) {
      case 'unknown':
        this.#onFinding({ line: number, ...this.#place(), message: `line ${number} is none that an export has` });
        return undefined;
      case 'event':
        return this.#event(line, number);
      case 'batch':
        return this.#batch(line, number);
      case 'chain':
        if (this.#held.length > 0) this.#onFinding({ line: number, ...this.#place(), message: 'a batch has no end' });
        this.#held = [];
        this.#chain = line.chain;
        return { kind: 'chain', chain: line };
      case 'checkpoint':
        return { kind: 'checkpoint', checkpoint: line.signed };
      default:
        if ((line.kind === 'head') !== (number === 1)) return this.#outOfPlace(number);
        return undefined;
    }
  }

  /** What is left of a batch whose end was cut off. */
  end(): Piece | undefined {
    if (this.#held.length > 0) this.#onFinding({ ...this.#place(), message: 'the last batch has no end' });
    return undefined;
  }

  #event(line: Extract<ExportLine, { kind: 'event' }>, number: number): Piece | undefined {
    this.events += 1;
    if (this.#isFiltered) {
      for (const message of checkEvent(line.event).problems) {
        this.#onFinding({ chain: line.chain, seq: line.event.seq, line: number, message });
      }
      return undefined;
    }
    if (line.chain !== this.#chain) {
      this.#onFinding({
        line: number,
        chain: line.chain,
        seq: line.event.seq,
        message: 'an event of another chain stands here',
      });
    }
    this.#held.push({ n: line.batch, event: line.event });
    return undefined;
  }

  #batch(line: Extract<ExportLine, { kind: 'batch' }>, number: number): Piece {
    const faults: string[] = [];
    if (line.chain !== this.#chain) faults.push(`line ${number} ends a batch of another chain`);
    const stranger = this.#held.find(({ n }) => n !== line.n);
    if (stranger !== undefined)
      faults.push(`event ${stranger.event.seq} says that it is of batch ${stranger.n}, not ${line.n}`);
    const batch: CheckedBatch = { ...line, events: this.#held.map(({ event }) => event), faults };
    this.#held = [];
    return { kind: 'batch', batch };
  }

  #outOfPlace(number: number): undefined {
    this.#onFinding({
      line: number,
      ...this.#place(),
      message: `line ${number} stands in a place that is not its own`,
    });
    return undefined;
  }

  #place(): { chain?: string; seq?: number } {
    const seq = this.#held.at(-1)?.event.seq;
    return {
      ...(this.#chain === undefined ? {} : { chain: this.#chain }),
      ...(seq === undefined ? {} : { seq: seq + 1 }),
    };
  }
}
