import { parentPort, workerData } from 'node:worker_threads';
import { type RunOptions, type RunState, RunWriter } from './run-writer.ts';
import { failureText } from './sqlite-failure.ts';

/** What the writer thread is asked: to write one batch, or to end. The next one is sent when this one is answered. */
export type WriterRequest = { readonly batch: number; readonly lines: Uint8Array } | 'close';

/** What it answers. */
export type WriterAnswer =
  | { readonly kind: 'written'; readonly state: RunState }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'closed' };

const port = parentPort;
if (port === null) throw new Error('writer-thread runs as a worker thread only');
const options: RunOptions = workerData;
const writer = new RunWriter(options);

port.on('message', (request: WriterRequest) => {
  if (request === 'close') {
    writer.close();
    answer({ kind: 'closed' });
    port.close();
    return;
  }
  try {
    answer({ kind: 'written', state: writer.write(request.batch, textOf(request.lines)) });
  } catch (error) {
    answer({ kind: 'failed', problem: failureText(error) });
  }
  // After the answer: whoever waits for the commit does not wait for this.
  writer.rest();
});

/** Lines are ASCII: the cheapest reading is right. */
function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

function answer(message: WriterAnswer): void {
  port?.postMessage(message);
}
