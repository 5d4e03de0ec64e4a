import { parentPort } from 'node:worker_threads';
import { failureText } from './failure-text.ts';
import type { BatchesWriter, WriterAnswer, WriterRequest, WriterState } from './writer-protocol.ts';

/** Does in a writer thread what the main one asks, one after the other. */
export function serveWriter<S extends WriterState>(writer: BatchesWriter<S>): void {
  const port = parentPort;
  if (port === null) throw new Error('a writer runs in a worker thread only');
  let before = Promise.resolve();
  port.on('message', (request: WriterRequest) => {
    before = before.then(async () => {
      port.postMessage(await answer(writer, request));
      if (request === 'close') port.close();
      // After the answer: whoever waits for the commit does not wait for this.
      else await writer.rest();
    });
  });
}

async function answer<S extends WriterState>(
  writer: BatchesWriter<S>,
  request: WriterRequest,
): Promise<WriterAnswer<S>> {
  try {
    if (request === 'close') {
      await writer.close();
      return { kind: 'closed' };
    }
    if ('batch' in request) {
      const state = await writer.write(request.batch, textOf(request.lines));
      return { kind: 'written', state, usage: writer.tally.take() };
    }
    await writer.keep(request.seq, request.checkpoint);
    return { kind: 'kept' };
  } catch (error) {
    writer.tally.drop();
    return { kind: 'failed', problem: failureText(error) };
  }
}

/** Lines are ASCII: the cheapest reading is right. */
function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}
