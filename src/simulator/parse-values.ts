import type { LimitOptions, Range } from './options.ts';

/** A command line that cannot be accepted: one line that says what was expected and what came. */
export class UsageError extends Error {}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const WINDOW_MS_MAX = 31 * UNIT_MS.d;
const DELAY_MS_MAX = UNIT_MS.h;

export function wholeNumber(name: string, given: string | undefined, min: number, max: number, absent: number): number {
  if (given === undefined) return absent;
  const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
  if (!(value >= min && value <= max)) throw wrong(name, `a whole number from ${min} to ${max}`, given);
  return value;
}

export function choice<T extends string>(name: string, given: string | undefined, known: readonly T[], absent: T): T {
  if (given === undefined) return absent;
  const value = known.find((candidate) => candidate === given);
  if (value === undefined) throw wrong(name, `one of ${known.join(', ')}`, given);
  return value;
}

/** `100/1s`, `600/60s`, `1000/1h`, `5/250ms`. */
export function parseLimit(name: string, given: string): Pick<LimitOptions, 'calls' | 'windowMs'> {
  const [, calls = '', count = '', unit = ''] = /^([1-9]\d{0,8})\/([1-9]\d{0,8})(ms|s|m|h|d)$/.exec(given) ?? [];
  const windowMs = Number(count) * UNIT_MS[(unit || 'ms') as keyof typeof UNIT_MS];
  if (unit === '' || windowMs > WINDOW_MS_MAX)
    throw wrong(name, 'calls per window like 100/1s, 600/60s or 1000/1h', given);
  return { calls: Number(calls), windowMs };
}

/** `20..80`, or one number for both; milliseconds. */
export function parseRange(name: string, given: string): Range {
  const [, low = '', high] = /^(\d{1,7}(?:\.\d+)?)(?:\.\.(\d{1,7}(?:\.\d+)?))?$/.exec(given) ?? [];
  const min = Number(low);
  const max = Number(high ?? low);
  if (low === '' || min > max || max > DELAY_MS_MAX) {
    throw wrong(name, `milliseconds like 20 or 20..80, at most ${DELAY_MS_MAX}`, given);
  }
  return { min, max };
}

/** `http://127.0.0.1:8080`: an address without a path. */
export function parseOrigin(name: string, given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || `${url.origin}/` !== url.href) {
    throw wrong(name, 'an address like http://127.0.0.1:8080', given);
  }
  return url.origin;
}

export function wrong(name: string, expected: string, got: string): UsageError {
  return new UsageError(`${name}: expected ${expected}, got ${JSON.stringify(got)}`);
}
