import type { AuditRecord } from '../domain/record.ts';
import { QueryClient } from './segments/query-client.ts';

/** Reads a record without writing one. */
export type RecordReader = Pick<AuditRecord, 'query' | 'close'>;

/** Reads the record of all gateways in a directory, for the command line when no gateway runs. An empty or missing one has no events. */
export function openRecordReader(options: { readonly directory: string }): RecordReader {
  const queries = new QueryClient(options.directory);
  return { query: (filter, page) => queries.query(filter, page), close: () => queries.close() };
}
