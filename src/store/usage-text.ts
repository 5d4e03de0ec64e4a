import type { Histogram, UsageKey, UsageSums } from '../domain/usage.ts';
import { addSums } from '../domain/usage-sums.ts';

/** Of one caller in one span. */
export interface UsageEntry extends Pick<UsageKey, 'operation' | 'outcome'> {
  readonly sums: UsageSums;
}

/** Operation, outcome, and the sums in a string of their own: numbers in base 36 take half of JSON's room, and of its time. */
type Written = readonly [operation: string, outcome: UsageKey['outcome'], sums: string];

const BASE = 36;
const SPACE = 32;
const COLON = 58;
const ZERO = 48;
const NINE = 57;
const LETTER_A = 97;
const LETTER_Z = 122;
const TEN = 10;

/** What {@link addToUsageText} wrote; of one operation where given. */
export function usageFromText(text: string, only?: string): UsageEntry[] {
  const entries: UsageEntry[] = [];
  for (const [operation, outcome, sums] of JSON.parse(text) as Written[]) {
    if (only === undefined || operation === only) entries.push({ operation, outcome, sums: new SumsText(sums).read() });
  }
  return entries;
}

/**
 * Entries as they stand in a text column: those of a text, and new ones, each once. Only what both have is read.
 *
 * @param text `[]` where nothing stands yet
 */
export function addToUsageText(text: string, fresh: Iterable<UsageEntry>): string {
  const written = JSON.parse(text) as Written[];
  const places = new Map(written.map(([operation, outcome], place) => [`${outcome} ${operation}`, place]));
  for (const { operation, outcome, sums } of fresh) {
    const place = places.get(`${outcome} ${operation}`) ?? written.length;
    const [, , before] = written[place] ?? [];
    const together = before === undefined ? sums : addSums(new SumsText(before).read(), sums);
    written[place] = [operation, outcome, sumsToText(together)];
  }
  return JSON.stringify(written);
}

function sumsToText({ calls, attempts, bytesIn, bytesOut, ...times }: UsageSums): string {
  const { queueMs, masonMs, gatewayMs } = times;
  const counters = [calls, attempts, bytesIn, bytesOut].map((count) => count.toString(BASE)).join(' ');
  return [counters, ...[queueMs, masonMs, gatewayMs].map(histogramToText)].join('|');
}

/** The first bucket, and the counts from there on; where there is none, nothing: `1k:3 12  4`. */
function histogramToText(histogram: Histogram): string {
  const [first] = histogram;
  if (first === undefined) return '';
  const counts: string[] = [];
  for (const [bucket, count] of histogram) counts[bucket - first[0]] = count.toString(BASE);
  return `${first[0].toString(BASE)}:${counts.join(' ')}`;
}

/** Sums, read character by character: a month has a hundred thousand of these numbers, and splitting takes four times as long. */
class SumsText {
  readonly #text: string;
  #at = 0;
  /** What stood behind the last number; NaN at the end. */
  #behind = Number.NaN;

  constructor(text: string) {
    this.#text = text;
  }

  read(): UsageSums {
    return {
      calls: this.#number(),
      attempts: this.#number(),
      bytesIn: this.#number(),
      bytesOut: this.#number(),
      queueMs: this.#histogram(),
      masonMs: this.#histogram(),
      gatewayMs: this.#histogram(),
    };
  }

  #histogram(): Histogram {
    const histogram: (readonly [number, number])[] = [];
    for (let bucket = this.#number(); this.#behind === COLON || this.#behind === SPACE; bucket += 1) {
      const count = this.#number();
      if (count > 0) histogram.push([bucket, count]);
    }
    return histogram;
  }

  /** Zero where none stands. */
  #number(): number {
    let number = 0;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at++);
      if (code >= ZERO && code <= NINE) number = number * BASE + code - ZERO;
      else if (code >= LETTER_A && code <= LETTER_Z) number = number * BASE + code - LETTER_A + TEN;
      else {
        this.#behind = code;
        return number;
      }
    }
  }
}
