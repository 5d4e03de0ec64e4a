import { AGES } from './budget-act.ts';
import { WindowCount } from './window-count.ts';

/** What this gateway sent itself, for when the others cannot know it. */
export class SentCalls {
  readonly #all = new WindowCount();
  #alone = new WindowCount();

  note(at: number, bucketMs: number, isAlone: boolean): void {
    this.#all.add(at, bucketMs);
    if (isAlone) this.#alone.add(at, bucketMs);
  }

  remove(at: number, isAlone: boolean): void {
    this.#all.remove(at);
    if (isAlone) this.#alone.remove(at);
  }

  /** Calls of the last horizon by age: all, and those that the shared budget has not been told of. */
  byAge(horizonMs: number, now: number): { all: number[]; alone: number[] } {
    return { all: byAge(this.#all, horizonMs, now), alone: byAge(this.#alone, horizonMs, now) };
  }

  since(from: number): number {
    return this.#all.since(from);
  }

  get newestAt(): number {
    return this.#all.newestAt;
  }

  /** The shared budget was told of those sent alone before `at`. */
  told(at: number): void {
    const untold = this.#alone.buckets().filter(([, last]) => last >= at);
    this.#alone = new WindowCount();
    for (const [, last, calls] of untold) this.#alone.add(last, 0, calls);
  }
}

/** Each bucket counts as what its newest call is. Empty: none. */
function byAge(calls: WindowCount, horizonMs: number, now: number): number[] {
  calls.expire(now, horizonMs);
  if (calls.total === 0) return [];
  const ages = Array.from({ length: AGES }, () => 0);
  for (const [, last, count] of calls.buckets()) {
    const age = Math.max(0, Math.min(AGES - 1, Math.floor(((now - last) / horizonMs) * AGES)));
    ages[age] = (ages[age] as number) + count;
  }
  return ages;
}
