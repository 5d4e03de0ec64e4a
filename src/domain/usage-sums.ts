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

/** Both ascend, so that they are merged as they lie. */
export function addHistograms(one: Histogram, other: Histogram): Histogram {
  if (one.length === 0) return other;
  if (other.length === 0) return one;
  const sum: (readonly [number, number])[] = [];
  let at = 0;
  for (const bucket of one) {
    let next = other[at];
    while (next !== undefined && next[0] < bucket[0]) {
      sum.push(next);
      next = other[++at];
    }
    if (next?.[0] !== bucket[0]) sum.push(bucket);
    else {
      sum.push([bucket[0], bucket[1] + next[1]]);
      at += 1;
    }
  }
  for (; at < other.length; at += 1) sum.push(other[at] as readonly [number, number]);
  return sum;
}
