import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorCode, GatewayError } from '../../domain/errors.ts';
import type { RecordFilter, RecordPage } from '../../domain/record.ts';
import { failureText } from '../failure-text.ts';
import type { PageAsked } from '../record-page.ts';
import { queryRecord } from './query.ts';
import { SegmentCatalog } from './segment-catalog.ts';

export interface QueryRequest {
  readonly id: number;
  readonly filter: RecordFilter;
  readonly page: PageAsked;
}

/** Errors go as code and message: a thread's border strips them of their class. */
export type QueryAnswer =
  | { readonly id: number; readonly page: RecordPage }
  | { readonly id: number; readonly code: ErrorCode; readonly problem: string };

const port = parentPort;
if (port === null) throw new Error('query-thread runs as a worker thread only');
const directory: string = workerData;
const catalog = new SegmentCatalog(directory);

port.on('message', (request: QueryRequest) => port.postMessage(answer(request)));

function answer({ id, filter, page }: QueryRequest): QueryAnswer {
  try {
    return { id, page: queryRecord(catalog, filter, page) };
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : 'store_unavailable';
    return { id, code, problem: failureText(error) };
  }
}
