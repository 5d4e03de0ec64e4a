import type { Histogram } from '../domain/usage.ts';

const SHORTEST_MS = 0.1;
const GROWTH = 1.1;
const BUCKET_MAX = 200;
/** How many buckets there are. */
export const BUCKETS = BUCKET_MAX + 1;

/** The bucket of a time: see `Histogram`. What took longer than the last bucket's times counts there. */
export function bucketOf(ms: number): number {
  if (!(ms > SHORTEST_MS)) return 0;
  return Math.min(Math.ceil(Math.log(ms / SHORTEST_MS) / Math.log(GROWTH)), BUCKET_MAX);
}

/**
 * The time within which a share of all was done, wrong by less than 5 %; times below 0.1 ms are read as 0.1 ms. Null of
 * nothing.
 *
 * @param share 0 to 1
 */
export function percentileMs(times: Histogram, share: number): number | null {
  const count = times.reduce((sum, [, each]) => sum + each, 0);
  let left = Math.max(1, Math.ceil(share * count));
  for (const [bucket, each] of times) {
    left -= each;
    if (left <= 0) return middleMs(bucket);
  }
  return null;
}

function middleMs(bucket: number): number {
  return bucket === 0 ? SHORTEST_MS : SHORTEST_MS * GROWTH ** (bucket - 0.5);
}
