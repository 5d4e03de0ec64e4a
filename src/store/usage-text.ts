import type { Histogram, UsageKey, UsageSums } from '../domain/usage.ts';

/** Of one caller in one span. */
export interface UsageEntry extends Pick<UsageKey, 'operation' | 'outcome'> {
  readonly sums: UsageSums;
}

/** Operation, outcome, and the sums in a string of their own: numbers in base 36 take half of JSON's room, and of its time. */
type Written = readonly [operation: string, outcome: UsageKey['outcome'], sums: string];

const BASE = 36;
const SPACE = 32;
const ZERO = 48;
const NINE = 57;
/** Of "a", which is 10. */
const LETTERS = 87;

/** Entries as they stand in a text column. */
export function usageToText(entries: Iterable<UsageEntry>): string {
  const written: Written[] = [];
  for (const { operation, outcome, sums } of entries) written.push([operation, outcome, sumsToText(sums)]);
  return JSON.stringify(written);
}

/** The inverse of {@link usageToText}. Only what it wrote comes here. */
export function usageFromText(text: string): UsageEntry[] {
  return (JSON.parse(text) as Written[]).map(([operation, outcome, sums]) => ({
    operation,
    outcome,
    sums: sumsFromText(sums),
  }));
}

function sumsToText({ calls, attempts, bytesIn, bytesOut, ...times }: UsageSums): string {
  const { queueMs, masonMs, gatewayMs } = times;
  const counters = [calls, attempts, bytesIn, bytesOut].map((count) => count.toString(BASE)).join(' ');
  return [counters, ...[queueMs, masonMs, gatewayMs].map(histogramToText)].join('|');
}

function sumsFromText(text: string): UsageSums {
  const [counters = '', queueMs = '', masonMs = '', gatewayMs = ''] = text.split('|');
  const [calls = 0, attempts = 0, bytesIn = 0, bytesOut = 0] = counters.split(' ').map(fromBase36);
  return {
    calls,
    attempts,
    bytesIn,
    bytesOut,
    queueMs: histogramFromText(queueMs),
    masonMs: histogramFromText(masonMs),
    gatewayMs: histogramFromText(gatewayMs),
  };
}

/** The first bucket, and the counts from there on; where there is none, nothing: `1k:3 12  4`. */
function histogramToText(histogram: Histogram): string {
  const [first] = histogram;
  if (first === undefined) return '';
  const counts: string[] = [];
  for (const [bucket, count] of histogram) counts[bucket - first[0]] = count.toString(BASE);
  return `${first[0].toString(BASE)}:${counts.join(' ')}`;
}

/** Character by character: a month has a million of these numbers, and splitting takes four times as long. */
function histogramFromText(text: string): Histogram {
  const histogram: (readonly [number, number])[] = [];
  const colon = text.indexOf(':');
  if (colon < 0) return histogram;
  let bucket = fromBase36(text.slice(0, colon));
  let count = 0;
  for (let at = colon + 1; at <= text.length; at++) {
    const code = at === text.length ? SPACE : text.charCodeAt(at);
    if (code !== SPACE) {
      count = count * BASE + code - (code <= NINE ? ZERO : LETTERS);
      continue;
    }
    if (count > 0) histogram.push([bucket, count]);
    bucket++;
    count = 0;
  }
  return histogram;
}

function fromBase36(text: string): number {
  return Number.parseInt(text, BASE);
}
