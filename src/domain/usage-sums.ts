import type { Histogram, UsageSums } from './usage.ts';

/** Of two spans, callers or operations together. */
export function addSums(one: UsageSums, other: UsageSums): UsageSums {
  return {
    calls: one.calls + other.calls,
    attempts: one.attempts + other.attempts,
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
    queueMs: addHistograms(one.queueMs, other.queueMs),
    masonMs: addHistograms(one.masonMs, other.masonMs),
    gatewayMs: addHistograms(one.gatewayMs, other.gatewayMs),
  };
}

export function addHistograms(one: Histogram, other: Histogram): Histogram {
  if (one.length === 0) return other;
  if (other.length === 0) return one;
  const counts = new Map(one);
  for (const [bucket, count] of other) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  return [...counts].sort(([a], [b]) => a - b);
}
