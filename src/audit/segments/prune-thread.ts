import { parentPort, workerData } from 'node:worker_threads';
import { failureText } from '../failure-text.ts';
import { planSegments, pruneSegments } from './prune-segments.ts';
import type { PruneAnswer, PruneOrder } from './segment-pruner.ts';

const { directory, asked, going }: PruneOrder = workerData;
parentPort?.postMessage(answer());

function answer(): PruneAnswer {
  try {
    return { value: going === undefined ? planSegments(directory, asked) : pruneSegments(directory, asked, going) };
  } catch (error) {
    return { problem: failureText(error) };
  }
}
