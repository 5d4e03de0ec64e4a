import { parentPort } from 'node:worker_threads';
import type { RecordArchive } from '../domain/archive.ts';
import { GatewayError } from '../domain/errors.ts';
import type { ThreadAnswer } from './asked-thread.ts';
import { type ExportAsked, exportRecord } from './export/export-record.ts';
import { failureText } from './failure-text.ts';
import { type DeliveryAsked, deliveryPieces } from './sinks/delivery.ts';

/** What is read piece by piece. */
export type StreamAsked =
  | { readonly of: 'batches'; readonly chain: string; readonly afterSeq: number }
  | { readonly of: 'checkpoints'; readonly chain: string }
  | { readonly of: 'export'; readonly asked: ExportAsked }
  | { readonly of: 'delivery'; readonly asked: DeliveryAsked };

/** What the thread is asked. `stream` names what is being read: begun with its first `next`. */
export type ArchiveAsked =
  | { readonly ask: 'chains' | 'newest' }
  | { readonly ask: 'next'; readonly stream: number; readonly of: StreamAsked }
  | { readonly ask: 'end'; readonly stream: number };

export interface ArchiveAnswered {
  readonly value: unknown;
  readonly isEnd?: boolean;
}

/** So many batches or checkpoints cross the border at once: a message costs as much as ten of them. */
const ITEMS_AT_ONCE = 16;

/** Reads in an archive thread what the main one asks for. What cannot be opened is opened anew with the next question. */
export function serveArchive(open: () => Promise<RecordArchive>): void {
  const port = parentPort;
  if (port === null) throw new Error('an archive is served in a worker thread only');
  const streams: Streams = new Map();
  let opened: Promise<RecordArchive> | undefined;
  const archive = (): Promise<RecordArchive> => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  port.on('message', (request: ArchiveAsked & { id: number }) => {
    void answer(archive, streams, request).then((message) => port.postMessage(message));
  });
}

type Streams = Map<number, AsyncIterator<unknown>>;

async function answer(
  open: () => Promise<RecordArchive>,
  streams: Streams,
  request: ArchiveAsked & { id: number },
): Promise<ThreadAnswer<ArchiveAnswered>> {
  const { id } = request;
  try {
    const archive = await open();
    switch (request.ask) {
      case 'chains':
        return { id, value: await archive.chains() };
      case 'newest':
        return { id, value: await archive.newest() };
      case 'next':
        return { id, ...(await next(archive, streams, request)) };
      case 'end':
        await streams.get(request.stream)?.return?.();
        streams.delete(request.stream);
        return { id, value: undefined };
    }
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : 'store_unavailable';
    return { id, code, problem: failureText(error) };
  }
}

async function next(
  archive: RecordArchive,
  streams: Streams,
  { stream, of }: Extract<ArchiveAsked, { ask: 'next' }>,
): Promise<{ value: unknown[]; isEnd: boolean }> {
  const iterator = streams.getOrInsertComputed(stream, () => begin(archive, of));
  const value: unknown[] = [];
  const most = of.of === 'export' || of.of === 'delivery' ? 1 : ITEMS_AT_ONCE;
  while (value.length < most) {
    const item = await iterator.next();
    if (item.done === true) {
      streams.delete(stream);
      return { value, isEnd: true };
    }
    value.push(item.value);
  }
  return { value, isEnd: false };
}

function begin(archive: RecordArchive, asked: StreamAsked): AsyncIterator<unknown> {
  if (asked.of === 'export') return exportRecord(archive, asked.asked)[Symbol.asyncIterator]();
  if (asked.of === 'delivery') return deliveryPieces(archive, asked.asked)[Symbol.asyncIterator]();
  if (asked.of === 'batches') return archive.batches(asked.chain, asked.afterSeq)[Symbol.asyncIterator]();
  return archive.checkpoints(asked.chain)[Symbol.asyncIterator]();
}
