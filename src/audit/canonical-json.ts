/**
 * What stands in the record, as one line of printable ASCII. Everything else is escaped: CR and LF would forge lines,
 * C0 and C1 controls drive terminals (ANSI), U+2028 ends lines for some readers, bidirectional marks reorder what a person
 * reads, and lone surrogates have no UTF-8. A side effect: characters are bytes, so sizes need no second look.
 *
 * Strings that look like gateway tokens are masked, wherever they stand. The mask is never longer than what it hides, so
 * that a second pass changes nothing: `canonicalJson(JSON.parse(line))` is the same line.
 */
export function canonicalJson(value: object): string {
  return canonical(JSON.stringify(value));
}

/** One string of it. */
export function canonicalString(value: string): string {
  return canonical(JSON.stringify(value));
}

/** Whether a string stands in canonical JSON as it is, between quotes. */
export function isCanonical(value: string): boolean {
  return PLAIN.test(value) && !value.includes('mgw_');
}

function canonical(json: string): string {
  const masked = maskTokens(json);
  return NOT_PRINTABLE.test(masked) ? masked.replace(EACH_NOT_PRINTABLE, escapeUnit) : masked;
}

/** Masks what looks like a gateway token, whole or cut. */
export function maskTokens(text: string): string {
  return text.includes('mgw_') ? text.replace(TOKEN_SHAPED, 'mgw_*') : text;
}

/**
 * Cuts a text to `charsMax` UTF-16 units, the last of them `…` where something was cut, never through a surrogate pair.
 * What is no text gives undefined, which JSON leaves out: the record must not fail over a caller's mistake.
 */
export function boundedText(value: unknown, charsMax: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (value.length <= charsMax) return value;
  const cut = value.slice(0, charsMax - 1);
  return `${HIGH_SURROGATE.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** A finite number, rounded to `decimals` digits; undefined for anything else. */
export function boundedNumber(value: unknown, decimals: 0 | 3): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const rounded = decimals === 0 ? Math.round(value) : Math.round(value * 1000) / 1000;
  // JSON writes -0 as 0, and Infinity (of a value near the largest) as null.
  return Number.isFinite(rounded) ? rounded + 0 : undefined;
}

const TOKEN_SHAPED = /mgw_[0-9A-Za-z]+/g;
const PLAIN = /^[ !#-[\]-~]*$/;
const NOT_PRINTABLE = /[^\x20-\x7e]/;
const EACH_NOT_PRINTABLE = /[^\x20-\x7e]/g;
const HIGH_SURROGATE = /[\ud800-\udbff]$/;

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
