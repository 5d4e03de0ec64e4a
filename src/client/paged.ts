import { GatewayCallError } from './gateway-call-error.ts';
import type { CallOptions } from './options.ts';
import type { Query } from './target.ts';

/** One page of a list. */
export interface Page<Item> {
  readonly data: readonly Item[];
  /** Opaque: to pass on as `after`. Undefined on the last page. */
  readonly nextPage: string | undefined;
  /** Opaque: to pass on as `before`. Undefined on the first page. */
  readonly prevPage: string | undefined;
}

type AskPage = (query: Query, options: CallOptions) => Promise<unknown>;

/**
 * A list that comes in pages: `for await (const item of list)` goes over all items of all pages, each page asked for when
 * the one before it is used up. With `before` in the query it goes backwards, page by page.
 */
export class Paged<Item> implements AsyncIterable<Item> {
  readonly #ask: AskPage;
  readonly #query: Query;
  readonly #options: CallOptions;

  constructor(ask: AskPage, query: Query, options: CallOptions) {
    this.#ask = ask;
    this.#query = query;
    this.#options = options;
  }

  /** The one page that the query asks for. */
  async page(): Promise<Page<Item>> {
    return readPage(await this.#ask(this.#query, this.#options));
  }

  /**
   * Page after page.
   *
   * @throws GatewayCallError also when the keys go in a circle, and when `deadlineMs` of the list is over
   */
  async *pages(): AsyncGenerator<Page<Item>, void, undefined> {
    const { deadlineMs } = this.#options;
    const startedAt = performance.now();
    const seen = new Set<string>();
    let query = this.#query;
    for (;;) {
      const leftMs = deadlineMs === undefined ? undefined : deadlineMs - (performance.now() - startedAt);
      if (seen.size > 0 && leftMs !== undefined && leftMs < 1) throw tooLate(deadlineMs as number, seen.size);
      const page = readPage<Item>(await this.#ask(query, { ...this.#options, deadlineMs: leftMs }));
      yield page;
      const isBackwards = query['before'] !== undefined;
      const key = isBackwards ? page.prevPage : page.nextPage;
      if (key === undefined) return;
      if (seen.has(key)) throw inACircle(key, seen.size);
      seen.add(key);
      query = { ...this.#query, [isBackwards ? 'before' : 'after']: key };
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const { data } of this.pages()) yield* data;
  }
}

function readPage<Item>(answer: unknown): Page<Item> {
  const { data, nextPage, prevPage, next, prev } = Object(answer) as Record<string, unknown>;
  if (Array.isArray(data)) return { data, nextPage: keyOf(nextPage ?? next), prevPage: keyOf(prevPage ?? prev) };
  const message = 'expected a page of a list, {"data": […]}, got something else';
  throw new GatewayCallError({ type: 'api_error', source: 'mason', status: 200, message });
}

/** "The key type will vary", Mason says: a number is as good as a text, and an empty text is none. */
function keyOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function inACircle(key: string, pages: number): GatewayCallError {
  const message = `the list does not end: after ${pages} pages the key ${JSON.stringify(key.slice(0, 80))} came again`;
  return new GatewayCallError({ type: 'api_error', source: 'mason', message });
}

function tooLate(deadlineMs: number, pages: number): GatewayCallError {
  const message = `the list was not at its end within ${deadlineMs} ms: ${pages} pages came`;
  return new GatewayCallError({ type: 'timeout_error', source: 'network', message });
}
