import { canonicalString, isCanonical } from './canonical-json.ts';

/** A name as it stands in the line, without its quotes: ASCII, whatever it holds. */
export function escapedName(name: string | undefined): string {
  if (name === undefined || isCanonical(name)) return name ?? '';
  return canonicalString(name).slice(1, -1);
}

/** The name that is escaped so; undefined for none. */
export function plainName(escaped: string): string | undefined {
  if (!escaped.includes('\\')) return escaped === '' ? undefined : escaped;
  return String(JSON.parse(`"${escaped}"`));
}
