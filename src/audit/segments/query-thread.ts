import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError } from '../../domain/errors.ts';
import type { RecordFilter, RecordPage } from '../../domain/record.ts';
import type { ThreadAnswer } from '../asked-thread.ts';
import { failureText } from '../failure-text.ts';
import type { PageAsked } from '../record-page.ts';
import { queryRecord } from './query.ts';
import { SegmentCatalog } from './segment-catalog.ts';

export interface QueryAsked {
  readonly filter: RecordFilter;
  readonly page: PageAsked;
}

export interface Queried {
  readonly page: RecordPage;
}

const port = parentPort;
if (port === null) throw new Error('query-thread runs as a worker thread only');
const directory: string = workerData;
const catalog = new SegmentCatalog(directory);

port.on('message', (request: QueryAsked & { id: number }) => port.postMessage(answer(request)));

function answer({ id, filter, page }: QueryAsked & { id: number }): ThreadAnswer<Queried> {
  try {
    return { id, page: queryRecord(catalog, filter, page) };
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : 'store_unavailable';
    return { id, code, problem: failureText(error) };
  }
}
