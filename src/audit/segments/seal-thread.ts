import { parentPort, workerData } from 'node:worker_threads';
import { failureText } from '../failure-text.ts';
import { sealSegment } from './seal-segment.ts';
import type { SealAnswer, SealOrder } from './sealer.ts';

/** A file may be busy for the length of a query; one that stays so is being written by another gateway. */
const ROUNDS_MAX = 5;
const PAUSE_MS = 200;

const order: SealOrder = workerData;
let left = [...order.paths];
for (let round = 1; left.length > 0 && round <= ROUNDS_MAX; round += 1) {
  if (round > 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  left = left.filter((path) => {
    const answer = seal(path);
    if (answer.result !== 'busy') parentPort?.postMessage(answer);
    return answer.result === 'busy';
  });
}

function seal(path: string): SealAnswer {
  try {
    return { path, result: sealSegment(path) ? 'sealed' : 'busy' };
  } catch (error) {
    return { path, result: 'failed', problem: failureText(error) };
  }
}
