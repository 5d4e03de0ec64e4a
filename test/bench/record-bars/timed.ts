import { median } from '../throughput/rounds.ts';

const TIMES = 5;

/** How long a question took: the middle of several times, and the slowest. */
export interface Timed {
  readonly ms: number;
  readonly worst: number;
  /** Of this process, all threads: says the same on a busy machine as on a quiet one. */
  readonly processorMs: number;
}

export async function timed(ask: () => Promise<unknown>): Promise<Timed> {
  const times: number[] = [];
  const processor: number[] = [];
  for (let n = 0; n < TIMES; n += 1) {
    const [from, before] = [performance.now(), process.cpuUsage()];
    await ask();
    times.push(performance.now() - from);
    const { user, system } = process.cpuUsage(before);
    processor.push((user + system) / 1_000);
  }
  return { ms: median(times), worst: Math.max(...times), processorMs: median(processor) };
}

export function timedText({ ms, worst, processorMs }: Timed): string {
  return `${ms.toFixed(1)} ms, at worst ${worst.toFixed(1)}, ${processorMs.toFixed(1)} of processor`;
}
