import type { RecordFilter, RecordPage } from '../../domain/record.ts';
import { AskedThread } from '../asked-thread.ts';
import { checkPageAsked, type PageAsked } from '../record-page.ts';
import { threadUrl } from '../thread-url.ts';
import type { Queried, QueryAsked } from './query-thread.ts';

/** Queries in a thread of their own, over all segments in a directory. An empty or missing one has no events. */
export class QueryClient {
  readonly #thread: AskedThread<QueryAsked, Queried>;

  constructor(directory: string) {
    this.#thread = new AskedThread(threadUrl('query-thread', import.meta.url), directory, 'record-query');
  }

  /** See `AuditRecord.query`. */
  async query(filter: RecordFilter, page: PageAsked): Promise<RecordPage> {
    checkPageAsked(page);
    return (await this.#thread.ask({ filter, page })).page;
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
