import { createHash, randomInt } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Bytes of a file that are to be others. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: Buffer;
}

const LINE_FEED = 10;

/** An export, to be altered anywhere; without its manifest, whose digest would find everything. */
export class AlteredExport {
  readonly #bytes: Buffer;
  /** Where each line begins, and where the last one ends. */
  readonly #starts: readonly number[];
  readonly #events: readonly number[];
  readonly #batchEnds: readonly number[];

  constructor(file: string) {
    const whole = readFileSync(file);
    const starts = [0];
    for (let at = whole.indexOf(LINE_FEED); at !== -1; at = whole.indexOf(LINE_FEED, at + 1)) starts.push(at + 1);
    this.#starts = starts.slice(0, -1);
    this.#bytes = whole.subarray(0, this.#starts.at(-1));
    const lines = this.#starts.slice(0, -1).map((_, n) => n);
    this.#events = lines.filter((n) => this.#line(n).includes(',"event":'));
    this.#batchEnds = lines.filter((n) => this.#line(n).includes(',"lastSeq":'));
  }

  get events(): number {
    return this.#events.length;
  }

  /** Writes it with one change of a kind, at a place and in a field that chance takes. @returns what was done, in words */
  alter(kind: AlterationKind, to: string): string {
    const place = randomInt(this.#events.length - 1);
    const line = this.#events[place] as number;
    const { edit, what } = ALTERATIONS[kind](
      this.#range(line),
      this.#range(this.#events[place + 1] as number),
      (from, end) => this.#bytes.subarray(from, end),
    );
    this.#write(edit, to);
    return `event line ${line + 1}: ${what}`;
  }

  /** Writes what stands before an event, up to the end of a batch that chance takes. */
  cutBefore(seq: number, to: string): void {
    const ends = this.#batchEnds.filter((n) => Number(/"lastSeq":(\d+)/.exec(this.#line(n).toString())?.[1]) < seq);
    const last = ends[randomInt(ends.length)] as number;
    this.#write({ from: this.#starts[last + 1] as number, to: this.#bytes.length, text: Buffer.alloc(0) }, to);
  }

  #line(n: number): Buffer {
    const [from, to] = this.#range(n);
    return this.#bytes.subarray(from, to);
  }

  #range(n: number): readonly [from: number, to: number] {
    return [this.#starts[n] as number, this.#starts[n + 1] as number];
  }

  #write({ from, to, text }: Edit, file: string): void {
    const out = openSync(file, 'w');
    for (const part of [this.#bytes.subarray(0, from), text, this.#bytes.subarray(to)]) {
      for (let done = 0; done < part.length; ) done += writeSync(out, part, done);
    }
    closeSync(out);
  }
}

type Range = readonly [from: number, to: number];
type Alteration = (
  line: Range,
  next: Range,
  bytes: (from: number, to: number) => Buffer,
) => { edit: Edit; what: string };

const ALTERATIONS = {
  byte: ([from, to], _, bytes) => {
    const at = randomInt(from, to - 1);
    const text = Buffer.from(bytes(at, at + 1));
    text[0] = (text[0] as number) ^ randomInt(1, 32);
    return { edit: { from: at, to: at + 1, text }, what: `byte ${at - from} is ${text[0]}` };
  },
  field: ([from, to], _, bytes) => {
    const { text, what } = otherField(bytes(from, to).toString('latin1'));
    return { edit: { from, to, text: Buffer.from(text, 'latin1') }, what };
  },
  'field and digest': ([from, to], _, bytes) => {
    const { text, what } = otherField(bytes(from, to).toString('latin1'));
    return { edit: { from, to, text: Buffer.from(digestedAnew(text), 'latin1') }, what };
  },
  removed: ([from, to]) => ({ edit: { from, to, text: Buffer.alloc(0) }, what: 'removed' }),
  duplicated: ([from, to], _, bytes) => ({ edit: { from: to, to, text: bytes(from, to) }, what: 'duplicated' }),
  reordered: ([from, to], [next, end], bytes) => ({
    edit: { from, to: end, text: Buffer.concat([bytes(next, end), bytes(to, next), bytes(from, to)]) },
    what: 'behind the next one',
  }),
  inserted: ([from, to], _, bytes) => {
    const { text } = otherField(bytes(from, to).toString('latin1'));
    return { edit: { from: to, to, text: Buffer.from(digestedAnew(text), 'latin1') }, what: 'a forged one behind it' };
  },
} satisfies Record<string, Alteration>;

export type AlterationKind = keyof typeof ALTERATIONS;
export const ALTERATION_KINDS = Object.keys(ALTERATIONS) as AlterationKind[];

/** With another value in one of the event's fields; an event line ends in `"event":<bytes>}`. */
function otherField(line: string): { text: string; what: string } {
  const from = line.indexOf(',"event":') + ',"event":'.length;
  const event = line.slice(from, -2);
  const fields = [...event.matchAll(/"(\w+)":("[^"]*"|-?[\d.]+)/g)];
  const field = fields[randomInt(fields.length)] as RegExpExecArray;
  const [whole, name, value = ''] = field;
  const other = value.startsWith('"') ? `${value.slice(0, -1)}x"` : String(Number(value) + 1);
  const changed = `${event.slice(0, field.index)}"${name}":${other}${event.slice(field.index + whole.length)}`;
  return { text: `${line.slice(0, from)}${changed}}\n`, what: `"${name}" is ${other}` };
}

/** As a forger would who knows the format. */
function digestedAnew(line: string): string {
  const event = line.slice(line.indexOf(',"event":') + ',"event":'.length, -2);
  const digest = createHash('sha256').update(event, 'latin1').digest('hex');
  return line.replace(/"digest":"[0-9a-f]+"/, `"digest":"${digest}"`);
}
