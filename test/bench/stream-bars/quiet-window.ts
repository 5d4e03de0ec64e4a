import { OTHER_CORE, PROXY_CORE } from '../contestants/contestant.ts';
import { coreTicks, processorMs } from '../machine/processor.ts';

const TICK_MS = 10;
/** Of the bench's two processors. With more, a time that was measured is that of somebody else's work. */
export const FOREIGN_MAX = 0.1;
const TRIES_MAX = 3;

/** What was measured, and what the processors did meanwhile, as parts of their time. */
export interface Window {
  readonly value: number;
  /** Of one processor, by the process that is measured. */
  readonly own: number;
  /** Of both, by processes that are none of the bench's. */
  readonly foreign: number;
}

/** Measures until the machine does nothing else meanwhile, three times at most; then the quietest counts. */
export async function quietWindow(pid: number, measure: () => Promise<number>): Promise<Window> {
  let quietest = await window(pid, measure);
  for (let tries = 1; tries < TRIES_MAX && quietest.foreign > FOREIGN_MAX; tries++) {
    const next = await window(pid, measure);
    if (next.foreign < quietest.foreign) quietest = next;
  }
  return quietest;
}

async function window(pid: number, measure: () => Promise<number>): Promise<Window> {
  const before = now(pid);
  const value = await measure();
  const after = now(pid);
  const allMs = after.allMs - before.allMs;
  const benchMs = after.benchMs - before.benchMs;
  const busyMs = after.busyMs - before.busyMs;
  return {
    value,
    // Two processors: the time of one is half of all.
    own: (2 * (after.ownMs - before.ownMs)) / allMs,
    foreign: Math.max(0, (busyMs - benchMs) / allMs),
  };
}

function now(pid: number): { ownMs: number; benchMs: number; busyMs: number; allMs: number } {
  const cores = [PROXY_CORE, OTHER_CORE].map(coreTicks);
  const sum = (of: (ticks: { idle: number; all: number }) => number): number =>
    cores.reduce((ticks, core) => ticks + of(core), 0) * TICK_MS;
  return {
    ownMs: processorMs(pid),
    // With all that it started.
    benchMs: processorMs(process.pid),
    busyMs: sum(({ idle, all }) => all - idle),
    allMs: sum(({ all }) => all),
  };
}
