import { extname } from 'node:path';

/** Where the code of a thread stands: `.ts` as it is run from its source, `.js` when it was compiled. */
export function threadUrl(name: string): URL {
  return new URL(`./${name}${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
}
