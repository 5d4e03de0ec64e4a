import { type Answer, invalid, textAnswer } from './answer.ts';

/** Nobody states them: assumed. */
export const PAGE_SIZE_DEFAULT = 25;
export const PAGE_SIZE_MAX = 100;

/**
 * How one resource pages. Mason says that the type of its keys varies from one API to another, so each resource here has a
 * kind of its own, and a client that reads anything into a key breaks.
 */
export interface PageKeys<T> {
  write(item: T): string;
  /** Compares items with the place the key names (below 0: the item comes before it); undefined: not a key of this resource. */
  read(key: string): ((item: T) => number) | undefined;
}

/**
 * One page of a list in its documented form: `{"data": […], "nextPage"?, "prevPage"?}`.
 * @param text gives an item's JSON.
 */
export function page<T>(
  items: readonly T[],
  keys: PageKeys<T>,
  query: URLSearchParams,
  text: (item: T) => string,
): Answer {
  const limit = readLimit(query.get('limit'));
  const before = readKey(keys, query, 'before');
  const after = readKey(keys, query, 'after');
  if (before !== undefined && after !== undefined) throw invalid('Only one of before and after may be given');

  let from = 0;
  let to = Math.min(limit, items.length);
  if (after !== undefined) {
    from = lowest(items, (item) => after(item) > 0);
    to = Math.min(from + limit, items.length);
  } else if (before !== undefined) {
    to = lowest(items, (item) => before(item) >= 0);
    from = Math.max(0, to - limit);
  }

  const shown = items.slice(from, to);
  const first = shown[0];
  const last = shown.at(-1);
  const prevPage = from > 0 && first !== undefined ? `,"prevPage":${JSON.stringify(keys.write(first))}` : '';
  const nextPage = to < items.length && last !== undefined ? `,"nextPage":${JSON.stringify(keys.write(last))}` : '';
  return textAnswer(`{"data":[${shown.map(text).join(',')}]${prevPage}${nextPage}}`);
}

/** Keys for lists whose order is their position: the number as it stands. */
export function numericKeys<T>(position: (item: T) => number): PageKeys<T> {
  return {
    write: (item) => String(position(item)),
    read: (key) => (/^\d{1,15}$/.test(key) ? (item) => position(item) - Number(key) : undefined),
  };
}

function readLimit(given: string | null): number {
  if (given === null) return PAGE_SIZE_DEFAULT;
  const limit = /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > PAGE_SIZE_MAX) throw invalid(`limit must be a whole number from 1 to ${PAGE_SIZE_MAX}`);
  return limit;
}

function readKey<T>(keys: PageKeys<T>, query: URLSearchParams, name: 'before' | 'after') {
  const given = query.get(name);
  if (given === null) return undefined;
  const place = keys.read(given);
  if (place === undefined) throw invalid(`${name} is not a valid page key`);
  return place;
}

/** The first index whose item satisfies `past`, which holds from some item on for all that follow; the length when none does. */
function lowest<T>(items: readonly T[], past: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && past(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
