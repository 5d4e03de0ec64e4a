import type { Histogram, Registry } from 'prom-client';

/**
 * A histogram of durations without labels. prom-client's own makes two closures, an object and a hash for each number it is
 * given, which costs ten times what counting does; here its text is made when somebody scrapes.
 */
export class Durations {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  /** By bucket; the last one is for all beyond the last bound. */
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds upper ends of the buckets, seconds, ascending */
  constructor(registry: Registry, name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#counts = [...bounds, Number.POSITIVE_INFINITY].map(() => 0);
    const metric = { name, get: async () => this.#scraped() };
    registry.registerMetric(metric as unknown as Histogram);
  }

  observe(durationMs: number): void {
    const seconds = durationMs / 1_000;
    let bucket = 0;
    while (bucket < this.#bounds.length && seconds > (this.#bounds[bucket] as number)) bucket++;
    (this.#counts[bucket] as number)++;
    this.#sum += seconds;
  }

  #scraped(): object {
    let count = 0;
    const values = this.#counts.map((inBucket, bucket) => {
      count += inBucket;
      return { metricName: `${this.#name}_bucket`, labels: { le: this.#bounds[bucket] ?? '+Inf' }, value: count };
    });
    const totals = [
      { metricName: `${this.#name}_sum`, labels: {}, value: this.#sum },
      { metricName: `${this.#name}_count`, labels: {}, value: count },
    ];
    return { name: this.#name, help: this.#help, type: 'histogram', values: [...values, ...totals] };
  }
}
