/** For commands that say it of a budget. */
export const SPREAD_OPTION = [
  '--spread <ms>',
  'spread of the way to Mason in milliseconds, at most a tenth of the window; or "measured"',
] as const;

/** For people. */
export function spreadOf({ spreadMs }: { readonly spreadMs: number | null }): string {
  return spreadMs === null ? 'measured' : `${spreadMs} ms`;
}
