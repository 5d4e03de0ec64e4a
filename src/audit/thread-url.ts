import { extname } from 'node:path';

/** Where the code of a thread stands, beside the module that starts it: `.ts` as it is run from its source, `.js` when it was compiled. */
export function threadUrl(name: string, beside: string): URL {
  return new URL(`./${name}${extname(new URL(beside).pathname)}`, beside);
}
