import type { Histogram, UsageKey, UsageSums } from '../domain/usage.ts';

/** Usage of one caller in one span, by outcome and operation. */
export type CallerUsage = ReadonlyMap<string, UsageEntry>;

export interface UsageEntry extends Pick<UsageKey, 'operation' | 'outcome'> {
  readonly sums: UsageSums;
}

type Written = readonly [operation: string, outcome: UsageKey['outcome'], sums: string];

/** What an entry of {@link CallerUsage} goes by. */
export function entryKey({ operation, outcome }: Pick<UsageKey, 'operation' | 'outcome'>): string {
  return `${outcome} ${operation}`;
}

/**
 * As it stands in a text column: JSON, with the sums of an entry in a string of their own, so that whoever reads twenty
 * thousand of them pays only for what they look at.
 */
export function usageToText(usage: CallerUsage): string {
  const written: Written[] = [...usage.values()].map(({ operation, outcome, sums }) => [
    operation,
    outcome,
    sumsToText(sums),
  ]);
  return JSON.stringify(written);
}

/** The inverse of {@link usageToText}; histograms are read when they are looked at. */
export function usageFromText(text: string): CallerUsage {
  const entries = (JSON.parse(text) as Written[]).map(([operation, outcome, sums]) => {
    const entry = { operation, outcome, sums: sumsFromText(sums) };
    return [entryKey(entry), entry] as const;
  });
  return new Map(entries);
}

function sumsToText({ calls, attempts, bytesIn, bytesOut, ...times }: UsageSums): string {
  const { queueMs, masonMs, gatewayMs } = times;
  const counters = [calls, attempts, bytesIn, bytesOut].map((count) => count.toString(36)).join(' ');
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
    get queueMs() {
      return histogramFromText(queueMs);
    },
    get masonMs() {
      return histogramFromText(masonMs);
    },
    get gatewayMs() {
      return histogramFromText(gatewayMs);
    },
  };
}

/** The first bucket, and the counts from there on; where there is none, nothing: `1k:3 12  4`. */
function histogramToText(histogram: Histogram): string {
  const [first] = histogram;
  if (first === undefined) return '';
  const counts: string[] = [];
  for (const [bucket, count] of histogram) counts[bucket - first[0]] = count.toString(36);
  return `${first[0].toString(36)}:${counts.join(' ')}`;
}

function histogramFromText(text: string): Histogram {
  if (text === '') return [];
  const [first = '', counts = ''] = text.split(':');
  const from = fromBase36(first);
  return counts.split(' ').flatMap((count, n) => (count === '' ? [] : [[from + n, fromBase36(count)] as const]));
}

function fromBase36(text: string): number {
  return Number.parseInt(text, 36);
}
